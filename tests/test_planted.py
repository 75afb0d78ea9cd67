"""Code that somebody planted in a file does not run when the file is opened."""

import base64
import io
import json
import pickle
import shutil
import zipfile

import numpy as np
import pytest

from tests.training.test_evaluation import CONFIG, judge, save_policy
from tests.training.toy import AGENTS
from tests.training.toy_training import at_call, crash, train_toy
from vlmrm.config import RolloutStates, TrainingRun
from vlmrm.config.settings import RolloutSettings
from vlmrm.data.embeddings import read_embeddings
from vlmrm.data.frames import FrameReader
from vlmrm.data.states import States
from vlmrm.data.tables import read_rewards, read_table
from vlmrm.errors import UserError
from vlmrm.models.clip import ClipModel
from vlmrm.models.folder import CONFIG_FILE, PROVENANCE_FILE, WEIGHTS_FILE
from vlmrm.training.rollouts import sample_rollouts


class Planted:
    """Its pickle creates a file when it is opened."""

    def __init__(self, sign):
        self._sign = str(sign)

    def __reduce__(self):
        return io.open, (self._sign, "w")


@pytest.fixture
def sign(tmp_path):
    """What planted code leaves behind."""
    sign = tmp_path / "it-ran"
    yield sign
    assert not sign.exists()
    # It would have.
    pickle.loads(pickle.dumps(Planted(sign))).close()
    assert sign.exists()


def replace_part(path, **contents):
    """Replaces parts of a ZIP archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, **contents}.items():
            archive.writestr(name, content)


def refused(call, path):
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"{path}") and len(message.splitlines()) == 1 and len(message) < 400


def plant_beside_weights(path, sign):
    """As what Stable-Baselines3 unpickles, beside sound weights."""
    with zipfile.ZipFile(path) as archive:
        values = json.loads(archive.read("data"))
    serialized = base64.b64encode(pickle.dumps(Planted(sign))).decode()
    for name in ("policy_class", "lr_schedule", "observation_space", "action_space", "more"):
        values[name] = {":type:": "function", ":serialized:": serialized}
    replace_part(
        path, data=json.dumps(values), **{"pytorch_variables.pth": pickle.dumps(Planted(sign))}
    )


def test_code_beside_the_weights_of_a_policy(tmp_path, sign):
    policy = save_policy(tmp_path / "policy.zip", "climb")
    _, states = judge(policy, "climb", trajectories=1)
    plant_beside_weights(policy, sign)
    _, found = judge(policy, "climb", trajectories=1)
    np.testing.assert_array_equal(found, states)


def test_code_in_the_weights_of_a_policy(tmp_path, sign):
    policy = save_policy(tmp_path / "policy.zip", "climb")
    replace_part(policy, **{"policy.pth": pickle.dumps(Planted(sign))})
    with pytest.raises(UserError, match=r"is not opened, because .* could run code"):
        judge(policy, "climb")


def test_code_in_the_checkpoints_of_a_training(tmp_path, sign):
    (tmp_path / "checkpoints").mkdir()
    policy = save_policy(tmp_path / "checkpoints" / "000000060.zip", "climb")
    run = TrainingRun(task="climb", scene="gymnasium", reward_source="x", seed=0)
    spec = RolloutStates(sampler="rollouts", environment="mountain-car", run=run, size=5)
    agent = CONFIG.training["mountain-car"].agent
    settings = RolloutSettings(environment="mountain-car", episode_steps=30, agent=agent, spec=spec)
    plant_beside_weights(policy, sign)
    assert len(sample_rollouts(settings, tmp_path, workers=0)) == 5
    replace_part(policy, **{"policy.pth": pickle.dumps(Planted(sign))})
    refused(lambda: sample_rollouts(settings, tmp_path, workers=0), policy)


@pytest.mark.parametrize("name", ["state.npz", "array", "replay"])
def test_code_in_the_checkpoint_of_an_interrupted_training(tmp_path, sign, name):
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, AGENTS["dqn"], at_call(70, crash))
    resume = tmp_path / "checkpoints" / "resume"
    if name == "array":
        path = resume / "state.npz"
        np.savez(path, np.array([Planted(sign)], dtype=object))
    elif name == "replay":
        path = min(resume.glob("replay-*"))
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **{**arrays, "rewards": np.array([Planted(sign)], dtype=object)})
    else:
        path = resume / name
        path.write_bytes(pickle.dumps(Planted(sign)))
    refused(lambda: train_toy(tmp_path, AGENTS["dqn"]), path)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CONFIG_FILE, PROVENANCE_FILE])
def test_code_in_the_files_of_a_model(tmp_path, sign, model_folder, name):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    if name == WEIGHTS_FILE:
        (folder / PROVENANCE_FILE).unlink()
    (folder / name).write_bytes(pickle.dumps(Planted(sign)))
    refused(lambda: ClipModel.load(folder, "cpu"), folder)


def test_code_beside_the_files_of_a_model(tmp_path, sign, model_folder):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    for name in ("open_clip_pytorch_model.bin", "model.pt", "model.pth"):
        (folder / name).write_bytes(pickle.dumps(Planted(sign)))
    ClipModel.load(folder, "cpu")
    (folder / WEIGHTS_FILE).unlink()
    refused(lambda: ClipModel.load(folder, "cpu"), folder)


def test_code_of_a_tokenizer(tmp_path, sign, model_folder):
    pytest.importorskip("transformers")
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    (folder / PROVENANCE_FILE).unlink()
    config = json.loads((folder / CONFIG_FILE).read_text())
    text = config["model_cfg"]["text_cfg"]
    text["hf_tokenizer_name"] = "somebody/tokenizer"
    text["tokenizer_kwargs"] = {"trust_remote_code": True}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"auto_map": {"AutoTokenizer": ["planted.Planted", "planted.Planted"]}})
    )
    (folder / "planted.py").write_text(f"open({str(sign)!r}, 'w')\nclass Planted: pass\n")
    refused(lambda: ClipModel.load(folder, "cpu"), folder)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("states.h5", States.read),
        ("frames.h5", FrameReader),
        ("embeddings.h5", read_embeddings),
        ("table.csv", read_table),
        ("table.parquet", read_table),
        ("rewards.parquet", lambda path: read_rewards(path, 1)),
    ],
)
def test_code_in_a_table_or_in_arrays(tmp_path, sign, name, read):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Planted(sign)))
    refused(lambda: read(path), path)
