"""Hypothesis strategies for the tests of EPIC."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

quick = settings(max_examples=50, deadline=None)

numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
scales = st.floats(1e-3, 1e3)
offsets = st.floats(-1e2, 1e2)


def varied(shape):
    return arrays(np.float64, shape, elements=numbers).filter(lambda x: np.ptp(x) > 0.1)


@st.composite
def rewards_and_labels(draw):
    n = draw(st.integers(4, 30))
    labels = draw(arrays(np.bool_, n).filter(lambda y: 0 < y.sum() < len(y)))
    return draw(varied(n)), labels
