"""Winning and keeping: response curves, best spending, the equal-margin property, budgets."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import relationships
from keycustomer.relationships import (
    ExponentialResponse,
    attracting_against_keeping,
    best_spending,
    calibrate_response,
    cost_by_level,
    fit_response,
    share_budget,
    spending_plan,
)
from scipy.optimize import minimize, minimize_scalar

ROUNDING = 1e-9
SEARCH = 1e-6  # an optimiser that only sees values stops at the root of the machine precision
COVERED = 0.8  # percentiles of 40 draws hold 92 %; 24 or more of 30 intervals hold nearly always

rates = st.floats(0.05, 0.95)


@st.composite
def responses(draw):
    """Curves of any floor, ceiling and steepness that a firm could meet."""
    floor = draw(st.sampled_from([0.0, 0.0, 0.3, 0.8]))
    ceiling = floor + (1 - floor) * draw(rates)
    return ExponentialResponse(ceiling, draw(st.floats(0.005, 0.5)), floor)


def simulated_value(plan, periods=4_000):
    """Lifetime value by adding up period after period: the margin, less spending due with it."""
    factor = 1 / (1 + plan.discount_rate)
    there = plan.retention_rate ** np.arange(periods)
    margins = plan.margin * there * factor ** np.arange(periods)
    spent = plan.retention_spending * there * factor ** np.arange(1, periods + 1)
    return float((margins - spent).sum())


def test_a_curve_goes_through_the_point_it_was_drawn_through():
    curve = calibrate_response(5, 0.20, 0.40)
    assert curve.steepness == pytest.approx(-math.log(1 - 0.20 / 0.40) / 5, rel=ROUNDING)
    assert curve.rate(5) == pytest.approx(0.20, rel=ROUNDING)
    assert curve.rate([0, 10]).tolist() == pytest.approx([0, 0.30])
    assert curve.spending_for([0.0, 0.20]).tolist() == pytest.approx([0, 5])
    assert math.isinf(curve.spending_for(0.40)) and math.isnan(curve.spending_for(0.41))
    assert curve.to_frame(10, 3)["rate"].tolist() == pytest.approx([0, 0.2, 0.3])
    assert "0.0% without spending to 40.0% at most" in curve._repr_html_()


@settings(max_examples=40)
@given(responses(), st.floats(0, 60))
def test_marginal_cost_is_what_a_little_more_costs(curve, spending):
    step = 1e-5
    more = (curve.rate(spending + step) - curve.rate(spending)) / step
    if more > 1e-7:  # below, the difference of two rates has no digits left
        assert curve.marginal_cost(spending) == pytest.approx(1 / more, rel=1e-3)
        assert curve.spending_at(curve.marginal_cost(spending)) == pytest.approx(spending, abs=1e-6)
    assert curve.marginal_cost(spending) >= curve.first_cost * (1 - ROUNDING)
    assert curve.average_cost(spending, beyond_floor=True) <= curve.marginal_cost(spending) * (
        1 + ROUNDING
    )


def test_the_first_customer_costs_least():
    curve = ExponentialResponse(0.9, 0.1, 0.6)
    assert curve.first_cost == pytest.approx(1 / 0.03)
    assert curve.average_cost(0, beyond_floor=True) == pytest.approx(curve.first_cost)
    assert curve.average_cost(0) == 0  # those of the floor came for nothing
    assert curve.spending_at([0.0, curve.first_cost / 2]).tolist() == [0, 0]
    assert math.isinf(curve.marginal_cost(1e5))


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 500), responses(), responses(), st.floats(0.01, 0.4))
def test_at_the_best_spending_winning_and_keeping_cost_what_a_customer_is_worth(
    margin, acquisition, retention, rate
):
    best = best_spending(margin, acquisition, retention, discount_rate=rate)
    worth = best.lifetime_value
    for spent, marginal in (
        (best.acquisition_spending, best.marginal_acquisition_cost),
        (best.retention_spending, best.marginal_retention_cost),
    ):
        if spent > 0:
            assert marginal == pytest.approx(worth, rel=SEARCH)
        else:  # nothing is spent only where the first customer costs more than it is worth
            assert marginal >= worth * (1 - SEARCH)
    if best.acquisition_spending > 0 and best.retention_spending > 0:
        assert best.equal_margin_gap == pytest.approx(0, abs=SEARCH)


@settings(max_examples=25, deadline=None)
@given(st.floats(5, 300), responses(), responses(), st.floats(0.05, 0.3))
def test_no_spending_does_better_than_the_best(margin, acquisition, retention, rate):
    best = best_spending(margin, acquisition, retention, discount_rate=rate)

    def worth(point):
        plan = spending_plan(
            margin,
            acquisition,
            retention,
            acquisition_spending=abs(point[0]),
            retention_spending=abs(point[1]),
            discount_rate=rate,
        )
        return plan.customer_equity

    most = best.customer_equity
    for around in (0.0, 0.5, 0.9, 1.1, 2.0):
        assert worth([around * best.acquisition_spending, best.retention_spending]) <= most + 1e-9
        assert worth([best.acquisition_spending, around * best.retention_spending]) <= most + 1e-9
    start = [best.acquisition_spending + 1, best.retention_spending + 1]
    found = minimize(lambda point: -worth(point), start, method="Nelder-Mead")
    assert -found.fun <= most + SEARCH * max(1, abs(most))


def test_the_lifetime_value_is_the_sum_of_its_periods():
    acquisition, retention = calibrate_response(5, 0.2, 0.4), calibrate_response(10, 0.4, 0.7)
    plan = spending_plan(
        50,
        acquisition,
        retention,
        acquisition_spending=5,
        retention_spending=10,
        discount_rate=0.15,
    )
    assert plan.lifetime_value == pytest.approx(simulated_value(plan), rel=ROUNDING)
    # Blattberg & Deighton write the same as m + (m - R / r) r' / (1 - r'), r' = r / (1 + d)
    discounted = 0.4 / 1.15
    written = 50 + (50 - 10 / 0.4) * discounted / (1 - discounted)
    assert plan.lifetime_value == pytest.approx(written, rel=ROUNDING)
    assert plan.customer_equity == pytest.approx(0.2 * written - 5, rel=ROUNDING)
    assert plan.to_frame()["of"].tolist() == ["winning", "keeping"]
    assert "Equal-margin gap" in plan._repr_html_()


def test_a_month_is_discounted_as_a_month():
    curve = ExponentialResponse(0.99, 0.1, 0.9)
    plan = spending_plan(
        10, curve, curve, acquisition_spending=1, retention_spending=1, unit="month"
    )
    factor = 1.1 ** (-1 / 12)
    value = (10 - factor) / (1 - factor * plan.retention_rate)
    assert plan.lifetime_value == pytest.approx(value, rel=ROUNDING)


def test_average_and_marginal_costs_can_point_apart():
    """Winning costs twice as much on average and a quarter as much at the margin."""
    acquisition = calibrate_response(5, 0.20, 0.40)
    retention = calibrate_response(10, 0.85, 0.95, floor=0.75)
    plan = spending_plan(100, acquisition, retention, acquisition_spending=5, retention_spending=10)
    compared = attracting_against_keeping(plan)
    assert compared.average_ratio == pytest.approx(25 / (10 / 0.85))
    assert compared.marginal_ratio == pytest.approx(0.25)  # half of both reaches is used up
    assert compared.move == "winning" and plan.equal_margin_gap < 0
    assert "the next unit of currency does more for winning" in compared.reading
    kept = compared.to_frame().set_index("of").loc["keeping"]
    assert kept["average_beyond_floor"] == pytest.approx(100)  # 10 a head keeps 10 more of 100
    assert "winning" in compared._repr_html_()


def test_at_the_best_spending_there_is_nothing_to_move():
    curve = calibrate_response(5, 0.2, 0.4)
    best = attracting_against_keeping(best_spending(100, curve, calibrate_response(10, 0.4, 0.7)))
    assert best.move == "neither" and best.marginal_ratio == pytest.approx(1)
    dear = ExponentialResponse(0.5, 1e-3)
    lost = spending_plan(1, dear, dear, acquisition_spending=1, retention_spending=1)
    assert attracting_against_keeping(lost).move == "neither"
    wasted = spending_plan(100, curve, dear, acquisition_spending=60, retention_spending=0)
    assert attracting_against_keeping(wasted).move == "neither"
    shy = spending_plan(
        100, curve, calibrate_response(1, 0.4, 0.7), acquisition_spending=30, retention_spending=1
    )
    assert attracting_against_keeping(shy).move == "keeping"


# -- one budget --------------------------------------------------------------------------------


def test_a_shared_budget_costs_the_same_at_the_margin_everywhere():
    groups = {
        "prospects": calibrate_response(5, 0.2, 0.4),
        "small": ExponentialResponse(0.9, 0.05, 0.7),
        "large": ExponentialResponse(0.95, 0.002, 0.6),
    }
    people = {"prospects": 2_000, "small": 500, "large": 40}
    shared = share_budget(groups, people, 20_000)
    frame = shared.frame.set_index("group")
    assert frame["total"].sum() == pytest.approx(20_000, rel=SEARCH)
    paid = frame["spending"] > 0
    assert frame.loc[paid, "marginal_cost"].tolist() == pytest.approx(
        [shared.marginal_cost] * paid.sum(), rel=SEARCH
    )
    assert (frame.loc[~paid, "marginal_cost"] >= shared.marginal_cost).all() and not paid.all()
    assert "20,000.00" in shared._repr_html_() and shared.to_frame() is not shared.frame


def test_no_other_split_of_the_budget_wins_more():
    groups = {"a": ExponentialResponse(0.4, 0.1), "b": ExponentialResponse(0.9, 0.03, 0.5)}
    people, worth = {"a": 300, "b": 100}, {"a": 1.0, "b": 4.0}
    shared = share_budget(groups, people, 4_000, worth=worth)

    def won(first):
        spent = {"a": first / 300, "b": (4_000 - first) / 100}
        return sum(people[k] * worth[k] * groups[k].rate(spent[k]) for k in groups)

    found = minimize_scalar(lambda x: -won(x), bounds=(0, 4_000), method="bounded")
    own = (shared.frame["won"] * shared.frame["worth"]).sum()
    assert own == pytest.approx(-found.fun, rel=SEARCH)
    assert shared.frame["total"].iloc[0] == pytest.approx(found.x, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": 0}, "budget=0 must be a finite amount above 0"),
        ({"people": {"a": 5}}, "people: groups must be those of responses .*missing: b"),
        ({"people": {"a": 5, "b": 1, "c": 1}}, "unknown: c"),
        ({"people": {"a": 5, "b": 0}}, r"people\['b'\]=0 must be finite and above 0"),
        ({"responses": {}}, "no group given"),
        ({"worth": {"a": 1, "b": -1}}, r"worth\['b'\]=-1"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(change, message):
    curve = ExponentialResponse(0.4, 0.1)
    given_ = {"responses": {"a": curve, "b": curve}, "people": {"a": 5, "b": 5}, "budget": 10}
    with pytest.raises(ValueError, match=message):
        share_budget(**given_ | change)


# -- curves from counts ------------------------------------------------------------------------

SPENDINGS = np.array([0.0, 3.0, 6.0, 12.0, 25.0])
TRUE = ExponentialResponse(0.5, 0.1, 0.1)


def counts(seed, people=2_000):
    generator = np.random.default_rng(seed)
    won = generator.binomial(people, TRUE.rate(SPENDINGS))
    return pd.DataFrame({"spending": SPENDINGS, "people": people, "successes": won})


def test_intervals_hold_the_true_curve():
    held = []
    for seed in range(10):
        fitted = fit_response(counts(seed), draws=40, seed=seed)
        for name in ("ceiling", "floor", "steepness"):
            one, truth = getattr(fitted, name), getattr(TRUE, name)
            held.append(one.lower <= truth <= one.upper)
    assert np.mean(held) > COVERED


def test_a_curve_without_noise_is_found():
    exact = counts(0, people=1_000_000)
    exact["successes"] = (1_000_000 * TRUE.rate(SPENDINGS)).round()
    fitted = fit_response(exact, draws=0)
    found = fitted.response
    assert [found.ceiling, found.steepness, found.floor] == pytest.approx([0.5, 0.1, 0.1], rel=1e-3)
    assert fitted.misfit > 0.9 and math.isnan(fitted.ceiling.lower)
    known = fit_response(exact, floor=0.1, draws=0)
    assert known.response.ceiling == pytest.approx(0.5, rel=1e-3)
    assert known.floor.method == "no interval: given"


def test_a_ceiling_far_beyond_what_was_tried_is_hardly_known():
    narrow = counts(3).query("spending <= 6")
    far = fit_response(narrow, draws=60).ceiling
    near = fit_response(counts(3), draws=60).ceiling
    assert far.upper - far.lower > 4 * (near.upper - near.lower)


def test_rows_of_one_spending_are_added_up():
    whole = counts(1)
    halves = pd.concat([whole.assign(people=1_000, successes=whole["successes"] // 2)] * 2)
    fitted = fit_response(halves, draws=2)
    assert fitted.cells["people"].tolist() == [2_000] * 5
    assert "like is compared" in fitted._repr_html_() and len(fitted.to_frame()) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="people"), "column 'people' is missing"),
        (lambda t: t.assign(successes=9_999), "5 rows are no counts, first at 0, 1, 2"),
        (lambda t: t.assign(spending=-1.0), "spending must be an amount of at least 0"),
        (lambda t: t.assign(people=0.5), "people a whole number above 0"),
        (lambda t: t.head(2), "2 different spendings are too few"),
        (lambda t: t.assign(successes=0), "nobody was won or kept"),
    ],
)
def test_counts_that_make_no_curve_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fit_response(change(counts(0)))


# -- what is refused ---------------------------------------------------------------------------

CURVE = ExponentialResponse(0.4, 0.1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ExponentialResponse(40, 0.1), ValueError, "40 % is ceiling=0.4"),
        (lambda: ExponentialResponse(0.4, 0.1, 0.4), ValueError, "must lie below ceiling=0.4"),
        (lambda: ExponentialResponse(0.4, 0.0), ValueError, "steepness=0.0 must be a finite"),
        (lambda: CURVE.rate(-1), ValueError, "-1 is no amount"),
        (lambda: CURVE.rate(math.nan), ValueError, "nan is no amount"),
        (lambda: calibrate_response(5, 0.4, 0.4), ValueError, "must lie between floor=0.0 and"),
        (lambda: calibrate_response(0, 0.2, 0.4), ValueError, "spending=0 must be an amount above"),
        (lambda: best_spending(0, CURVE, CURVE), ValueError, "margin=0 must be a finite amount"),
        (lambda: best_spending(math.inf, CURVE, CURVE), ValueError, "margin=inf"),
        (lambda: best_spending(1, 0.4, CURVE), TypeError, "acquisition=0.4 must be an Exponential"),
        (lambda: best_spending(1, CURVE, CURVE, discount_rate=10), ValueError, "discount_rate=0.1"),
        (lambda: best_spending(1, CURVE, CURVE, unit="decade"), ValueError, "unit='decade'"),
        (
            lambda: spending_plan(
                1, CURVE, CURVE, acquisition_spending=-1, retention_spending=1
            ),
            ValueError,
            "acquisition_spending=-1 must be a finite amount",
        ),
        (lambda: attracting_against_keeping(CURVE), TypeError, "must be a SpendingPlan"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_customers_kept_for_ever_without_discount_have_no_value():
    sure = ExponentialResponse(1.0, 10.0)
    plan = spending_plan(
        1, CURVE, sure, acquisition_spending=1, retention_spending=100, discount_rate=0
    )
    with pytest.raises(ValueError, match="the lifetime value is infinite"):
        plan.lifetime_value  # noqa: B018


# -- costs by level ----------------------------------------------------------------------------


def test_costs_by_level_by_hand():
    cost = np.array([[1.0, 3.0, 10.0], [2.0, 4.0, 11.0]])
    kept = np.array([[0.5, 0.7, 0.8], [0.5, 0.7, 0.7]])
    found = cost_by_level(cost, kept, labels=("low", "middle", "high"), draws=50)
    frame = found.frame
    assert frame["average_cost"].tolist() == pytest.approx([3, 5, 14])
    assert frame["marginal_cost"].tolist()[1:] == pytest.approx([10, 140])
    assert math.isnan(frame["marginal_cost"].iloc[0])
    assert found.times.estimate == pytest.approx(10) and found.verdict in ("supported", "undecided")
    assert "one customer more costs" in found._repr_html_()


def test_where_no_more_are_kept_one_more_has_no_price():
    kept = np.full((5, 2), 0.5)
    found = cost_by_level(np.ones((5, 2)), kept, labels=("a", "b"), draws=20)
    assert found.frame["marginal_cost"].isna().all() and found.verdict == "undecided"


def test_the_bootstrap_error_is_that_of_a_ratio_of_means():
    generator = np.random.default_rng(4)
    cost, kept = generator.gamma(2, 50, (400, 2)), generator.beta(8, 2, (400, 2))
    found = cost_by_level(cost, kept, labels=("a", "b"), draws=2_000)
    mean = cost[:, 0].mean() / kept[:, 0].mean()
    error = (cost[:, 0] - mean * kept[:, 0]).std() / kept[:, 0].mean() / 20
    row = found.frame.iloc[0]
    # 2,000 draws know an error to two per cent
    assert (row["upper"] - row["lower"]) / (2 * 1.96 * error) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(
    ("cost", "kept", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 3)), "a column for each of the 5 levels"),
        (np.full((2, 5), np.nan), np.ones((2, 5)), "cost: not finite at customer 0, level basic"),
        (np.ones((2, 5)), np.full((2, 5), 2.0), "probabilities from 0 to 1"),
        (np.ones((0, 5)), np.ones((0, 5)), "at least two levels and one customer"),
    ],
)
def test_costs_that_cannot_be_compared_are_refused(cost, kept, message):
    with pytest.raises(ValueError, match=message):
        cost_by_level(cost, kept)


def test_the_names_are_public():
    names = {"SpendingPlan", "SharedBudget", "FittedResponse", "CostByLevel", "AttractingKeeping"}
    assert names <= set(relationships.__all__)
