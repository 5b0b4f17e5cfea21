"""RFM scores with ties, and a rule table that covers every cell once."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import pareto
from keycustomer.pareto import RFM_RULES, SegmentRule


def base(days, orders, revenue=None):
    n = len(days)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:03d}" for i in range(n)],
            "days": days,
            "orders": orders,
            "revenue": [float(o) for o in orders] if revenue is None else revenue,
        }
    )


def score(frame, **options):
    return pareto.rfm_scores(frame, recency="days", **options)


def test_rules_cover_every_cell_exactly_once():
    cover = pareto.rfm_cover()
    assert len(cover) == 125
    for r, f, m in product(range(1, 6), repeat=3):
        assert sum(rule.covers(r, f, m) for rule in RFM_RULES) == 1
    assert set(cover["segment"]) == {rule.segment for rule in RFM_RULES}


def test_gaps_overlaps_and_repeated_names_are_all_named():
    first, *rest = RFM_RULES
    with pytest.raises(ValueError, match=r"8 cells belong to no segment, first \[\(4, 4, 4\)"):
        pareto.rfm_cover(rest)
    with pytest.raises(ValueError, match=r"8 cells belong to several, first \[\(\(4, 4, 4\)"):
        pareto.rfm_cover([*RFM_RULES, replace(first, segment="twins")])
    with pytest.raises(ValueError, match=r"belong to several.*segment names used twice: champions"):
        pareto.rfm_cover([*RFM_RULES, first])
    with pytest.raises(ValueError, match="segment names used twice: never bought"):
        pareto.rfm_cover([SegmentRule("never bought", (1, 5), (1, 5))])


def test_distinct_customers_fill_every_score_equally():
    result = score(base(range(100), range(1, 101)))
    for letter in "rfm":
        assert result[letter].value_counts().tolist() == [20] * 5
    assert result["r"].iloc[[0, -1]].tolist() == [5, 1]  # no days since the last order is best
    assert result["f"].iloc[[0, -1]].tolist() == [1, 5]


scorings = st.sampled_from(["midrank", "lowest"])


@given(st.lists(st.integers(1, 6), min_size=1, max_size=60), scorings)
@settings(max_examples=100, deadline=None)
def test_equal_customers_have_equal_scores_and_better_ones_no_less(orders, scoring):
    result = score(base([1] * len(orders), orders), scoring=scoring)
    by_orders = result.groupby("frequency")["f"]
    assert (by_orders.nunique() == 1).all()
    assert by_orders.first().is_monotonic_increasing
    assert result["f"].between(1, 5).all()
    assert result["r"].nunique() == 1


def test_ties_do_not_collapse_scores():
    orders = [1] * 60 + [2] * 20 + [3] * 10 + [9] * 10
    middle = score(base([1] * 100, orders))
    assert middle.groupby("frequency")["f"].first().tolist() == [2, 4, 5, 5]
    assert middle.attrs["empty_scores"]["f"] == [1, 3]
    lowest = score(base([1] * 100, orders), scoring={"frequency": "lowest"})
    assert lowest.groupby("frequency")["f"].first().tolist() == [1, 4, 5, 5]


def test_fixed_thresholds_mean_the_same_everywhere():
    scoring = {"frequency": (2, 3, 5, 9), "recency": (7, 30, 90, 365)}
    result = score(base([0, 7, 8, 366], [1, 2, 4, 9]), scoring=scoring)
    assert result["f"].tolist() == [1, 2, 3, 5]
    assert result["r"].tolist() == [5, 5, 4, 1]


def test_recency_is_the_time_since_the_last_order():
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "T": [100.0, 50.0],
            "recency": [90.0, 0.0],
            "orders": [4, 1],
            "revenue": [9.0, 1.0],
        }
    )
    assert pareto.rfm_scores(frame)["days_since"].tolist() == [10, 50]


def test_customers_who_never_bought_have_their_own_segment():
    frame = base([3, np.nan], [2, 0])
    segments = pareto.rfm_segments(score(frame))
    assert segments.customers["segment"].tolist()[1] == "never bought"
    assert segments.customers[["r", "f", "m"]].iloc[1].tolist() == [0, 0, 0]
    assert segments.summary["customers"].sum() == 2


def test_no_segment_is_lost_and_empty_ones_are_reported():
    segments = pareto.rfm_segments(score(base(range(10), [1] * 10)))
    assert segments.summary["segment"].tolist() == [rule.segment for rule in RFM_RULES]
    assert segments.summary["customers"].sum() == 10
    assert "champions" in segments.empty
    assert len(segments.empty) == (segments.summary["customers"] == 0).sum()
    assert "Empty: champions" in segments._repr_html_()
    assert segments.cells["customers"].sum() == 10
    assert len(segments.cells) == 25


def test_messages_name_the_choices():
    frame = base([1, 2], [1, 2])
    with pytest.raises(ValueError, match="scoring of recency='quartile' is not known; 'midrank', "):
        score(frame, scoring="quartile")
    with pytest.raises(ValueError, match="thresholds of frequency must be 4 rising numbers for 5"):
        score(frame, scoring={"frequency": (3, 2, 1, 0)})
    with pytest.raises(ValueError, match=r"scoring: \['orders'\] not known; use recency, "):
        score(frame, scoring={"orders": "midrank"})
    with pytest.raises(KeyError, match="the table has no column 'T'; it has 'customer_id'"):
        pareto.rfm_scores(frame)
    with pytest.raises(
        ValueError, match="no customer has orders above zero: there is nobody to score"
    ):
        score(base([1], [0]))
    with pytest.raises(ValueError, match="2 customers have scores outside 1 to 3; score with"):
        three = [SegmentRule("all", (1, 3), (1, 3), (1, 3))]
        pareto.rfm_segments(score(base([1, 2], [1, 2]), scoring=(5, 6, 7, 8)), three, scores=3)
    with pytest.raises(ValueError, match="recency cannot be measured: 1 value is not known"):
        score(base([1, np.nan], [1, 1]))
