"""What published models see of frames that are not square."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vlmrm.config import GridStates, PretrainedModel, Rendering, load_config
from vlmrm.models.find import registered_config
from vlmrm.models.preprocessing import Preprocessing
from vlmrm.rendering import make_renderer
from vlmrm.states import sample_states

PAPER = load_config(Path(__file__).parents[2] / "config.yaml")


def published():
    """Every way to resize in the paper's configuration, with one of the models that has it."""
    found = {}
    for name, model in PAPER.models.items():
        if isinstance(model, PretrainedModel):
            config = registered_config(str(model.architecture), str(model.tag))
            preprocessing = Preprocessing.from_open_clip(config["preprocess_cfg"])
            key = (preprocessing.size, preprocessing.interpolation, preprocessing.resize_mode)
            found.setdefault(key, pytest.param(preprocessing, id=name))
    return list(found.values())


@pytest.fixture(
    scope="module",
    params=[("cartpole", "gymnasium"), ("mountain-car", "gymnasium"), ("mountain-car", "textured")],
    ids="-".join,
)
def pictures(request):
    """Distinct frames of a grid of states, uint8 ``[N, 400, 600, 3]``."""
    environment, scene = request.param
    spec = GridStates(sampler="grid", environment=environment, resolution=0.2)
    states = sample_states(spec).values
    renderer = make_renderer(environment, scene, Rendering())
    frames = np.empty((len(states), *renderer.shape), np.uint8)
    for state, frame in zip(states, frames, strict=True):
        renderer.render(state, frame)
    renderer.close()
    distinct = {frame.tobytes(): frame for frame in frames}
    return torch.from_numpy(np.stack(list(distinct.values())))


def distinct(preprocessing, frames):
    """Number of different inputs of the network."""
    return len({preprocessing.resize(frame[None]).numpy().tobytes() for frame in frames})


@pytest.mark.parametrize("mode", ["squash", "pad"])
@pytest.mark.parametrize("preprocessing", published())
def test_what_differs_in_the_picture_differs_for_the_network(preprocessing, pictures, mode):
    assert distinct(preprocessing.for_wide_frames(mode), pictures) == len(pictures)


@pytest.mark.parametrize(
    "pictures", [("cartpole", "gymnasium"), ("mountain-car", "gymnasium")], indirect=True
)
def test_cropping_loses_states(pictures):
    own = next(param.values[0] for param in published())
    assert own.resize_mode == "shortest"
    assert own.for_wide_frames("crop") == own
    assert distinct(own, pictures) < len(pictures)


@pytest.mark.parametrize("mode", ["squash", "pad", "crop"])
def test_square_frames_are_the_same_in_every_way(mode):
    own = next(param.values[0] for param in published())
    frames = torch.randint(0, 256, (2, 300, 300, 3), dtype=torch.uint8)
    assert torch.equal(own.for_wide_frames(mode).resize(frames), own.resize(frames))
