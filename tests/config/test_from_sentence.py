"""The configuration that `vlmrm run` writes."""

import pytest
import yaml

from tests.paths import ROOT
from vlmrm.config import load_config, parse_config
from vlmrm.config.from_sentence import SHARED, sentence_config
from vlmrm.errors import UserError

KNEELING = "a humanoid robot kneeling"


def written(sentence=KNEELING, run=None, **options):
    """The configuration of a sentence, as the workflow reads it from a file."""
    defaults = {"environment": "humanoid", "model": "sim-M", "scoring": "alpha-0"}
    content = sentence_config(sentence, run, **defaults | options)
    return parse_config(yaml.safe_load(yaml.safe_dump(content)))


def only(section):
    ((name, entry),) = section.items()
    return name, entry


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder without the repository's files."""
    monkeypatch.chdir(tmp_path)


def test_a_sentence_of_a_shipped_task_has_its_name_and_its_oracle():
    config = written("A humanoid  robot kneeling")
    name, task = only(config.tasks)
    assert (config.run, name, task.oracle) == ("kneeling", "kneeling", "kneeling")
    assert written(oracle="none").tasks["kneeling"].oracle is None
    assert written(oracle="lotus").tasks["kneeling"].oracle == "lotus"
    (run,) = config.runs("agent")
    assert (run.task, run.reward_source, run.scoring, run.seed) == (
        *("kneeling", "sim-M", "alpha-0"),
        0,
    )


def test_any_other_sentence_is_named_by_its_words_and_judged_by_nobody():
    name, task = only(written("A robot: arms *up*, legs apart!").tasks)
    assert (name, task.oracle) == ("a-robot-arms-up-legs-apart", None)
    assert only(written("ロボット").tasks)[0] == "agent"
    assert written("word " * 50).run.startswith("word-word")
    assert written("ロボット", "my-run").run == "my-run"


def test_agents_are_those_of_the_shipped_configurations(monkeypatch):
    config = written(total_timesteps=3000)
    monkeypatch.chdir(ROOT)
    shipped = load_config("config/own.yaml")
    agent = shipped.training["humanoid"].agent.model_copy(update={"total_timesteps": 3000})
    assert config.training == {"humanoid": shipped.training["humanoid"].model_copy(
        update={"agent": agent}
    )}  # fmt: skip
    assert config.rendering == shipped.rendering


@pytest.mark.parametrize("environment", ["cartpole", "mountain-car"])
def test_classic_control_looks_its_rewards_up_on_shipped_grids(environment):
    config = written("a pole on a cart", environment=environment, scoring="alpha-0.5",
                     baselines=["a cart"])  # fmt: skip
    lookup = config.training[environment].lookup
    assert set(config.state_sets) == {lookup.grid, lookup.check}
    (run,) = config.runs("agent")
    assert config.training_settings(run).max_lookup_error == lookup.max_error


def test_a_contrast_has_the_given_sentences():
    config = written(scoring="contrast-0.05", contrasts=["a robot", "a dog"])
    assert config.contrasts("kneeling") == ["a robot", "a dog"]


def test_models_are_packaged_or_published_or_folders(model_folder, tmp_path):
    assert only(written(model="sim-XS").models)[1].source == "packaged"
    published = written(model="ViT-L-14")
    assert only(published.models)[1].tag == "laion2b_s32b_b82k"
    assert published.rendering.humanoid_size == 224
    link = tmp_path / "my model (1)"
    link.symlink_to(model_folder)
    name, model = only(written(model=str(link)).models)
    assert (name, model.path) == ("random-XS", str(model_folder))


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"environment": "humanoids"}, "--environment: unknown name 'humanoids'; did you mean"),
        ({"model": "simM"}, "--model: no folder, and unknown name 'simM'; did you mean 'sim-M'?"),
        ({"model": "resources/models/x"}, "--model: resources/models/x belongs to the workflow"),
        ({"oracle": "kneelin"}, "--oracle: unknown name 'kneelin'; did you mean 'kneeling'?"),
        ({"oracle": "cartpole"}, "--oracle: unknown name 'cartpole'"),
        ({"total_timesteps": 2000}, "--total-timesteps: must be above 2000"),
    ],
)
def test_a_wrong_option_is_named(tmp_path, options, answer):
    (tmp_path / "resources" / "models" / "x").mkdir(parents=True)
    with pytest.raises(UserError) as error:
        written(**options)
    assert str(error.value).startswith(answer)


def test_the_package_has_the_shared_parts_of_the_repository():
    assert SHARED.resolve() == ROOT / "config" / "shared"
