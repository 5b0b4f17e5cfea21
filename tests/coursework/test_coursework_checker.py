"""The checker, and every exercise on real data and on a small base."""

from types import SimpleNamespace

import known_surveys
import numpy as np
import pandas as pd
import pytest
from keycustomer.coursework import CaseData, checker, exercises
from keycustomer.coursework.mistakes import agrees

SETTINGS = {"population": "all", "draws": 200, "seed": 0, "calibration": 0.5}
OF_ANSWERS = sorted(number for number in exercises() if number.startswith("2."))
OF_CONTRACTS = sorted(number for number in exercises() if number.startswith("3."))
OF_PRICES = sorted(number for number in exercises() if number.startswith("4."))
OF_PURCHASES = sorted(set(exercises()) - {*OF_ANSWERS, *OF_CONTRACTS, *OF_PRICES})
SPENDING = {"winning": [1200.0, 0.12, 0.35]}
SURVEYED = {
    **{"benefits": ["Image", "Expectation", "Quality", "Value"], "satisfaction": "Satisfaction"},
    **{"scale_low": 1.0, "scale_high": 10.0, "missing_marks": []},
}


@pytest.fixture
def base(hand_made_base):
    """Twenty customers; number k buys on k days, the first ten in the first half only."""
    lines = []
    for k in range(1, 21):
        for day in range(k):
            month = 1 + day % 5 if k <= 10 else 1 + day % 12
            day_of_purchase = f"2024-{month:02d}-{k:02d}"
            blanks = (None, None, None)
            order = (len(lines), f"{k:03d}", None, day_of_purchase, "p", 1, f"{k * k}.00")
            lines.append((*order, *blanks))
    return hand_made_base({"transactions": lines})


@pytest.fixture
def check(base):
    return checker(SimpleNamespace(base=base, parameters=SETTINGS))


def test_without_an_answer_it_stays_open(check):
    assert str(check("1.2")) == "Exercise 1.2: open - no answer yet"
    assert not check("1.2", ...).correct


def test_an_unknown_exercise_lists_the_known_ones(check):
    with pytest.raises(ValueError, match=r"no exercise '9\.9'; there are 0\.1, 0\.2"):
        check("9.9", 1)


@pytest.mark.parametrize("number", OF_PURCHASES)
def test_the_reference_is_right_and_its_traps_are_named(base, number):
    hold_traps(number, base, SETTINGS)


@pytest.mark.parametrize("number", OF_ANSWERS)
def test_references_and_traps_on_a_survey(mobi_base, number):
    hold_traps(number, mobi_base, SURVEYED)


@pytest.mark.parametrize("number", OF_CONTRACTS)
def test_references_and_traps_on_contracts(wa_churn_base, number):
    hold_traps(number, wa_churn_base, SPENDING)


@pytest.mark.parametrize("number", OF_PRICES)
def test_references_and_traps_on_prices(telecom_base, number):
    hold_traps(number, telecom_base, {})


def test_hand_computed_references_on_strategy(base):
    check = checker(SimpleNamespace(base=base, parameters={}))
    assert check("5.1", "help").correct  # 70 against 40 + 4
    assert check("5.2", 136 / 6).correct  # (2 x 4 + 30 + 10 + 2 x 44) / 6
    assert "all others are there" in check("5.2", 44).hint
    assert "how many orders" in check("5.2", 22).hint  # (4 + 30 + 10 + 44) / 4
    revenue = sum(sorted((k**3 for k in range(1, 21)), reverse=True)[:10])  # k days of k squared
    assert check("5.3", revenue / sum(k**3 for k in range(1, 21))).correct
    assert check("5.4", 0.2 * (1 - 0.6 * 0.7) * 10_000).correct
    assert "only once" in check("5.4", 1400).hint
    assert check("5.5", "price").correct
    assert "takes only the last step" in check("5.5", "communication").hint


def test_an_exercise_on_discounts_says_that_there_are_none(wa_churn_base):
    check = checker(SimpleNamespace(base=wa_churn_base, parameters={}))
    with pytest.raises(ValueError, match="knows no discounts"):
        check("4.2", 0.1)


def test_hand_computed_references_on_prices(telecom_base):
    check = checker(SimpleNamespace(base=telecom_base, parameters={}))
    # log of mean quantity falls by log(4.5), mean log of positive quantity by less
    assert check("4.1", "weaker").correct
    assert "from which are they gone" in check("4.1", "the same").hint
    lines = telecom_base.query(
        "select sum(revenue) as paid, sum(discount) as off from transactions"
    )
    paid, off = lines.astype(float).iloc[0]
    assert check("4.2", off / (paid + off)).correct
    assert "over what was paid" in check("4.2", off / paid).hint
    assert check("4.3", 2500).correct  # 1,600 on each of 20 units, against 1,100 on 29
    assert "most money" in check("4.3", 1500).hint
    assert check("4.4", 10.0).correct
    assert "not of the cost" in check("4.4", 8.4).hint
    assert check("4.5", "L").correct
    assert "takes the discount all the same" in check("4.5", "M").hint


def test_an_exercise_on_contracts_says_that_there_are_none(base):
    check = checker(SimpleNamespace(base=base, parameters=SPENDING))
    with pytest.raises(ValueError, match="has no table contracts"):
        check("3.2", 0.1)


def hold_traps(number, base, settings):
    check, data = checker(SimpleNamespace(base=base, parameters=settings)), CaseData(base, settings)
    exercise = exercises()[number]
    right = exercise.reference(data)
    assert check(number, right).correct
    for slip, wrong in exercise.traps.items():
        feedback = check(number, wrong(data))
        assert feedback.correct == agrees(wrong(data), right, exercise.kind), slip
        assert feedback.correct or feedback.hint in exercise.traps


def test_a_known_slip_gets_its_own_words(check, base):
    table = CaseData(base, SETTINGS).table
    by_hand = table.sort_values("revenue", ascending=False)["revenue"]
    tenth = by_hand.iloc[:2].sum() / by_hand.sum()
    assert check("1.2", tenth).correct
    assert "per cent" in check("1.2", 100 * tenth).hint
    fifth = by_hand.iloc[:4].sum() / by_hand.sum()
    assert check("1.2", fifth).hint == "that is the top fifth; the question is about the top tenth"


def test_hand_computed_references(check, base):
    table = CaseData(base, SETTINGS).table
    revenue = table.set_index("customer_id")["revenue"]
    assert check("1.1", "stays").correct
    largest = revenue.sort_values(ascending=False)
    assert check("0.5", list(largest.index[:10])).correct
    reached = (largest.cumsum() >= 0.5 * largest.sum()).to_numpy().argmax() + 1
    assert check("1.3", int(reached)).correct
    assert check("0.4", float(revenue.median())).correct
    assert check("0.2", 1 / 20).correct
    silence = pd.Timestamp("2024-12-31") - table["last_order"]
    assert check("0.3", float(silence.dt.days.median())).correct


def test_hand_computed_references_on_a_survey(mobi_base):
    check = checker(SimpleNamespace(base=mobi_base, parameters=SURVEYED))
    answers = known_surveys.mobi()
    image = answers[[f"IMAG{n}" for n in range(1, 6)]]
    alpha = 5 / 4 * (1 - image.var().sum() / image.sum(axis=1).var())
    assert check("2.2", alpha).correct
    assert "variances" in check("2.2", 0.7228345954).hint  # the standardised one
    assert check("2.3", "one-dimensional").correct
    assert "hurts more" in check("2.3", "attractive").hint
    expectation = answers[["CUEX1", "CUEX2", "CUEX3"]].mean(axis=1)
    pair = np.column_stack([np.ones(250), image.mean(axis=1), expectation])
    outcome = answers[["CUSA1", "CUSA2", "CUSA3"]].mean(axis=1)

    def explained(columns):
        fitted = pair[:, columns] @ np.linalg.lstsq(pair[:, columns], outcome, rcond=None)[0]
        return fitted.var() / outcome.var(ddof=0)

    first, second, both = (explained(columns) for columns in ([0, 1], [0, 2], [0, 1, 2]))
    assert check("2.4", (first + both - second) / 2 / both).correct
    assert check("2.5", "Quality").correct


@pytest.fixture
def check_levels(wa_churn_base):
    return checker(SimpleNamespace(base=wa_churn_base, parameters=SPENDING))


def test_hand_computed_references_on_relationships(check_levels):
    assert check_levels("3.1", "falls").correct
    assert "what is left brings less" in check_levels("3.1", "stays").hint
    assert check_levels("3.2", 1869 / 227_990).correct
    assert "at any time" in check_levels("3.2", 1869 / 7043).hint
    assert check_levels("3.3", "proactive").correct
    assert "largest first" in check_levels("3.3", "basic").hint
    k = -np.log(1 - 0.12 / 0.35) / 1200
    assert check_levels("3.4", np.log(0.35 * k * 12_000) / k).correct
    assert check_levels("3.5", "H").correct
    assert "will the offer keep it" in check_levels("3.5", "G").hint


def test_the_monthly_rate_of_leaving_is_counted_in_months(telecom_base):
    check = checker(SimpleNamespace(base=telecom_base, parameters={}))
    contracts = telecom_base.query("from contracts")
    left = contracts.groupby("customer_id")["end"].agg(lambda end: end.iloc[-1]).notna().sum()
    months = telecom_base.query(
        "select count(distinct (customer_id, date_trunc('month', date))) as n from transactions"
    )["n"].item()
    assert check("3.2", left / months).correct


def test_feedback_is_escaped(check):
    page = check("1.1", "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in page
