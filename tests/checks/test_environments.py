import pytest

from tests.paths import ROOT
from vlmrm.checks.environments import check_environment, environment_problem, try_environment
from vlmrm.config import DQN, SAC, Environment
from vlmrm.errors import UserError

WALKER = "tests.envs.foreign:Walker"
STEPS = {"total_timesteps": 100, "episode_steps": 20}
DISCRETE, CONTINUOUS = DQN(algorithm="dqn", **STEPS), SAC(algorithm="sac", **STEPS)


@pytest.mark.parametrize(
    ("entry", "agent", "problem"),
    [
        ({"id": "HalfCheeta-v5"}, CONTINUOUS, "id: unknown id 'HalfCheeta-v5'; did you mean 'Half"),
        ({"id": "HalfCheetah-v99"}, CONTINUOUS, "id: Environment version `v99`"),
        ({"id": "Room-v0"}, DISCRETE, "id: unknown id 'Room-v0'; write MODULE:Room-v0"),
        ({"id": "absent_grid:Room-v0"}, DISCRETE, "install the package .*pip install absent-grid"),
        ({"id": "tests.envs.foreign:Wallker"}, DISCRETE, "did you mean 'Walker'"),
        ({"id": "tests.envs.foreign:not_an_environment"}, DISCRETE, "id: the function returns str"),
        ({"id": WALKER, "kwargs": {"lenght": 3}}, DISCRETE, "kwargs: .*argument 'lenght'"),
        ({"id": "tests.envs.foreign:Swim"}, DISCRETE, "id: tests.envs.foreign has no function and"),
        ({"id": WALKER, "success": "done"}, DISCRETE, "success: no info .* 'done'; known: is_succ"),
        (
            {"id": WALKER, "oracle": "tests.envs.foreign:at_end"},
            DISCRETE,
            "oracle: .* did you mean",
        ),
        (
            {"id": WALKER, "oracle": "tests.envs.foreign:undecided"},
            DISCRETE,
            "returns is str, neit",
        ),
        ({"id": WALKER, "oracle": "tests.envs.foreign:broken"}, DISCRETE, "ValueError: no idea"),
        (
            {"id": "tests.envs.foreign:Blind"},
            DISCRETE,
            r"its render\(\) returns NoneType, not uint8",
        ),
        ({"id": "tests.envs.foreign:Undecided"}, DISCRETE, "MultiDiscrete actions fit neither"),
        ({"id": WALKER}, CONTINUOUS, r"training.mine.agent.algorithm: .* Discrete\(2\); write dqn"),
        ({"id": WALKER, "state": "tests.envs.foreign:were"}, DISCRETE, "state: .* mean 'where'"),
        (
            {"id": WALKER, "state": "tests.envs.foreign:broken"},
            DISCRETE,
            "state: raised ValueError",
        ),
        ({"id": WALKER, "state": "tests.envs.foreign:in_order"}, DISCRETE, "list, no dictionary"),
        (
            {"id": WALKER, "state": "tests.envs.foreign:where_nobody_knows"},
            DISCRETE,
            "state: 'place' is nan; return finite numbers",
        ),
        ({"id": WALKER, "wrappers": ["os:walk_"]}, DISCRETE, "wrappers: os has no function 'walk_"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(entry, agent, problem):
    with pytest.raises(UserError, match=problem) as caught:
        try_environment("mine", Environment(**entry), agent)
    assert "\n" not in str(caught.value)
    assert "mine" in str(caught.value)


def test_a_replay_buffer_of_pictures_that_does_not_fit_into_memory_is_refused(monkeypatch):
    monkeypatch.setattr("vlmrm.machine.memory.main_memory", lambda: 30_000)
    steps = {"total_timesteps": 10**6, "buffer_size": 10**6, "episode_steps": 20}
    agent = DQN(algorithm="dqn", **steps)
    try_environment("walk", Environment(id=WALKER), agent)
    pictured = Environment(id="tests.envs.foreign:Stacked", kwargs={"shape": [84, 84, 3]})
    with pytest.raises(UserError, match=r"walk\.agent\.buffer_size: needs about 42\.4 GB of"):
        try_environment("walk", pictured, agent)


def test_a_sound_environment_is_tried_in_a_process_of_its_own():
    own = Environment(id=WALKER, success="is_success")
    check_environment("mine", own, DISCRETE)
    with pytest.raises(UserError, match="no info of an episode has 'won'"):
        check_environment("mine", own.model_copy(update={"success": "won"}), DISCRETE)


def test_captions_of_what_an_episode_visits_are_tried_with_it():
    own = Environment(id=WALKER, state="tests.envs.foreign:where")
    captions = {"corpora.walk.captions": "tests.envs.foreign:captions"}
    assert environment_problem("mine", own, DISCRETE, captions) is None
    captions = {"corpora.walk.captions": "tests.envs.foreign:misnamed"}
    problem = environment_problem("mine", own, DISCRETE, captions)
    assert problem == "corpora.walk.captions: a state has no 'plaec'; did you mean 'place'?"


def test_an_environment_may_print_at_any_time():
    own = Environment(id="tests.envs.foreign:Talking", success="is_success")
    assert environment_problem("walk", own, DISCRETE) is None
    other = Environment(id="tests.envs.foreign:Talking", success="is_succes")
    assert "did you mean 'is_success'" in environment_problem("walk", other, DISCRETE)


def test_a_module_that_ends_itself_is_named(tmp_path, monkeypatch):
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    problem = environment_problem("mine", Environment(id="leaving:make"), DISCRETE)
    reason = "'leaving' cannot be imported (SystemExit: 0)"
    assert problem == f"environments.mine.id: {reason}"
    own = Environment(id=WALKER, state="tests.envs.foreign:where")
    captions = {"corpora.walk.captions": "leaving:captions"}
    problem = environment_problem("walk", own, DISCRETE, captions)
    assert problem == f"corpora.walk.captions: {reason}"


def test_a_module_may_print_in_any_encoding(tmp_path, monkeypatch):
    (tmp_path / "french.py").write_text(
        "import os\nfrom tests.envs.foreign import Walker\nos.write(1, b'd\\xe9marr\\xe9\\n')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    own = Environment(id="french:Walker", success="is_success")
    assert environment_problem("walk", own, DISCRETE) is None
