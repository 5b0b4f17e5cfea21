"""Contact response: a known law found again, forms told apart, worth in closed form."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime import margin_multiple
from keycustomer.relationships import (
    contact_response,
    contact_verdict,
    contact_worth,
    phase_effects,
    read_service,
    true_service,
)
from keycustomer.relationships.service.carry_over import carried, carry_factor
from keycustomer.relationships.service.contacts import FORMS, Form
from keycustomer.relationships.service.phases import PHASES, phase_verdict
from keycustomer.simulate import simulate_company
from keycustomer.stats import Estimate
from service_records import counted_record, months_of, record_of

ROUNDING = 1e-9
SLOPE = -0.8
"""Log-odds of leaving per unit of log(1 + stock) in the law of these tests."""


def known_law(form, seed=0, customers=2000, months=14):
    """Customers who leave by a known response; who is on the high level is visited more."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 2, customers)
    visits = rng.poisson(np.where(level, 1.6, 0.4)[:, None], (customers, months))
    who = np.repeat(np.arange(customers), months)
    number = np.tile(np.arange(months), customers)
    stock = carried(visits.ravel(), who, number, carry_factor(3)).reshape(customers, months)
    odds = -2.2 + SLOPE * form(stock) - 0.7 * level[:, None]
    leaves = rng.random((customers, months)) < 1 / (1 + np.exp(-odds))
    left = np.where(leaves.any(axis=1), leaves.argmax(axis=1), -1)
    laid = months_of(customers, months, left, level=level[:, None])
    seen = (left[who] < 0) | (number <= left[who])
    return counted_record(laid, visits.ravel()[seen])


@pytest.fixture(scope="module")
def law():
    return known_law(np.log1p)


@pytest.fixture(scope="module")
def bent(law):
    return contact_response(law, burn_in=0)


def test_the_known_slope_is_found_and_the_plain_one_is_not(bent):
    assert bent.slope.lower < SLOPE < bent.slope.upper
    assert bent.naive_slope.upper < SLOPE
    assert bent.slope.upper - bent.slope.lower < 0.5


def test_a_bent_response_is_told_from_a_straight_one_on_customers_not_fitted(bent):
    assert bent.bend.lower > 0
    assert bent.best in ("logarithm", "saturation")
    gains = bent.forms.set_index("form")["gain"]
    assert list(gains.index) == list(FORMS) and gains["none"] == 0
    assert gains["logarithm"] > gains["straight"] > 0
    straight = contact_response(known_law(lambda s: s / 2, seed=1), burn_in=0)
    assert straight.bend.estimate < 0


def test_without_a_response_no_form_is_taken_for_one():
    quiet = contact_response(known_law(np.zeros_like, seed=2, customers=1000), burn_in=0)
    assert (quiet.forms["lower"].dropna() < 0).all()
    assert quiet.slope.lower < 0 < quiet.slope.upper


def test_the_curve_goes_through_today_and_bends(bent):
    curve = bent.curve((0.0, 1.0, 2.0, 3.0)).set_index("factor")
    assert curve.loc[1.0, ["estimate", "lower", "upper"]].tolist() == [0, 0, 0]
    steps = np.diff(curve["estimate"])
    assert (steps < 0).all() and (np.diff(np.abs(steps)) < 0).all()
    with pytest.raises(ValueError, match="0 or larger"):
        bent.curve((-1.0,))
    assert "Per unit of log" in bent._repr_html_()
    first = bent.sensitivity.iloc[0]
    assert first["estimate"] == pytest.approx(bent.slope.estimate, abs=ROUNDING)


def test_forms_say_what_they_mean():
    stock = np.array([0.0, 1.0, 3.0])
    assert Form("straight").of(stock).tolist() == [0, 1, 3]
    np.testing.assert_allclose(Form("logarithm").of(stock), np.log([1, 2, 4]))
    np.testing.assert_allclose(Form("saturation", ceiling=1.0).of(stock), [0, 0.5, 0.75])


def test_worth_of_a_contact_is_leaving_avoided_times_the_relationship(law, bent):
    worth = contact_worth(law, bent, discount_rate=0.1, horizon=36)
    assert set(worth.frame["customer_id"]) <= set(law.months.present)
    row = worth.frame.iloc[0]
    score = np.log(row["leaving"] / (1 - row["leaving"]))
    factor, slope = carry_factor(3), bent.slope.estimate
    avoided = 0.0
    for month in range(24):
        more = np.log1p(row["stock"] + factor**month) - np.log1p(row["stock"])
        avoided += row["leaving"] - 1 / (1 + np.exp(-(score + slope * more)))
    multiple = margin_multiple(1 - row["leaving"], 0.1, horizon=36, unit="month")
    assert row["worth"] == pytest.approx(avoided * 480 / 12 * multiple)
    assert (worth.frame["lower"] <= worth.frame["worth"]).all()
    assert (worth.frame["worth"] <= worth.frame["upper"]).all()
    assert worth.cost == 90 and worth.share.estimate == worth.frame["pays"].mean()
    # who remembers many contacts gains less from one more, at equal chance to leave
    order = worth.frame.assign(each=worth.frame["avoided"] / worth.frame["leaving"])
    rank = order[["stock", "each"]].rank()
    assert rank["stock"].corr(rank["each"]) < -0.9
    assert "costs 90 EUR" in worth._repr_html_()


def test_worth_refuses_other_outcomes_and_kinds(law, bent):
    with pytest.raises(ValueError, match="needs that of leaving"):
        contact_worth(law, replace(bent, outcome="loyalty"))
    with pytest.raises(ValueError, match="kind='letter'"):
        contact_worth(law, bent, kind="letter")
    with pytest.raises(ValueError, match="no cost of a call"):
        contact_worth(law, bent, kind="call")


@pytest.fixture(scope="module")
def company_record():
    return read_service(simulate_company(700, 36, seed=6))


def test_contacts_sell_in_the_simulated_company(company_record):
    """The process has .28 by own manager's contacts, less by others'."""
    sold = contact_response(company_record, "take_up", folds=2)
    assert sold.slope.lower < 0.28 < sold.slope.upper


def test_plain_numbers_charge_contacts_with_what_the_level_does(company_record):
    staying = contact_response(company_record, "left", folds=2)
    truth = true_service(700, 36, 6, factors=(0.0, 1.0, 4.0)).contacts.set_index("factor")
    curve = staying.curve((0.0, 4.0)).set_index("factor")
    for factor in (0.0, 4.0):
        assert curve.loc[factor, "lower"] < truth.loc[factor, "leaving"]
        assert truth.loc[factor, "leaving"] < curve.loc[factor, "upper"]
    assert truth.loc[0.0, "leaving"] > 0 > truth.loc[4.0, "leaving"]
    # each further contact does less, and in this company none brings in what it costs
    assert truth.loc[0.0, "leaving"] > -truth.loc[4.0, "leaving"] / 3
    assert truth.loc[[1.0, 4.0], "return"].between(0, 1).all()
    assert staying.naive_slope.estimate < staying.slope.estimate


def slope(lower, upper):
    return Estimate((lower + upper) / 2, lower, upper, "", 10, "")


def test_the_verdict_on_communication_follows_its_rule(bent):
    good, bad, wide = slope(0.1, 0.3), slope(-0.3, -0.1), slope(-0.1, 0.3)

    def said(social, loyalty, bend=wide):
        return contact_verdict(
            {
                "social": replace(bent, slope=social, bend=bend),
                "loyalty": replace(bent, slope=loyalty, bend=bend),
            }
        )

    assert said(good, good)["K7"] == "supported"
    assert said(good, wide)["K7"] == "undecided"
    assert said(good, bad)["K7"] == "not supported"
    assert said(good, good)["diminishing"] == "undecided"
    assert said(good, good, slope(0.1, 0.3))["diminishing"] == "supported"
    assert said(good, good, bad)["diminishing"] == "not supported"
    assert contact_verdict({"left": replace(bent, slope=bad)})["staying"] == "supported"
    assert contact_verdict({"left": bent})["K7"] == "undecided"
    assert contact_verdict({})["diminishing"] == "undecided"


def phased(seed=0, customers=600, months=12):
    """Contacts of three phases, of which those during a sale alone raise an answer."""
    rng = np.random.default_rng(seed)
    laid = months_of(customers, months)
    kinds = rng.integers(0, 3, (customers, 4))
    month = rng.integers(0, months, (customers, 4))
    contacts = [
        (c, int(month[c, k]), 3, "visit", {"phase": PHASES[kinds[c, k]]})
        for c in range(customers) for k in range(4)
    ]  # fmt: skip
    record = record_of(laid, contacts)
    during = (record.contacts["phase"] == "during").to_numpy()
    who, number = record.customer, record.number
    stock = carried(record.count(during), who, number, carry_factor(3))
    last = np.flatnonzero(number == months - 1)
    score = 5 + 1.5 * np.log1p(stock[last]) + rng.normal(size=len(last))
    answers = pd.DataFrame({"row": last, "satisfaction": score})
    return record_of(laid, contacts, answers)


def test_the_phase_that_counts_is_found():
    found = phase_effects(phased(), burn_in=0)
    own = {phase: found.slopes[phase, "own contacts"] for phase in PHASES}
    assert own["during"].lower > 0.3
    assert own["pre"].lower < 0 < own["pre"].upper
    assert found.equal < 0.001 and found.verdict == "undecided"
    assert found.contacts["pre", "own contacts"] + found.contacts[
        "during", "own contacts"] + found.contacts["after", "own contacts"] == 2400  # fmt: skip


def test_equality_of_slopes_is_tested_as_in_statsmodels():
    from keycustomer.relationships.service.phases import equal_slopes
    from keycustomer.relationships.service.regression import fit_regression
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(3)
    x, who = rng.normal(size=(400, 3)), np.repeat(np.arange(80), 5)
    y = x @ [0.3, 0.2, 0.35] + rng.normal(size=80)[who] + rng.normal(size=400)
    own = equal_slopes(fit_regression(y, x, ["a", "b", "c"], who, "linear"), ["a", "b", "c"])
    fitted = OLS(y, np.column_stack([np.ones(400), x])).fit(
        cov_type="cluster", cov_kwds={"groups": who}
    )
    theirs = fitted.wald_test(np.array([[0, -1, 1, 0], [0, -1, 0, 1]]), use_f=False, scalar=True)
    assert own == pytest.approx(float(theirs.pvalue), rel=1e-6)


def test_complaints_make_service_after_the_sale_look_harmful(company_record):
    """What the trap shows: booked as contacts, complaints and offers turn the plain numbers."""
    found = phase_effects(company_record, "left")
    plain = found.slopes["pre", "all contacts"]
    own = found.slopes["pre", "own contacts"]
    assert plain.lower > 0 > own.lower
    assert found.contacts["after", "all contacts"] > found.contacts["after", "own contacts"]
    assert "have no known phase" in found._repr_html_()


def test_the_verdict_on_phases_follows_its_rule():
    good, bad, wide = slope(0.1, 0.3), slope(-0.3, -0.1), slope(-0.1, 0.3)
    assert phase_verdict([good] * 3, "loyalty") == "supported"
    assert phase_verdict([good, good, wide], "loyalty") == "undecided"
    assert phase_verdict([good, good, bad], "loyalty") == "not supported"
    assert phase_verdict([bad] * 3, "left") == "supported"


def test_what_cannot_be_told_is_said(company_record):
    with pytest.raises(ValueError, match="did you mean 'loyalty'"):
        contact_response(company_record, "loyality")
    with pytest.raises(ValueError, match="burn_in=99 must be"):
        contact_response(company_record, burn_in=99)
    with pytest.raises(ValueError, match="folds=1 must be 2"):
        contact_response(company_record, folds=1)
    silent = record_of(months_of(5, 12, [3, -1, -1, -1, -1]), [(0, 1, 2, "complaint")])
    with pytest.raises(ValueError, match=r"no interaction is a contact.*\['complaint'\]"):
        contact_response(silent)
    with pytest.raises(ValueError, match="no contact has a phase"):
        phase_effects(silent, "left")
    with pytest.raises(ValueError, match="outcome='take_up' is not known"):
        contact_response(
            record_of(months_of(3, 12, products=np.nan), [(0, 1, 2, "visit")]), "take_up"
        )
