"""Configurations that build on others."""

import pytest
import yaml

from vlmrm.config import check_configfiles, load_config, parse_config
from vlmrm.errors import UserError

BASE = {
    "models": {"sim": {"source": "random", "architecture": "sim-S"}},
    "tasks": {"kneeling": {"environment": "humanoid", "goal": "a robot kneeling"}},
    "training": {"humanoid": {"agent": {"algorithm": "sac", "total_timesteps": 1000}}},
    "scorings": ["alpha-0", "alpha-1"],
}


@pytest.fixture(autouse=True)
def write(tmp_path, monkeypatch):
    """Writes YAML files to the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name, **content):
        (tmp_path / name).write_text(yaml.safe_dump(content))

    write("base.yaml", **BASE)
    return write


def test_own_values_replace_those_of_the_extended_file_key_by_key(write):
    agent = {"total_timesteps": 2000}
    write(
        "own.yaml",
        run="own",
        extends=["base.yaml"],
        scorings=["alpha-0"],
        training={"humanoid": {"agent": agent}},
        tasks={"lotus": {"environment": "humanoid", "goal": "a robot meditating"}},
    )
    own = load_config("own.yaml")
    assert own.scorings == ["alpha-0"]
    assert own.training["humanoid"].agent.total_timesteps == 2000
    assert own.training["humanoid"].agent.algorithm == "sac"
    assert set(own.tasks) == {"kneeling", "lotus"}


def test_an_entry_of_another_kind_replaces_the_extended_one(write):
    write(
        "own.yaml",
        run="own",
        extends=["base.yaml"],
        models={"sim": {"source": "packaged", "architecture": "sim-S"}},
        tasks={"source": {"environment": "cartpole", "goal": "a pole"}},
        training={"cartpole": {"agent": {"algorithm": "dqn", "total_timesteps": 2000}}},
    )
    other = {"algorithm": "sac", "total_timesteps": 90_000, "ent_coef": 0.1}
    write(
        "cart.yaml",
        tasks={"source": {"goal": "a pole that stands"}},
        training={"cartpole": {"agent": other}},
    )
    own = load_config("own.yaml")
    assert own.models["sim"].source == "packaged"
    both = parse_config({"extends": ["cart.yaml", "own.yaml"]})
    assert both.training["cartpole"].agent.algorithm == "dqn"
    assert both.tasks["source"].goal == "a pole" and both.tasks["source"].environment == "cartpole"


@pytest.mark.parametrize("key", ["source", "sampler", "algorithm"])
def test_arguments_of_the_user_s_code_are_merged_whatever_their_names(write, key):
    judge = {"source": "function", "function": "mine:make"}
    room = {"id": "mine:Room", "success": "is_success"}
    below, above = {key: "webcam", "width": 640, "deep": {"a": 1, "b": 2}}, {"deep": {"a": 9}}
    both = {key: "file", "width": 640, "deep": {"a": 9, "b": 2}}
    write(
        "below.yaml",
        models={"judge": {**judge, "settings": below}},
        environments={"room": {**room, "kwargs": below}},
    )
    above[key] = "file"
    write(
        "own.yaml",
        run="own",
        extends=["base.yaml", "below.yaml"],
        models={"judge": {"settings": above}},
        environments={"room": {"kwargs": above}},
    )
    own = load_config("own.yaml")
    assert own.models["judge"].settings == own.environments["room"].kwargs == both


def test_a_model_may_be_named_settings_and_be_replaced(write):
    write("below.yaml", models={"settings": {"source": "random", "architecture": "sim-S"}})
    packaged = {"source": "packaged", "architecture": "sim-M"}
    write("own.yaml", run="own", extends=["base.yaml", "below.yaml"], models={"settings": packaged})
    assert load_config("own.yaml").models["settings"].source == "packaged"


def test_later_files_override_earlier_ones_and_extended_files_may_extend_others(write):
    write("middle.yaml", extends=["base.yaml"], scorings=["alpha-0.5"], run="middle")
    write("last.yaml", run="last")
    config = parse_config({"extends": ["middle.yaml", "last.yaml"]})
    assert (config.run, config.scorings) == ("last", ["alpha-0.5"])


def test_the_result_is_the_whole_configuration(write):
    write("own.yaml", run="own", extends=["base.yaml"])
    whole = load_config("own.yaml")
    assert parse_config(whole.model_dump(mode="json")) == whole
    assert whole == parse_config({"run": "own", **BASE})


@pytest.mark.parametrize(
    ("extends", "answer"),
    [
        (
            ["nowhere.yaml"],
            "own.yaml: extends: there is no file 'nowhere.yaml'; paths are relative to the "
            "working directory",
        ),
        (
            [""],
            "own.yaml: extends: there is no file ''; paths are relative to the working directory",
        ),
        ("base.yaml", "own.yaml: extends: must be a list of files, got 'base.yaml'"),
        (["own.yaml"], "own.yaml: extends: own.yaml extends this file; remove one of them"),
        (["a.yaml"], "a.yaml: extends: own.yaml extends this file; remove one of them"),
    ],
)
def test_a_file_that_cannot_be_extended_is_named(write, extends, answer):
    write("own.yaml", run="own", extends=extends)
    write("a.yaml", extends=["own.yaml"])
    with pytest.raises(UserError) as error:
        load_config("own.yaml")
    assert str(error.value) == answer


def test_files_of_one_command_line_of_which_two_extend_others_are_refused(write):
    write("one.yaml", extends=["base.yaml"])
    write("two.yaml", extends=["base.yaml"])
    check_configfiles(["base.yaml", "two.yaml"])
    with pytest.raises(UserError) as error:
        check_configfiles(["one.yaml", "base.yaml", "two.yaml"])
    assert str(error.value) == (
        "two.yaml: extends: given in one.yaml, too, and Snakemake would read one of them; add "
        "one.yaml to this list, and start with two.yaml alone"
    )


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("base.yaml", {**BASE, "scorings": ["alpha-2"]}),
        ("own.yaml", {"scorings": ["alpha-2"]}),
    ],
)
def test_a_mistake_is_reported_with_the_file_that_makes_it(write, file, content):
    write("own.yaml", run="own", extends=["base.yaml"])
    write(file, **{"run": "own", "extends": ["base.yaml"]} if file == "own.yaml" else {}, **content)
    with pytest.raises(UserError, match=rf"^{file}: scorings.0: "):
        load_config("own.yaml")


def test_a_missing_key_is_reported_with_the_file_that_was_asked_for(write):
    write("own.yaml", extends=["base.yaml"])
    with pytest.raises(UserError, match=r"^own.yaml: run: missing"):
        load_config("own.yaml")


def test_shared_parts_come_with_the_package_unless_the_folder_has_them(write, tmp_path):
    write("own.yaml", run="own", extends=["base.yaml", "config/shared/sim.yaml"])
    assert load_config("own.yaml").models["sim-M"].source == "packaged"
    (tmp_path / "config" / "shared").mkdir(parents=True)
    write("config/shared/sim.yaml", models={})
    assert load_config("own.yaml").models.keys() == {"sim"}
    write("own.yaml", run="own", extends=["base.yaml", "config/shared/tasks.yaml"])
    with pytest.raises(UserError, match=r"extends: there is no file 'config/shared/tasks"):
        load_config("own.yaml")
