"""Strength of unmeasured confounding: published values and the identities behind them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer.relationships import bounding_factor, e_value


def test_published_e_values() -> None:
    """VanderWeele & Ding (2017): RR 3.9 (1.8, 8.7) gives 7.26 and 3.0; RR .80 gives 1.81."""
    assert [round(value, 2) for value in e_value(3.9, 1.8, 8.7)] == [7.26, 3.0]
    assert round(e_value(0.8)[0], 2) == 1.81


@given(st.floats(0.02, 50))
def test_a_confounder_of_that_strength_just_explains_the_ratio(ratio: float) -> None:
    strength, _ = e_value(ratio)
    assert bounding_factor(strength, strength) == pytest.approx(max(ratio, 1 / ratio), rel=1e-9)
    assert e_value(1 / ratio)[0] == pytest.approx(strength, rel=1e-9)


def test_an_interval_that_holds_one_needs_nothing_to_be_explained() -> None:
    assert e_value(1.3, 0.9, 1.9)[1] == 1.0
    assert math.isnan(e_value(1.3)[1])
    assert e_value(0.5, 0.3, 0.8)[1] == pytest.approx(e_value(0.8)[0])


def test_impossible_strengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ratio=0: a ratio of rates above 0"):
        e_value(0)
    with pytest.raises(ValueError, match="1 or larger are needed; take 1 / ratio"):
        bounding_factor(0.5, 2)
