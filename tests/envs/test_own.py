import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.preprocessing import is_image_space

from vlmrm.config import DQN, SAC, Environment
from vlmrm.envs import frames_per_second, make_env
from vlmrm.errors import UserError

from .foreign import Walker

WALKER = "tests.envs.foreign:Walker"
ORACLE = "tests.envs.foreign:at_the_end"
STEPS = {"total_timesteps": 100, "episode_steps": 20}
DISCRETE, CONTINUOUS = DQN(algorithm="dqn", **STEPS), SAC(algorithm="sac", **STEPS)


def test_an_environment_is_as_fast_as_it_says_and_is_closed_again(monkeypatch):
    closed = []
    monkeypatch.setattr(Walker, "close", lambda env: closed.append(env))
    own = Environment(id=WALKER)
    assert frames_per_second("walk", own) == Walker.metadata["render_fps"] == 10
    assert len(closed) == 1
    monkeypatch.setattr(Walker, "metadata", {"render_modes": ["rgb_array"]})
    assert frames_per_second("walk", own) == 30
    assert frames_per_second("cartpole") == 50


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
