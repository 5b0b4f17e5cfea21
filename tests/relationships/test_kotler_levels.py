"""Kotler's table: the nine cells, the cut-offs, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships import (
    LEVELS,
    kotler_level,
    kotler_levels,
    kotler_table,
)

PUBLISHED = [
    ["accountable", "reactive", "basic"],
    ["proactive", "accountable", "reactive"],
    ["partnership", "proactive", "accountable"],
]
"""Kotler & Keller, rows many, medium, few customers, columns high, medium, low margin."""


def customers(margins, **columns):
    ids = [f"c{n:03d}" for n in range(len(margins))]
    return pd.DataFrame({"customer_id": ids, "margin": margins} | columns)


def test_the_table_is_kotlers():
    table = kotler_table()
    assert table.to_numpy().tolist() == PUBLISHED
    assert list(table.index) == ["many", "medium", "few"]
    assert list(table.columns) == ["high", "medium", "low"]


def test_a_step_to_fewer_customers_or_fatter_margin_raises_the_level_by_one():
    codes = np.vectorize(LEVELS.index)(kotler_table().to_numpy())
    assert (np.diff(codes, axis=0) == 1).all() and (np.diff(codes, axis=1) == -1).all()


def test_twenty_customers_by_hand():
    """1 customer is the top 5 %, 3 the next 15 %; thirds of 1..20 lie at 22/3 and 41/3."""
    found = kotler_levels(customers(np.arange(1.0, 21.0)))
    levels = found.frame.set_index("margin")["level"]
    assert levels[20.0] == "partnership"
    assert set(levels[[17.0, 18.0, 19.0]]) == {"proactive"}
    assert set(levels[[14.0, 15.0, 16.0]]) == {"accountable"}
    assert set(levels[[8.0, 13.0]]) == {"reactive"} and set(levels[[1.0, 7.0]]) == {"basic"}
    assert found.margin_cuts == pytest.approx((1 + 19 / 3, 1 + 38 / 3))
    assert found.groups["number"].tolist() == ["few", "medium", "many"]
    assert found.shares["customers"].tolist() == [7, 6, 3, 3, 1]
    assert found.counts.loc["many"].tolist() == [3, 6, 7]
    assert found.codes["c019"] == 4


def test_a_cut_off_belongs_to_the_better_class():
    table = customers([1.0, 2.0, 3.0, 4.0], tier=["a", "a", "b", "b"])
    found = kotler_levels(table, group="tier", number_cuts=(0.1, 0.5), margin_cuts=(2.0, 3.0))
    assert found.frame["number"].tolist() == ["many"] * 4
    assert found.frame["margin_class"].tolist() == ["low", "medium", "high", "high"]
    few = kotler_levels(table, group="tier", number_cuts=(0.5, 0.6), margin_cuts=(2.0, 3.0))
    assert few.frame["level"].tolist() == ["accountable", "proactive", "partnership", "partnership"]


def test_the_margin_of_the_class_decides_where_asked():
    table = customers([0.0, 10.0, 4.0, 4.0], segment=["a", "a", "b", "b"])
    arguments = {"group": "segment", "margin_cuts": (4.5, 6.0)}
    own = kotler_levels(table, **arguments)
    mean = kotler_levels(table, margin_of="group", **arguments)
    assert own.frame["margin_class"].tolist() == ["low", "high", "low", "low"]
    assert mean.frame["margin_class"].tolist() == ["medium", "medium", "low", "low"]
    assert mean.frame["margin"].tolist() == [5.0, 5.0, 4.0, 4.0]


def test_customers_may_be_ranked_by_one_measure_and_judged_by_another():
    """Who is large but earns little is few with a low margin: accountable, not partnership."""
    rate = [0.1, *[0.5] * 19]
    found = kotler_levels(
        customers(rate, revenue=np.arange(20.0, 0.0, -1)), rank_by="revenue", margin_cuts=(0.2, 0.4)
    )
    assert found.frame["level"].iloc[0] == "accountable"
    assert "rank by revenue" in found.rule


@settings(max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60), st.randoms())
def test_more_margin_never_gets_a_lower_level_and_order_does_not_matter(margins, random):
    table = customers(margins)
    found = kotler_levels(table).codes
    ranked = table.set_index("customer_id")["margin"].sort_values()
    codes = found[ranked.index].to_numpy()
    rises = np.diff(ranked.to_numpy()) > 0
    assert (np.diff(codes)[rises] >= 0).all()
    rows = list(range(len(table)))
    random.shuffle(rows)
    again = kotler_levels(table.iloc[rows]).codes
    assert again.sort_index().equals(found.sort_index())


def test_a_single_customer_has_a_level():
    found = kotler_levels(customers([5.0]))
    assert found.frame["number"].tolist() == ["many"] and len(found.frame) == 1


def test_the_frame_given_is_left_as_it_is():
    table = customers([3.0, 1.0, 2.0])
    before = table.copy()
    shown = kotler_levels(table).to_frame()
    shown.loc[0, "level"] = "changed"
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("columns", "arguments", "error", "said"),
    [
        ({}, {"margin": "margn"}, KeyError, "no column 'margn'.*did you mean 'margin'"),
        ({"tier": ["a", None]}, {"group": "tier"}, ValueError, "1 customer, first 'c001'"),
        ({}, {"margin_cuts": (3.0, 1.0)}, ValueError, "two rising margins"),
        ({}, {"number_cuts": (0.6, 0.5)}, ValueError, "two rising shares"),
        ({}, {"group_shares": (0.5, 0.5)}, ValueError, "leave a rest"),
        ({}, {"margin_of": "segment"}, ValueError, "'customer' or 'group'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_cure(columns, arguments, error, said):
    with pytest.raises(error, match=said):
        kotler_levels(customers([1.0, 2.0], **columns), **arguments)


def test_hostile_tables_are_refused_by_name():
    with pytest.raises(ValueError, match="repeated: 'a'"):
        kotler_levels(pd.DataFrame({"customer_id": ["a", "a"], "margin": [1.0, 2.0]}))
    with pytest.raises(ValueError, match=r"1 value is not known \(NaN\).*'c001'"):
        kotler_levels(customers([1.0, np.nan]))
    with pytest.raises(ValueError, match="infinite"):
        kotler_levels(customers([1.0, np.inf]))
    with pytest.raises(ValueError, match="there is no customer"):
        kotler_levels(customers([]))
    with pytest.raises(KeyError, match="number is one of many, medium, few"):
        kotler_level("lots", "high")


def test_names_from_data_are_escaped():
    table = customers([1.0, 2.0], tier=["<b>", "x"])
    shown = kotler_levels(table, group="tier")._repr_html_()
    assert "<b>" not in shown and "&lt;b&gt;" in shown
