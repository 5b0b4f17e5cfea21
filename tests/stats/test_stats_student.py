"""Quantiles of Student's t against the printed table."""

import math

import pytest
from keycustomer.stats.student import student_quantile

PRINTED = 5e-4
"""The table has three decimals."""


@pytest.mark.parametrize(
    ("level", "freedom", "printed"), [(0.95, 1, 12.706), (0.95, 4, 2.776), (0.90, 30, 1.697)]
)
def test_quantiles_are_those_of_the_table(level: float, freedom: int, printed: float) -> None:
    assert student_quantile(level, freedom) == pytest.approx(printed, abs=PRINTED)


def test_without_a_degree_of_freedom_there_is_none() -> None:
    assert math.isnan(student_quantile(0.95, 0))
