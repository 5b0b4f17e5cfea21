"""Carry-over of contacts: closed forms, gaps, and what the factor means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships.service.carry_over import carried, carry_factor

ROUNDING = 1e-12


def test_half_is_left_after_the_half_life():
    assert carry_factor(3) ** 3 == pytest.approx(0.5)
    assert carry_factor(0) == 0.0
    for wrong in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="months, 0 or larger"):
            carry_factor(wrong)


def test_a_steady_flow_comes_to_its_geometric_sum():
    n = 200
    stock = carried(np.ones(n), np.zeros(n, dtype=int), np.arange(n), 0.8)
    assert stock[-1] == pytest.approx(1 / (1 - 0.8))
    np.testing.assert_allclose(stock[:3], [1, 1.8, 2.44])


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 8), st.floats(0, 5)), min_size=1, max_size=25
    ),
    st.floats(0, 1),
)
def test_every_row_counts_what_came_before_at_its_age(rows, factor):
    once = {(who, when): value for who, when, value in rows}
    customer, number = (np.array(part) for part in zip(*once, strict=True))
    values = np.array(list(once.values()))
    stock = carried(values, customer, number, factor)
    for k in range(len(values)):
        own = (customer == customer[k]) & (number <= number[k])
        ages = number[k] - number[own]
        assert stock[k] == pytest.approx(float((values[own] * factor**ages).sum()), abs=ROUNDING)


def test_columns_are_carried_each_on_its_own_and_nothing_is_changed():
    values = np.array([[1.0, 0.0], [0.0, 2.0]])
    kept = values.copy()
    stock = carried(values, np.array([0, 0]), np.array([0, 2]), 0.5)
    np.testing.assert_array_equal(stock, [[1, 0], [0.25, 2]])
    np.testing.assert_array_equal(values, kept)
    assert carried(np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int), 0.5).shape == (0,)
