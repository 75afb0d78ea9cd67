"""Jobs of the paper's configuration."""

from tests.paths import ROOT
from vlmrm.config import PretrainedModel, load_config
from vlmrm.machine.machines import MACHINES
from vlmrm.plan.jobs import Job

PAPER = load_config(ROOT / "config.yaml")
DEMO = load_config(ROOT / "config" / "demo.yaml")
RUN = {"task": "kneeling", "scene": "textured-fixed", "scoring": "alpha-0", "seed": "0"}
LAPTOP = MACHINES["laptop"]


def training(model):
    output = f"results/paper/policies/{model}/policy.zip"
    return Job("train_policy", RUN | {"reward_source": model}, (output,))


def fetching(model):
    return Job("fetch_model", {"model": model}, (f"resources/models/{model}/provenance.json",))


def embedding(model, states="kneeling-poses"):
    wildcards = {"states": states, "scene": "textured-fixed", "model": model}
    return Job("embed_frames", wildcards, (f"results/paper/embeddings/{states}/{model}.h5",))


def unnamed(**settings):
    """The paper with a model `X` that names no architecture."""
    model = PretrainedModel(source="pretrained", **settings)
    return PAPER.model_copy(update={"models": {**PAPER.models, "X": model}})
