"""Stated prices: recovery, coverage, properties, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    bdm_demand,
    bdm_surplus,
    gabor_granger,
    judge_price_points,
    newton_miller_smith,
    price_sensitivity,
    read_price_points,
)
from keycustomer.pricing.stated.acceptance import arc_elasticities
from keycustomer.pricing.stated.cumulated import crossing, shares
from keycustomer.pricing.stated.price_answers import QUESTIONS
from keycustomer.pricing.stated.reach import CALIBRATION, purchase_chances
from keycustomer.pricing.stated.sensitivity import contradictions
from scipy.special import ndtr

SURVEYS = 100
"""Surveys for coverage: the standard error of a coverage of 95 % is then 2.2 points."""

FEWEST_HELD = 0.89
"""Coverage of 95 % less 2.8 standard errors."""

FEW = 30
"""Surveys for a mean."""

ROUNDED = 5.0
"""Respondents name multiples of this."""

PARTS, ERRORS = np.array([0.42, 0.62, 0.86, 1.0]), np.array([0.14, 0.11, 0.09, 0.10])
SPREAD = 0.3


def survey(n, seed, rounded=True):
    generator = np.random.default_rng(seed)
    worth = 110 * np.exp(SPREAD * generator.standard_normal((n, 1)))
    answers = worth * PARTS * np.exp(ERRORS * generator.standard_normal((n, 4)))
    if rounded:
        answers = np.maximum(np.round(answers / ROUNDED), 1) * ROUNDED
    return pd.DataFrame(answers, columns=list(QUESTIONS))


def true_points():
    """Crossings of the four log-normal populations, by bisection of their closed forms."""
    spread = np.hypot(SPREAD, ERRORS)
    grid = np.linspace(20, 250, 200_001)
    reached = ndtr((np.log(grid)[:, None] - np.log(110 * PARTS)) / spread)
    tc, ch, ex, te = (1 - reached[:, 0], 1 - reached[:, 1], reached[:, 2], reached[:, 3])
    pairs = {"pmc": (1 - ch, tc), "opp": (te, tc), "idp": (ex, ch), "pme": (te, 1 - ex)}
    return {name: grid[np.argmax(up >= down)] for name, (up, down) in pairs.items()}


@pytest.fixture(scope="module")
def surveys():
    found = {"half": [], "passed": []}
    for ties, count, draws in (("half", SURVEYS, 150), ("passed", FEW, 1)):
        for seed in range(count):
            answers = survey(250, seed)
            one = price_sensitivity(answers, validate=False, ties=ties, draws=draws, seed=seed)
            found[ties].append(one.points)
    return found


def test_intervals_hold_the_true_points_of_rounded_answers(surveys):
    for name, truth in true_points().items():
        held = [one[name].lower <= truth <= one[name].upper for one in surveys["half"]]
        assert np.mean(held) >= FEWEST_HELD, name


def test_counting_ties_whole_moves_every_point_by_half_a_step(surveys):
    for name in true_points():
        half, passed = (
            np.mean([one[name].estimate for one in surveys[ties][:FEW]])
            for ties in ("half", "passed")
        )
        assert half - passed == pytest.approx(ROUNDED / 2, abs=0.15)


def test_curves_are_shares_that_rise_and_fall():
    found = price_sensitivity(survey(100, 1), draws=10)
    frame = found.frame
    for name, sign in (("too_cheap", -1), ("cheap", -1), ("expensive", 1), ("too_expensive", 1)):
        assert (sign * frame[name].diff().dropna() >= 0).all()
        assert frame[name].between(0, 1).all()
    assert found.pmc.estimate <= found.pme.estimate
    assert found.opp.estimate <= found.idp.estimate
    narrow = price_sensitivity(survey(100, 1), convention="narrower", draws=10)
    assert found.pmc.estimate < narrow.pmc.estimate < narrow.pme.estimate < found.pme.estimate


@settings(max_examples=25)
@given(st.floats(0.1, 50), st.integers(0, 10_000))
def test_points_scale_with_the_prices(factor, seed):
    answers = survey(40, seed, rounded=False)
    one = price_sensitivity(answers, draws=2)
    other = price_sensitivity(answers * factor, draws=2)
    for name, point in one.points.items():
        assert other.points[name].estimate == pytest.approx(factor * point.estimate, rel=1e-9)


def test_whole_weights_are_repeated_respondents():
    answers = survey(60, 2)
    weights = np.random.default_rng(3).integers(1, 4, 60)
    repeated = answers.loc[np.repeat(answers.index, weights)].reset_index(drop=True)
    weighted = price_sensitivity(answers, weights=weights, draws=5)
    plain = price_sensitivity(repeated, draws=5)
    for name, point in plain.points.items():
        assert weighted.points[name].estimate == pytest.approx(point.estimate)


def test_a_respondent_asked_twice_is_drawn_with_both_answers():
    answers = survey(60, 4)
    once = price_sensitivity(answers.assign(customer_id=range(60)), draws=400)
    doubled = pd.concat([answers.assign(customer_id=range(60))] * 2)
    twice = price_sensitivity(doubled, draws=400)
    assert twice.idp.upper - twice.idp.lower == pytest.approx(once.idp.upper - once.idp.lower)


def test_curves_that_run_together_meet_in_the_middle():
    grid = np.arange(6.0)
    rising = np.array([[0, 0, 0.5, 0.5, 1, 1]])
    falling = np.array([[1, 1, 0.5, 0.5, 0, 0]])
    assert crossing(grid, rising, falling) == pytest.approx([2.5])
    assert crossing(grid, rising, falling, interpolate=False) == pytest.approx([2.0])
    assert np.isnan(crossing(grid, 0 * rising, falling + 1)).all()


def test_ties_count_half():
    answers = np.array([[1.0, 2, 3, 4], [1.0, 2, 3, 4]])
    grid = np.array([1.0, 2, 3, 4])
    curves = shares(answers, np.ones((1, 2)), grid, "half")[:, 0]
    assert curves[0].tolist() == [0.5, 0, 0, 0] and curves[3].tolist() == [0, 0, 0, 0.5]


def test_contradictions_are_counted_listed_and_kept_if_asked():
    answers = survey(50, 5, rounded=False)
    answers = answers[contradictions(answers.to_numpy()) == ""].reset_index(drop=True)
    n = len(answers)
    answers.iloc[0, 1] = answers.iloc[0, 0]
    answers.iloc[1, 2] = 1.0
    found = price_sensitivity(answers, draws=5)
    assert found.respondents == n - 2 and found.invalid_share == pytest.approx(2 / n)
    assert found.invalid["why"].tolist() == [
        "one price for two answers",
        "a dearer answer has a lower price",
    ]
    assert "2 respondents" in found.sentence and "left out" in found.sentence
    kept = price_sensitivity(answers, validate=False, draws=5)
    assert kept.respondents == n and kept.kept and len(kept.invalid) == 2
    falling = price_sensitivity(answers, validate="falling", draws=5)
    assert falling.respondents == n - 1 and falling.invalid.index.tolist() == [1]
    assert "contradict" in found._repr_html_() and len(found.to_frame()) == 4
    assert [name for name, _, _ in found.estimates()] == [
        "psm_pmc",
        "psm_opp",
        "psm_idp",
        "psm_pme",
    ]


def test_a_survey_is_read_from_a_base(telecom_base):
    answers = read_price_points(telecom_base)
    assert answers.simulated and answers.currency == "EUR"
    every = read_price_points(telecom_base, wave="every")
    assert len(every.frame) > len(answers.frame)
    assert len(np.unique(every.respondents)) < len(every.frame)
    asked = telecom_base.query("select count(*) as n from survey where wave = '3'")["n"].iloc[0]
    assert len(answers.frame) + answers.excluded["questionnaires"].sum() == asked
    with pytest.raises(ValueError, match=r"waves '1', '2', '3'"):
        read_price_points(telecom_base, wave=9)
    assert "Simulated" in answers._repr_html_()


def test_what_cannot_be_read_is_told_with_its_cure():
    answers = survey(30, 6).astype(object)
    answers.iloc[3, 0] = "ten"
    answers.iloc[4, 1] = -5.0
    with pytest.raises(ValueError, match=r"no number, first at rows 3: 'ten'(?s:.)*below zero"):
        read_price_points(answers)
    with pytest.raises(ValueError, match="did you mean 'price_cheap'"):
        read_price_points(survey(30, 6), columns=(QUESTIONS[0], "price_chep", *QUESTIONS[2:]))
    with pytest.raises(ValueError, match="four different ones are needed"):
        read_price_points(survey(30, 6), columns=QUESTIONS[:3])
    with pytest.raises(ValueError, match="nobody of 30 respondents"):
        read_price_points(survey(30, 6) * np.nan)
    with pytest.raises(TypeError, match="CustomerBase"):
        read_price_points([1, 2])
    with pytest.raises(ValueError, match="has no column 'wave'"):
        read_price_points(survey(30, 6), wave=1)


def test_intransitive_answers_alone_are_refused():
    backwards = survey(30, 7).iloc[:, ::-1]
    backwards.columns = list(QUESTIONS)
    with pytest.raises(ValueError, match="all 30 respondents contradict themselves"):
        price_sensitivity(backwards)
    with pytest.raises(ValueError, match="at least 10 are needed"):
        price_sensitivity(survey(5, 7, rounded=False), validate=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"convention": "wide"}, "'original' or 'narrower'"),
        ({"ties": "all"}, "'half' or 'passed'"),
        ({"validate": "strict"}, "True, False or 'falling'"),
        ({"weights": [1, 2]}, "one weight a row"),
        ({"weights": np.zeros(40)}, "without a weight above 0"),
        ({"level": 95}, "95 % is level=0.95"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        price_sensitivity(survey(40, 8), draws=2, **options)


@settings(max_examples=50)
@given(st.lists(st.floats(1, 100), min_size=4, max_size=4, unique=True), st.data())
def test_chances_to_buy_are_straight_lines_between_the_answers(points, data):
    prices = np.sort(np.array(points))
    if np.diff(prices).min() < 1e-3:
        return
    chances = data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1)))
    grid = np.linspace(0, 101, 77)
    found = purchase_chances(prices[None, :], np.array([chances[0]]), np.array([chances[1]]), grid)[
        0
    ]
    expected = np.interp(grid, prices, [0, *chances, 0], left=0, right=0)
    assert found == pytest.approx(expected, abs=1e-9)


def test_reach_is_largest_where_all_find_it_cheap():
    same = pd.DataFrame([[10.0, 20, 30, 40]] * 12, columns=list(QUESTIONS))
    found = newton_miller_smith(same, 0.8, 0.4, unit_cost=5, draws=5)
    assert found.frame["reach"].tolist() == pytest.approx([0, 0.8, 0.4, 0])
    assert found.best_reach.estimate == 20
    assert found.frame["profit"].tolist() == pytest.approx([0, 12, 10, 0])
    assert "assumed for all" in " ".join(found.notes)


def test_stated_intentions_are_calibrated():
    answers = survey(60, 9)
    intent = pd.Series(np.random.default_rng(1).integers(1, 6, 60))
    found = newton_miller_smith(answers, intent, intent.clip(upper=3), draws=20)
    assert found.respondents + found.contradicting == 60
    assert 0 < found.frame["reach"].max() <= max(CALIBRATION.values())
    less = {answer: chance / 2 for answer, chance in CALIBRATION.items()}
    halved = newton_miller_smith(answers, intent, intent.clip(upper=3), calibration=less, draws=9)
    assert (halved.frame["reach"] * 2).to_numpy() == pytest.approx(found.frame["reach"].to_numpy())
    with pytest.raises(ValueError, match="not on the scale"):
        newton_miller_smith(answers, intent + 4, intent)
    with pytest.raises(ValueError, match="between 0 and 1"):
        newton_miller_smith(answers, 3, 0.2)
    with pytest.raises(ValueError, match="unit_cost"):
        newton_miller_smith(answers, 0.5, 0.2, unit_cost=-1)


def test_the_best_of_the_prices_tested_is_found_and_covered():
    prices, held, n = np.arange(10, 100, 10.0), 0, 100
    profit = (prices - 20) * (1 - prices / 100)
    truth = prices[profit.argmax()]
    for seed in range(n):
        worth = np.random.default_rng(seed).uniform(0, 100, 200)
        dearest = np.floor(worth / 10) * 10
        found = gabor_granger(dearest, prices, unit_cost=20, draws=200, seed=seed).best_profit
        held += found.lower <= truth <= found.upper
    assert held / n >= FEWEST_HELD


def test_a_table_of_yes_and_no_and_what_contradicts():
    table = pd.DataFrame({"10": [1, 1, 1, 0, np.nan], "20": [1, 0, 0, 0, 1], "30": [0, 0, 1, 0, 1]})
    strict = gabor_granger(table, draws=5)
    assert strict.respondents == 3 and strict.frame["buyers"].tolist() == [2, 1, 0]
    assert dict(strict.excluded.itertuples(index=False, name=None)) == {
        "no answer": 1,
        "refuses a price and accepts a dearer one": 1,
    }
    lowest = gabor_granger(table, inconsistent="lowest", draws=5)
    assert lowest.frame["buyers"].tolist() == [3, 1, 0]
    highest = gabor_granger(table, inconsistent="highest", draws=5)
    assert highest.frame["buyers"].tolist() == [3, 2, 1]


def test_weights_of_a_price_ladder():
    dearest, weights = np.array([0.0, 10, 20, 20]), np.array([1.0, 2, 3, 4])
    found = gabor_granger(dearest, weights=weights, draws=100)
    assert found.frame["buyers"].tolist() == [9, 7]
    assert found.frame["demand"].tolist() == pytest.approx([0.9, 0.7])
    assert (found.frame["lower"] <= found.frame["demand"]).all()
    assert "<table" in found._repr_html_() and len(found.to_frame()) == 2


def test_arc_elasticities_are_the_same_both_ways():
    prices, demand = np.array([10.0, 12.0, 15.0]), np.array([0.8, 0.6, 0.5])
    up = arc_elasticities(prices, demand)[1:]
    down = -arc_elasticities(prices, demand[::-1])[1:]
    assert up[0] == pytest.approx((-0.2 / 0.7) / (2 / 11))
    assert np.sign(down).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("answers", "options", "said"),
    [
        ([10.0, 20], {"prices": [10]}, "not among the prices tested"),
        ([10.0, 10], {}, "at least two prices above 0"),
        ([10.0], {"prices": [10, 20]}, "at least 2 are needed"),
        ([10.0, 20], {"unit_cost": 20}, "below the dearest price tested"),
        ([10.0, 20], {"weights": [1]}, "one each"),
        ([10.0, 20], {"weights": [1, 0]}, "above 0"),
        ([[1.0, 2], [1, 2]], {}, "one price a respondent"),
        (pd.DataFrame({"a": [1, 0]}), {}, "as numbers"),
        (pd.DataFrame({"1": [2, 0], "2": [0, 1]}), {}, "yes and no"),
        (pd.DataFrame({"1": [1, 0], "2": [0, 1]}), {"inconsistent": "?"}, "'exclude'"),
    ],
)
def test_price_ladders_that_tell_nothing_are_refused(answers, options, said):
    with pytest.raises(ValueError, match=said):
        gabor_granger(answers, **options)


def test_bids_are_told_at_few_prices_and_strange_ones_refused():
    bids = np.append(np.random.default_rng(2).uniform(10, 90, 400), np.nan)
    found = bdm_demand(bids, unit_cost=20, draws=50)
    assert len(found.frame) == 25 and found.excluded["respondents"].tolist() == [1]
    assert found.best_profit.lower <= 55 <= found.best_profit.upper
    edge = bdm_demand([10.0, 10, 20], unit_cost=5, draws=9)
    assert any("test prices beyond it" in note for note in edge.notes)
    with pytest.raises(ValueError, match="at least 0"):
        bdm_demand([-1.0, 2])
    with pytest.raises(ValueError, match="one number a participant"):
        bdm_demand([[1.0], [2.0]])
    with pytest.raises(ValueError, match="must lie below"):
        bdm_surplus(1, 1, highest=0)
    with pytest.raises(ValueError, match="'own bid'"):
        bdm_surplus(1, 1, highest=2, pays="twice")


@settings(max_examples=40)
@given(st.floats(0, 120), st.floats(0, 120), st.floats(1, 100))
def test_no_bid_beats_the_honest_one(bid, worth, highest):
    gains = bdm_surplus([bid, worth], worth, highest=highest)
    assert gains[0] <= gains[1] + 1e-9


def test_customers_keep_their_names_and_need_one():
    table = survey(20, 1).assign(customer_id=np.arange(20.0))
    assert read_price_points(table).frame["customer_id"].tolist()[:2] == ["0", "1"]
    table.loc[[3, 5], "customer_id"] = np.nan
    with pytest.raises(ValueError, match=r"'customer_id': 2 questionnaires.*rows 3, 5"):
        read_price_points(table)
    with pytest.raises(ValueError, match="'price_cheap' is in the table more than once"):
        read_price_points(pd.concat([survey(20, 1), survey(20, 1)[["price_cheap"]]], axis=1))


@pytest.mark.parametrize(
    ("answers", "arguments", "message"),
    [
        (pd.DataFrame({10: ["yes", "no"], 20: [1, 0]}), {}, "at price 10: 2 answers.*'yes', 'no'"),
        (pd.DataFrame({10: [1, np.inf], 20: [1, 0]}), {}, "yes and no"),
        (pd.DataFrame({10: [0, 0], 20: [0, 0]}), {}, "nobody of 2 respondents accepts 10"),
        ([10, 10, 0], {"prices": [10, 20], "unit_cost": 15}, "accepts 20.*above unit_cost=15"),
        ([10, 20], {"prices": [10, 20, np.inf]}, "must be finite"),
        ([10, 20], {"prices": ["a", "b"]}, "prices must hold numbers"),
    ],
)
def test_answers_from_which_no_best_price_can_be_read(answers, arguments, message):
    with pytest.raises(ValueError, match=message):
        gabor_granger(answers, draws=20, **arguments)


@pytest.mark.parametrize(
    ("intents", "arguments", "message"),
    [
        ((0.0, 0.0), {}, "nobody would buy"),
        ((0.5, 0.2), {"unit_cost": 1e6}, "above unit_cost=1e\\+06"),
        ((0.5, 0.2), {"calibration": {1: 2}}, "between 0 and 1"),
        ((pd.Series([5] * 20, [0] * 20), 0.2), {}, "cheap_intent: '0' stands twice"),
    ],
)
def test_intentions_from_which_no_best_price_can_be_read(intents, arguments, message):
    with pytest.raises(ValueError, match=message):
        newton_miller_smith(survey(20, 1), *intents, draws=20, **arguments)


def test_prices_to_be_judged_are_needed():
    for prices in ({}, {"ours": np.nan}, {"ours": 0}):
        with pytest.raises(ValueError, match="each finite and above 0"):
            judge_price_points(prices, [10.0, 20.0], unit_cost=1)
