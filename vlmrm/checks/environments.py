"""Tries an environment of the user's own for an episode, before anything is trained in it.

Run as ``python -m vlmrm.checks.environments``: in a process that can draw, whatever the caller has
loaded.
"""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from vlmrm.config import DQN, SAC, Environment
from vlmrm.errors import UserError, one_line
from vlmrm.machine.memory import require_memory

ANSWER = "vlmrm.checks.environments: "
"""Beginning of the line with the answer."""


def check_environment(name: str, own: Environment, agent: DQN | SAC) -> None:
    """Makes an environment, draws a frame, and takes random actions for an episode.

    Also checks that there is memory for a replay buffer of its observations.

    Args:
        name: Its name in the configuration.
        own: Its entry there.
        agent: Settings of the agent that acts in it.

    Raises:
        UserError: It cannot be used; names the key.
    """
    if problem := environment_problem(name, own, agent):
        raise UserError(problem)


def environment_problem(
    name: str, own: Environment, agent: DQN | SAC, captions: Mapping[str, str] | None = None
) -> str | None:
    """Why an environment cannot be used, in one line.

    Args:
        name: As the others, as for `check_environment`.
        own: Its entry.
        agent: Settings of the agent.
        captions: Functions that are also asked for captions of what was visited, by their keys.
    """
    return _answer(json.dumps([name, own.model_dump(), agent.model_dump(), dict(captions or {})]))


@functools.cache
def _answer(question: str) -> str | None:
    command = [sys.executable, "-m", "vlmrm.checks.environments"]
    # Simulators print what they like, in any encoding.
    run = subprocess.run(
        command, input=question, capture_output=True, text=True, errors="backslashreplace"
    )
    # Some print as they start, or at the very end.
    answers = [line for line in run.stdout.splitlines() if line.startswith(ANSWER)]
    if run.returncode or not answers:
        name, *_ = json.loads(question)
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
        return f"environments.{name}: ends the process that tries it ({reason}); correct it"
    answer: str | None = json.loads(answers[0].removeprefix(ANSWER))
    return answer


def try_environment(
    name: str, own: Environment, agent: DQN | SAC, captions: Mapping[str, str] | None = None
) -> None:
    """As `environment_problem`, in this process; raises a UserError with the problem."""
    from vlmrm.envs import make_env
    from vlmrm.envs.own import algorithm_for
    from vlmrm.training.vec_env.worker import single_precision

    env = make_env(name, agent.episode_steps, own=own)
    key = f"training.{name}.agent"
    if agent.algorithm != (fit := algorithm_for(env.action_space)):
        raise UserError(
            f"{key}.algorithm: {agent.algorithm} cannot act in {name}, whose actions are "
            f"{env.action_space}; write {fit}"
        )
    picture = len(env.observation_space.shape or ()) == 3
    if isinstance(agent, SAC) and agent.symlog_observations and picture:
        raise UserError(f"{key}.symlog_observations: not for pictures; remove it")
    assert isinstance(env.observation_space, spaces.Box)
    observation, action = _bytes(single_precision(env.observation_space)), _bytes(env.action_space)
    require_memory(f"{key}.buffer_size", agent.replay_bytes(observation, action))
    try:
        env.action_space.seed(0)
        env.reset(seed=0)
        env.render()
        states, ended = [], False
        while not ended:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            states.append(env.get_wrapper_attr("state_vector")())
            ended = terminated or truncated
        env.render()
        env.reset()  # here it is noticed that nothing said success
        if captions:
            from vlmrm.pretraining.own_captions import write_captions

            for path_key, path in captions.items():
                names = env.get_wrapper_attr("state_names")()
                write_captions(path_key, path, names, np.stack(states))
    except UserError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise UserError(
            f"environments.{name}: raises {kind} ({one_line(error)}) in an episode of random "
            "actions; correct it"
        ) from error
    finally:
        env.close()


def _bytes(space: Any) -> int:
    """Bytes of an element of a space."""
    return math.prod(space.shape) * int(space.dtype.itemsize)


def main() -> None:
    """Reads an environment and its agent as JSON; prints what is wrong as JSON, or null."""
    name, own, agent, captions = json.load(sys.stdin)
    kind: type[DQN | SAC] = DQN if agent["algorithm"] == "dqn" else SAC
    problem = None
    try:
        entry, acting = Environment.model_validate(own), kind.model_validate(agent)
        try_environment(name, entry, acting, captions)
    except UserError as error:
        problem = str(error)
    print(f"\n{ANSWER}{json.dumps(problem)}", flush=True)


if __name__ == "__main__":
    main()
