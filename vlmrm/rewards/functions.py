"""Anybody's function as the reward of any environment that can render.

reward = FunctionReward(make_reward(checkpoint="..."), "a humanoid robot kneeling")
rewards = reward(frames)

A function is a callable from uint8 windows of frames ``[N, T, H, W, 3]`` and a sentence to N
numbers, or an object whose ``embed_images(windows)`` and ``embed_sentences(sentences)`` return a
vector for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from vlmrm.config.settings import FunctionSettings, PromptSettings
from vlmrm.errors import UserError
from vlmrm.imports import calling
from vlmrm.rewards.scoring import reward_table, score_states

if TYPE_CHECKING:
    from vlmrm.rewards.vlm import VLMReward


Frames = NDArray[np.uint8]


class CheckedFunction:
    """A function whose answers are checked.

    Args:
        function: The callable, or the object with embeddings, which then serves `VLMReward` as its
            model.
        name: Name of the function in errors.
        key: Key of its model in a configuration, for errors in one line, with the traceback of its
            own errors in the log. Without one, it raises its own errors, and ValueErrors for wrong
            answers.
    """

    def __init__(self, function: Any, name: str = "the function", key: str | None = None):
        self._function = function
        self._name = name
        self._key = key
        self._length: int | None = None

    def score(self, frames: Frames, sentence: str) -> NDArray[np.float64]:
        """Scores ``[N]`` of frames ``[N, H, W, 3]`` or windows ``[N, T, H, W, 3]``."""
        windows = _windows(frames)
        return self._ask(self._function, self._name, (len(windows),), windows, sentence)

    def embed_images(self, frames: Frames) -> NDArray[np.float32]:
        """Unit embeddings ``[N, E]`` of frames ``[N, H, W, 3]`` or windows ``[N, T, H, W, 3]``."""
        return self._units("embed_images", _windows(frames))

    def embed_prompts(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings ``[P, E]`` of sentences."""
        return self._units("embed_sentences", list(prompts))

    def _units(self, method: str, inputs: Any) -> NDArray[np.float32]:
        name = f"{method} of {self._name}"
        vectors = self._ask(getattr(self._function, method), name, (len(inputs), None), inputs)
        found, self._length = vectors.shape[1], self._length or vectors.shape[1]
        if found != self._length:
            raise self._wrong(
                f"{name} returned {found} numbers for each, but {self._length} before"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise self._wrong(f"{name} returned a vector of zeros, which has no direction")
        return (vectors / lengths).astype(np.float32)

    def _ask(
        self, ask: Callable[..., Any], name: str, shape: tuple[int | None, ...], *inputs: Any
    ) -> NDArray[np.float64]:
        """The answer as an array of a shape, in which None is any length above 0."""
        with nullcontext() if self._key is None else calling(self._key, name):
            returned = ask(*inputs)
        if hasattr(returned, "detach"):  # a PyTorch tensor
            returned = returned.detach().cpu().double()
        wanted = " x ".join("E" if length is None else str(length) for length in shape)
        try:
            array = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.empty(())
        if array.ndim == 0:
            kind = type(returned).__name__
            raise self._wrong(f"{name} returned a {kind}, not {wanted} numbers")
        pairs = zip(shape, array.shape, strict=False)
        fits = all(found == length or (length is None and found) for length, found in pairs)
        if not fits or array.ndim != len(shape):
            found = " x ".join(map(str, array.shape))
            raise self._wrong(f"{name} returned {found} numbers, not {wanted}")
        finite = np.isfinite(array)
        if not finite.all():
            raise self._wrong(
                f"{name} returned {np.count_nonzero(~finite)} of {array.size} numbers that are not "
                f"finite, such as {array[~finite][0]}"
            )
        return array

    def _wrong(self, problem: str) -> Exception:
        return ValueError(problem) if self._key is None else UserError(f"{self._key}: {problem}")


class FunctionReward:
    """Rewards frames by a function's plain score for a sentence.

    For a function with embeddings and other scorings, use `VLMReward` with a `CheckedFunction` as
    its model.

    Args:
        function: Takes uint8 windows ``[N, T, H, W, 3]`` and a sentence, returns N numbers.
        goal: Describes success; the scores for several sentences are averaged.

    Raises:
        ValueError: There is no goal.
    """

    def __init__(
        self,
        function: Callable[[Frames, str], ArrayLike] | CheckedFunction,
        goal: str | Sequence[str],
    ):
        self._goals = [goal] if isinstance(goal, str) else list(goal)
        if not self._goals or not all(text.strip() for text in self._goals):
            raise ValueError("the goal is empty; give a sentence")
        self._function = (
            function if isinstance(function, CheckedFunction) else CheckedFunction(function)
        )

    def __call__(self, frames: Frames) -> NDArray[np.float32]:
        """Rewards, float32 ``[N]``, of frames ``[N, H, W, 3]`` or windows ``[N, T, H, W, 3]``.

        Raises:
            ValueError: The function returned something other than N finite numbers.
        """
        scores = [self._function.score(frames, goal) for goal in self._goals]
        return np.mean(scores, axis=0).astype(np.float32)


def function_reward(
    function: CheckedFunction, embeddings: bool, prompts: PromptSettings, scoring: str
) -> FunctionReward | VLMReward:
    """The reward of windows for a task.

    Raises:
        UserError: The sentences give no reward.
    """
    if not embeddings:
        return FunctionReward(function, prompts.goals)
    from vlmrm.rewards.vlm import VLMReward  # loads open_clip, which plain scores do without

    return VLMReward.of_task(function, prompts, scoring)


def score_windows(
    function: CheckedFunction, windows: Iterable[Frames], settings: FunctionSettings
) -> pd.DataFrame:
    """Scores the windows of a state set for a task.

    Returns:
        A table as that of `vlmrm.rewards.scoring.score_states`, with every scoring if the function
        has embeddings.
    """
    if settings.model.embeddings:
        images = np.concatenate([function.embed_images(batch) for batch in windows])
        sentences = settings.sentences
        prompts = dict(zip(sentences, function.embed_prompts(sentences), strict=True))
        return score_states(images, prompts, settings)
    reward = FunctionReward(function, settings.goals)
    rewards = np.concatenate([reward(batch) for batch in windows])
    return reward_table(settings.task, dict.fromkeys(settings.scorings, rewards))


def _windows(frames: Frames) -> Frames:
    """Frames ``[N, H, W, 3]`` as windows of one; windows as they are."""
    return frames[:, None] if frames.ndim == 4 else frames
