"""The figure of the realism report places every moment, and tells what it shows."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from keycustomer.plots import description, realism_map
from keycustomer.realism import RealismReport, RealSet
from keycustomer.realism.comparison import judge_moment


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def report(values: dict[str, float], real: dict[str, float]) -> RealismReport:
    sets = [RealSet("grocer & $on", "spend", "none", 10, real)]
    rows = [judge_moment(name, value, sets) for name, value in values.items()]
    return RealismReport(pd.DataFrame(rows), tuple(sets), ())


def test_title_counts_what_lies_within() -> None:
    result = report({"gini": 0.60, "top_20": 0.95, "top_1": 0.1}, {"gini": 0.55, "top_20": 0.5})
    ax = realism_map(result)
    assert "1 of 2 moments" in " ".join(ax.get_title(loc="left").split())
    told = description(ax)
    assert "simulated" in told and "grocer & $on 0.5, departs" in told
    assert len(ax.get_yticklabels()) == 2


def test_far_moments_stand_at_the_edge() -> None:
    ax = realism_map(report({"gini": 9.0, "top_20": -9.0}, {"gini": 0.5, "top_20": 0.5}))
    markers = {line.get_marker() for line in ax.get_lines()}
    assert {">", "<"} <= markers
    low, high = ax.get_xlim()
    assert all(low <= x <= high for line in ax.get_lines() for x in line.get_xdata())


def test_a_report_without_real_sets_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="no moment was compared; install the real sets"):
        realism_map(report({"gini": 0.5}, {}))
