"""The reward: probability of the goal among other sentences.

With unit vectors s (the state's image), g (goal prompt), and o_1 ... o_K (other sentences), the
reward at temperature T is

    R = exp(s.g / T) / (exp(s.g / T) + sum_k exp(s.o_k / T))        T > 0

which is how CLIP classifies images (Radford et al., "Learning Transferable Visual Models From
Natural Language Supervision", ICML 2021, section 3.1), there at the temperature that the model
learned, usually 0.01. What all sentences have in common cancels out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax


def contrast_reward(
    image_embeddings: ArrayLike, goal: ArrayLike, others: ArrayLike, temperature: float
) -> NDArray[np.float64]:
    """Rewards of image embeddings.

    Args:
        image_embeddings: Unit image embeddings ``[..., E]``.
        goal: Unit goal embedding ``[E]``.
        others: Unit embeddings ``[K, E]`` of other sentences.
        temperature: In units of the cosine similarity. The lower, the closer rewards are to 0 or 1.

    Returns:
        Rewards ``[...]`` in [0, 1].

    Raises:
        ValueError: There is no other sentence, or the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"the temperature must be above 0, got {temperature}")
    if np.size(others) == 0:
        raise ValueError("a contrast needs other sentences")
    sentences = np.vstack([goal, others]).astype(np.float64)
    cosines = np.asarray(image_embeddings, dtype=np.float64) @ sentences.T
    rewards: NDArray[np.float64] = softmax(cosines / temperature, axis=-1)[..., 0]
    return rewards
