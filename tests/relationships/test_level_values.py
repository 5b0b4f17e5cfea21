"""What each relationship level is worth: closed forms, truth of simulated companies, edges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import relationships
from keycustomer.lifetime import margin_multiple
from keycustomer.relationships import LEVELS, CustomerMonths, LevelValues, customer_months
from keycustomer.relationships.effects.amounts import MarginGrowth, margin_growth
from keycustomer.relationships.effects.landmarks import (
    contract_path,
    customers_now,
    landmark_months,
)
from keycustomer.relationships.effects.level_hazard import Outlook
from keycustomer.simulate import simulate_company

SIZE = {"accounts": 500, "months": 36, "seed": 2}
COSTS = (2.0, 6.0, 20.0, 72.0, 250.0)

EXACT = 1e-9
"""Sums of the same numbers in another order."""

DRAWN = 0.25
"""A standard error from 60 draws is off by a tenth of itself; by a quarter once in a hundred."""


@pytest.fixture(scope="module")
def months() -> CustomerMonths:
    return customer_months(simulate_company(**SIZE))


@pytest.fixture(scope="module")
def values(months: CustomerMonths) -> LevelValues:
    return relationships.level_values(months, COSTS)


def test_a_constant_hazard_gives_the_margin_multiple() -> None:
    """The multiple counts the first margin at once, here it is due in a month."""
    odds = np.log(0.03 / 0.97)
    outlook = Outlook(np.ones((1, 1)), np.zeros((1, 600, 0)), np.zeros((1, 1, 0)))
    staying = outlook.staying(np.array([odds]))[0, :, 0]
    assert staying[:3] == pytest.approx([1.0, 0.97, 0.97**2], rel=EXACT)
    monthly = 1.10 ** (1 / 12) - 1
    discount = (1 + monthly) ** -np.arange(1, 601)
    multiple = margin_multiple(0.97, 0.10, first_margin=True, unit="month")
    assert staying[:-1] @ discount == pytest.approx(multiple / (1 + monthly), rel=1e-6)


def test_gains_are_as_near_the_truth_as_their_draws_say(values: LevelValues) -> None:
    """Within three standard errors in one seeded company, and large where they truly are."""
    known = relationships.level_truth(SIZE, horizon=24)
    assert list(known.customers) == list(values.customers)
    gains, true = ((v[:, 1:] - v[:, :1]) for v in (values.value, known.alternatives.value))
    drawn = values.draws(100, seed=1).sum(axis=1)
    error = (drawn[:, 1:] - drawn[:, :1]).std(axis=0, ddof=1)
    assert (np.abs(gains.sum(axis=0) - true.sum(axis=0)) < 3 * error).all()
    assert (error < true.sum(axis=0)).all()
    ranks = pd.DataFrame({"estimated": gains[:, 3], "true": true[:, 3]}).corr("spearman")
    assert ranks.iloc[0, 1] > 0.4
    assert values.months.mean(axis=0) == pytest.approx(known.months.mean(axis=0), rel=0.05)


def test_closer_care_keeps_longer_brings_more_and_costs_more(values: LevelValues) -> None:
    totals = values.by_level()
    for column in ("value", "cost", "months", "staying"):
        assert (np.diff(totals[column]) > 0).all()
    assert totals["customers"].sum() == len(values) == totals["best_for"].sum()
    np.testing.assert_allclose(values.profit, values.value - values.cost)


def test_rows_are_the_customers_present_in_their_order(
    months: CustomerMonths, values: LevelValues
) -> None:
    assert values.customers.tolist() == months.present.tolist()
    last = months.frame[months.frame["number"] == 35].set_index("customer_id")
    assert values.present_level.tolist() == last.loc[values.customers, "level"].tolist()
    year = months.frame[months.frame["number"] >= 24].groupby("customer_id")["margin"].mean() * 12
    np.testing.assert_allclose(values.yearly_margin, year[values.customers])
    frame = values.to_frame()
    assert len(frame) == 5 * len(values)
    assert frame["present"].sum() == len(values)
    assert frame.query("level == 'proactive'")["value"].to_numpy() == pytest.approx(
        values.value[:, 3]
    )


def test_a_month_ahead_is_a_month_of_margin_and_cost(months: CustomerMonths) -> None:
    one = relationships.level_values(months, COSTS, horizon=1, discount_rate=0.0)
    np.testing.assert_allclose(one.months, 1.0)
    contacts = one.contacts.of(customers_now(months))
    np.testing.assert_allclose(one.cost, np.array(COSTS) + contacts)
    ratio = one.value / one.yearly_margin[:, None] * 12
    assert ((ratio > 0.8) & (ratio < 1.3)).all()


def test_longer_looks_and_lower_rates_are_worth_more(months: CustomerMonths) -> None:
    short = relationships.level_values(months, COSTS, horizon=6)
    longer = relationships.level_values(months, COSTS, horizon=12)
    patient = relationships.level_values(months, COSTS, horizon=12, discount_rate=0.0)
    assert (short.value <= longer.value).all() and (longer.value <= patient.value).all()
    assert (short.staying >= longer.staying).all()


def test_assumed_costs_are_added_as_stated(months: CustomerMonths, values: LevelValues) -> None:
    nothing = relationships.level_values(months, [0.0] * 5)
    dearer = relationships.level_values(months, COSTS, cost_per_size=0.3, serving_share=0.1)
    assert (nothing.cost < values.cost).all()
    assert (dearer.value == values.value).all()
    large = values.yearly_margin > np.quantile(values.yearly_margin, 0.9)
    assert (dearer.cost[large] > values.cost[large]).all()
    assert any("besides, 10.0% of revenue" in note for note in dearer.notes)


def test_draws_spread_by_the_standard_error_and_repeat_with_their_seed(
    values: LevelValues,
) -> None:
    drawn = values.draws(60, seed=5)
    assert drawn.shape == (60, len(values), 5)
    np.testing.assert_array_equal(drawn, values.draws(60, seed=5))
    assert drawn.std(axis=0, ddof=1).mean() == pytest.approx(
        values.standard_error.mean(), rel=DRAWN
    )
    centre = drawn.mean(axis=0).sum(axis=0)
    assert centre == pytest.approx(values.value.sum(axis=0), rel=0.05)
    told: list[tuple[int, int]] = []
    values.draws(2, progress=lambda done, total: told.append((done, total)))
    assert told == []  # short work stays silent
    with pytest.raises(ValueError, match="count=0: at least 1 draw"):
        values.draws(0)


def test_groups_by_size_are_equal_and_rise(values: LevelValues) -> None:
    table = values.by_size(4)
    first = table[table["level"] == "basic"]
    assert first["customers"].sum() == len(values)
    assert (np.diff(first["yearly_margin"]) > 0).all()
    whole = values.by_size(1)
    assert whole["value"].to_numpy() == pytest.approx(values.value.mean(axis=0))
    with pytest.raises(ValueError, match="groups=0"):
        values.by_size(0)


@settings(max_examples=30)
@given(st.integers(0, 25), st.sampled_from([0, 12, 24]), st.integers(1, 40))
def test_contracts_run_out_and_are_renewed(left: int, term: int, horizon: int) -> None:
    path = contract_path(np.array([left]), np.array([term]), horizon)[0]
    expected, now = [], left
    for _ in range(horizon):
        if left == 0 or term == 0:
            now = 0
        else:
            now = now - 1 if now - 1 >= 1 else term
            now = now if now <= term else (now - 1) % term + 1
        expected.append(now)
    assert path.tolist() == expected


def test_what_is_learned_from_was_known_when_the_stretch_began(months: CustomerMonths) -> None:
    rows = landmark_months(months)
    assert len(rows) == len(months.frame)
    assert sorted(rows["stretch"].unique()) == [0, 1, 2]
    for name in ("yearly_margin", "products", "price_plan"):
        assert rows.groupby(["customer_id", "stretch"])[name].nunique(dropna=False).max() == 1
    who = months.present[0]
    opening = months.frame.query("customer_id == @who and number == 24").iloc[0]
    own = rows[(rows["customer_id"] == who) & (rows["stretch"] == 0)].iloc[0]
    assert own["yearly_margin"] == opening["last_year_margin"]
    assert own["products"] == opening["products"]


def test_growth_is_the_last_half_year_against_the_year_before(months: CustomerMonths) -> None:
    found = margin_growth(months)
    wide = months.frame.pivot(index="customer_id", columns="number", values="margin")
    both = wide[range(12, 36)].dropna()
    expected = np.log(both[range(30, 36)].to_numpy().sum() / both[range(18, 24)].to_numpy().sum())
    assert found.common == pytest.approx(expected)
    assert found.customers == len(both)
    assert 0 < found.per_level_error < 0.03


def test_growth_fades_and_follows_the_level_given() -> None:
    growth = MarginGrowth(0.06, 0.0, 0.02, 0.0, 2.0, 100)
    factors = growth.factors(np.array([2, -1, 0]), 600)
    assert factors[0, 0] == pytest.approx(np.exp((5.5 * 0.06 + growth.yearly(np.arange(5.0))) / 12))
    assert factors[1] == pytest.approx(factors[0])
    assert (factors[2] < factors[0]).all()
    assert factors[0, -1, 2] == pytest.approx(np.exp((5.5 * 0.06 + 20 * 0.06) / 12), rel=1e-6)


def test_levels_nobody_had_follow_the_others(months: CustomerMonths) -> None:
    frame = months.frame.assign(level=months.frame["level"].clip(upper=3))
    found = relationships.level_values(replace(months, frame=frame), COSTS)
    assert any("Nobody had the level partnership" in note for note in found.notes)
    assert found.value[:, 4].sum() > found.value[:, 3].sum()


def test_what_is_not_recorded_is_told_and_costs_nothing(months: CustomerMonths) -> None:
    frame = months.frame.assign(contact_cost=np.nan)
    frame.loc[frame["customer_id"] == months.present[0], "margin"] = np.nan
    frame.loc[frame["customer_id"] == months.present[1], "level"] = -1
    found = relationships.level_values(replace(months, frame=frame), COSTS)
    assert (found.contacts.by_level == 0).all()
    assert (found.value[0] == 0).all() and np.isfinite(found.value).all()
    assert found.present_level[1] == -1
    said = " ".join(found.notes)
    assert "1 customers have no known margin" in said
    assert "36 customer-months without a known level" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level_costs": (1, 2, 3)}, "five amounts of 0 or larger, from basic to partnership"),
        ({"level_costs": (1, 2, 3, 4, np.inf)}, "five amounts of 0 or larger"),
        ({"level_costs": (1, 2, 3, 4, -5)}, "five amounts of 0 or larger"),
        ({"horizon": 0}, "horizon=0: a whole number of 1 to 240"),
        ({"horizon": 2.5}, r"horizon=2\.5: a whole number"),
        ({"discount_rate": 10}, "discount_rate=10: a share a year"),
        ({"serving_share": 2}, "serving_share=2: a share of revenue"),
        ({"cost_per_size": 9}, "cost_per_size=9: a number of -2 to 2"),
    ],
)
def test_wrong_assumptions_are_named(months: CustomerMonths, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        relationships.level_values(months, **({"level_costs": COSTS} | change))


def test_a_panel_that_cannot_tell_is_refused_with_the_reason(months: CustomerMonths) -> None:
    with pytest.raises(TypeError, match="months: a CustomerMonths is needed, got DataFrame"):
        relationships.level_values(months.frame, COSTS)
    stayed = replace(months, frame=months.frame.assign(left=False))
    with pytest.raises(ValueError, match="0 customers with a known level left, and 30 are needed"):
        relationships.level_values(stayed, COSTS)
    alike = replace(months, frame=months.frame.assign(level=1))
    with pytest.raises(ValueError, match="all have the level 'reactive'"):
        relationships.level_values(alike, COSTS)
    free = replace(months, frame=months.frame.assign(margin=np.nan))
    with pytest.raises(ValueError, match=r"no margin is known.*assumed margin in the case file"):
        relationships.level_values(free, COSTS)
    with pytest.raises(ValueError, match="nobody is a customer at the end"):
        relationships.level_values(replace(months, present=months.present[:0]), COSTS)


def test_the_report_says_what_is_assumed(values: LevelValues) -> None:
    page = values._repr_html_()
    assert "assumed, not measured" in page and "partnership 250" in page
    assert "renewed at their term" in page
    terms = values.hazard.to_frame()
    assert {"level", *(f"level {name}" for name in LEVELS[1:])} <= set(terms["term"])
    assert len(values.hazard.columns) == len(values.hazard.regression.coefficients)
