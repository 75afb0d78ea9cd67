import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.preprocessing import is_image_space

from tests.paths import ROOT
from vlmrm.config import DQN, SAC, Environment
from vlmrm.envs import make_env
from vlmrm.envs.probe import check_environment, environment_problem, try_environment
from vlmrm.errors import UserError

WALKER = "tests.envs.foreign:Walker"
ORACLE = "tests.envs.foreign:at_the_end"
STEPS = {"total_timesteps": 100, "episode_steps": 20}
DISCRETE, CONTINUOUS = DQN(algorithm="dqn", **STEPS), SAC(algorithm="sac", **STEPS)


def walk(env, actions):
    env.reset(seed=0)
    for action in actions:
        last = env.step(action)
    return last


@pytest.mark.parametrize("says", [{"success": "is_success"}, {"oracle": ORACLE}])
def test_the_last_entry_of_a_state_says_success(says):
    env = make_env("walk", 20, own=Environment(id=WALKER, **says))
    env.reset(seed=0)
    verdicts, terminated = [], False
    while not terminated:
        assert verdicts == [0] * len(verdicts)
        *_, terminated, _, _ = env.step(1)
        verdicts.append(env.get_wrapper_attr("state_vector")()[-1])
    assert verdicts[-1] == 1


def test_the_state_of_a_robot_is_its_positions_and_velocities():
    env = make_env("cheetah", 20, own=Environment(id="HalfCheetah-v5"))
    walk(env, [np.ones(6, np.float32)] * 3)
    data = env.unwrapped.data
    expected = [*data.qpos, *data.qvel, 0]
    np.testing.assert_array_equal(env.get_wrapper_attr("state_vector")(), expected)


def test_the_state_can_be_that_of_a_function():
    own = Environment(id=WALKER, state="tests.envs.foreign:where", success="is_success")
    env = make_env("walk", 20, own=own)
    env.reset(seed=0)
    env.unwrapped.place = 2
    env.step(1)
    assert env.get_wrapper_attr("state_names")() == ["place", "left", "success"]
    np.testing.assert_array_equal(env.get_wrapper_attr("state_vector")(), [3, 0, 1])


@pytest.mark.parametrize(
    ("identifier", "names"),
    [
        ("HalfCheetah-v5", [f"{q}[{i}]" for q in ("qpos", "qvel") for i in range(9)]),
        ("MountainCar-v0", ["observation[0]", "observation[1]"]),
        ("tests.envs.foreign:Pictured", []),
    ],
)
def test_the_entries_of_a_state_have_names(identifier, names):
    env = make_env("mine", 20, own=Environment(id=identifier))
    env.reset(seed=0)
    assert env.get_wrapper_attr("state_names")() == [*names, "success"]


def test_entries_of_a_state_stay_in_place_and_are_always_there():
    turning = make_env(
        "walk", 20, own=Environment(id=WALKER, state="tests.envs.foreign:where_in_turn")
    )
    turning.reset(seed=0)
    names = turning.get_wrapper_attr("state_names")()
    for _ in range(2):
        turning.step(1)
        state = dict(zip(names, turning.get_wrapper_attr("state_vector")(), strict=True))
        assert state["place"] + state["left"] == turning.unwrapped.length
        assert state["place"] == turning.unwrapped.place
    own = Environment(id=WALKER, state="tests.envs.foreign:where_sometimes")
    env = make_env("walk", 20, own=own)
    env.reset(seed=0)
    env.get_wrapper_attr("state_vector")()
    env.step(1)
    with pytest.raises(UserError, match=r"walk\.state: 'even' is not in every state"):
        env.get_wrapper_attr("state_vector")()


def test_the_agents_time_limit_replaces_that_of_the_id():
    env = make_env("cartpole-of-mine", 600, own=Environment(id="MountainCar-v0"))
    env.reset(seed=0)
    for _ in range(599):
        *_, truncated, _ = env.step(1)
        assert not truncated
    assert env.step(1)[3]


def test_dictionaries_become_vectors_and_pictures_stay_pictures():
    flat = make_env("walk", 20, own=Environment(id=WALKER)).observation_space
    assert flat.shape == (3,)
    pictured = Environment(id="tests.envs.foreign:Pictured")
    env = make_env("walk", 20, own=pictured)
    assert env.observation_space.shape == (3, 40, 40)
    assert env.reset(seed=0)[0].dtype == np.uint8
    assert len(env.get_wrapper_attr("state_vector")()) == 1, "pictures are no states"


@pytest.mark.parametrize(
    ("shape", "read"),
    [
        ((40, 50, 12), (12, 40, 50)),
        ((4, 84, 84), (4, 84, 84)),
        ((36, 36, 36), (36, 36, 36)),
        ((7, 7, 3), (147,)),
        ((64, 64), (4096,)),
    ],
)
def test_stacked_pictures_stay_pictures_with_the_channels_first(shape, read):
    stacked = Environment(id="tests.envs.foreign:Stacked", kwargs={"shape": shape})
    env = make_env("walk", 20, own=stacked)
    assert env.observation_space.shape == env.reset()[0].shape == read
    assert is_image_space(env.observation_space) is (len(read) == 3)


@pytest.mark.parametrize("shape", [(84, 84), (84, 4, 84), (4, 84, 84, 3), (30, 60, 3)])
def test_large_pictures_that_no_network_reads_are_not_made_vectors(shape):
    stacked = Environment(id="tests.envs.foreign:Stacked", kwargs={"shape": shape})
    with pytest.raises(UserError, match=r"walk: its .* vectors of \d+ numbers; add a wrapper"):
        make_env("walk", 20, own=stacked)


def test_wrappers_are_applied_within():
    wrapped = Environment(id=WALKER, wrappers=["gymnasium.wrappers:FlattenObservation"])
    env = make_env("walk", 20, own=wrapped)
    names = []
    while isinstance(env, gym.Wrapper):
        names.append(type(env).__name__)
        env = env.env
    assert names == ["TimeLimit", "JudgedEnv", "FlattenObservation"]


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
