import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vlmrm.epic import canonical_shaping, epic_distance, pearson_distance, tabulate

from .strategies import offsets, quick, scales, varied

S, A = 4, 2
tables = varied((S, A, S))
distributions = arrays(np.float64, S, elements=st.floats(0.05, 1))
discounts = st.floats(0, 1)


def shape(table, potential, discount):
    return table + discount * potential - potential[:, None, None]


@quick
@given(tables, distributions, discounts)
def test_canonical_shaping_follows_the_definition(table, weights, discount):
    p = weights / weights.sum()
    expected = np.empty_like(table)
    for s, a, t in np.ndindex(table.shape):
        expected[s, a, t] = table[s, a, t] + sum(
            p[u]
            * p[v]
            / A
            * (discount * table[t, b, v] - table[s, b, v] - discount * table[u, b, v])
            for u, b, v in np.ndindex(table.shape)
        )
    shaped = canonical_shaping(table, discount, weights)
    np.testing.assert_allclose(shaped, expected, atol=1e-9)


@quick
@given(tables, varied(S), distributions, discounts)
def test_canonical_shaping_removes_potentials(table, potential, weights, discount):
    shaped = canonical_shaping(shape(table, potential, discount), discount, weights)
    expected = canonical_shaping(table, discount, weights)
    np.testing.assert_allclose(shaped, expected, atol=1e-9)


@quick
@given(tables, tables, varied(S), scales, offsets, distributions, discounts)
def test_epic_ignores_shaping_and_positive_scale(
    first, second, potential, scale, offset, weights, discount
):
    for table in (first, second):
        assume(np.ptp(canonical_shaping(table, discount, weights)) > 0.1)

    def distance(x, y):
        return epic_distance(x, y, discount, state_weights=weights)

    original = distance(first, second)
    assert 0 <= original <= 1
    assert distance(second, first) == pytest.approx(original, abs=1e-12)
    changed = shape(scale * first + offset, scale * potential, discount)
    assert distance(changed, second) == pytest.approx(original, abs=1e-6)
    assert distance(changed, first) == pytest.approx(0, abs=1e-6)
    assert distance(-changed, first) == pytest.approx(1, abs=1e-6)


def test_without_canonical_shaping_a_potential_would_matter(rng):
    table, potential = rng.normal(size=(S, A, S)), 5 * rng.normal(size=S)
    shaped = shape(table, potential, 0.9)
    assert pearson_distance(table, shaped) > 0.2
    assert epic_distance(table, shaped, 0.9) == pytest.approx(0, abs=1e-9)


@quick
@given(varied(S), varied(S), distributions, discounts)
def test_rewards_of_the_next_state_need_no_shaping(x, y, weights, discount):
    first, second = (np.broadcast_to(r, (S, A, S)) for r in (x, y))
    expected = pearson_distance(x, y, weights)
    found = epic_distance(first, second, discount, state_weights=weights)
    assert found == pytest.approx(expected, abs=1e-9)


def test_transition_weights_say_where_rewards_are_compared(rng):
    first, second = rng.normal(size=(2, S, A, S))
    covered = np.zeros((S, A, S))
    covered[0, 1, :] = 1
    shaped = [canonical_shaping(table, 0.9)[0, 1] for table in (first, second)]
    found = epic_distance(first, second, 0.9, transition_weights=covered)
    assert found == pytest.approx(pearson_distance(*shaped), abs=1e-12)


def test_tabulate_evaluates_every_transition():
    states, actions = np.array([[1.0, 10], [2, 20], [3, 30]]), np.array([0.1, 0.2])
    table = tabulate(lambda s, a, t: 100 * s[:, 0] + a + t[:, 1], states, actions)
    assert table.shape == (3, 2, 3)
    assert table[1, 0, 2] == pytest.approx(200 + 0.1 + 30)
    assert table[2, 1, 0] == pytest.approx(300 + 0.2 + 10)


def test_epic_of_callables(rng):
    states, actions = rng.normal(size=(6, 2)), rng.normal(size=3)

    def sparse(s, a, t):
        return (t[:, 0] > 0) - 0.1 * a**2

    def shaped(s, a, t):
        return 3 * (sparse(s, a, t) + 0.9 * t[:, 1] - s[:, 1])

    first, second = (tabulate(r, states, actions) for r in (sparse, shaped))
    assert epic_distance(first, second, 0.9) == pytest.approx(0, abs=1e-9)
    assert epic_distance(first, second, 0.5) > 0.01


@pytest.mark.parametrize(
    ("table", "discount", "weights", "message"),
    [
        (np.zeros((2, 3)), 0.9, None, "shape"),
        (np.zeros((2, 1, 3)), 0.9, None, "shape"),
        (np.full((2, 1, 2), np.nan), 0.9, None, "NaN"),
        (np.zeros((2, 1, 2)), 1.1, None, "discount"),
        (np.zeros((2, 1, 2)), np.nan, None, "discount"),
        (np.zeros((2, 1, 2)), 0.9, [1, -1], "negative"),
        (np.zeros((2, 1, 2)), 0.9, [1, 1, 1], "weights have shape"),
    ],
)
def test_canonical_shaping_refuses(table, discount, weights, message):
    with pytest.raises(ValueError, match=message):
        canonical_shaping(table, discount, weights)


@pytest.mark.parametrize("scale", [0, 1e-3, 1e3])
def test_mere_shaping_is_refused(rng, scale):
    nothing = shape(np.zeros((S, A, S)), scale * rng.normal(size=S), 0.9)
    with pytest.raises(ValueError, match="second is constant after canonical shaping"):
        epic_distance(rng.normal(size=(S, A, S)), nothing, 0.9)
