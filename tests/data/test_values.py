import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vlmrm.data.values import read_values, write_values

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ARRAYS = arrays(st.sampled_from([np.float32, np.int64, np.uint8, np.bool_]), (2, 0)) | arrays(
    np.float64, (), elements={"allow_nan": False}
)
VALUES = st.recursive(
    NUMBERS | ARRAYS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=10,
)


def same(a, b):
    if isinstance(a, (np.ndarray, np.generic)):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return type(b) is dict and same([*a.items()], [*b.items()])
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(value=VALUES)
def test_values_are_read_as_they_were_written(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("values") / "values.npz"
    write_values(path, value)
    assert same(read_values(path), value)


def test_numbers_keep_their_type_and_precision(tmp_path):
    values = [np.float64(0.1), np.float32(0.1), 0.1, 2**200, -math.inf, np.bool_(True), True]
    write_values(tmp_path / "values.npz", values)
    assert same(read_values(tmp_path / "values.npz"), values)


@pytest.mark.parametrize("value", [{1, 2}, object(), [np.array([None])], {"a": np.array(["b"])}])
def test_what_would_need_a_pickle_is_not_written(tmp_path, value):
    with pytest.raises(TypeError, match="cannot be written"):
        write_values(tmp_path / "values.npz", value)
