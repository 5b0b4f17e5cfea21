"""Willingness to pay: ratios and their intervals, by group, summed, and against the truth."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    ChoiceData,
    LogitModel,
    fit_logit,
    read_choices,
    true_worths,
    willingness_to_pay,
    worth_recovery,
)
from keycustomer.pricing.choice.ratios import Ratios

NOMINAL = 0.95
DRAWN = 0.05  # ends of 10,000 draws, in standard errors


@pytest.fixture(scope="module")
def known() -> ChoiceData:
    half = pd.Series({f"R{n}": ("even", "odd")[n % 2] for n in range(200)}, name="half")
    rows = choice_sets.known_rows(200, 6, seed=8)
    levels = {"service": ["hotline", "person"], "energy": ["standard", "green"]}
    return read_choices(rows, levels=levels, traits=half, currency="EUR", simulated=True)


@pytest.fixture(scope="module")
def model(known) -> LogitModel:
    return fit_logit(known, by="half")


def test_worth_is_the_ratio_with_the_sign_turned(model):
    worth = willingness_to_pay(model).of_group("all").set_index("level")["willingness_to_pay"]
    b = model.coefficients
    assert worth["person"] == pytest.approx(-b["service: person"] / b["price"])
    assert worth["green"] == pytest.approx(-b["energy: green"] / b["price"])
    assert set(worth.index) == {"person", "green"}  # the constant of none is worth nothing


def test_delta_errors_by_hand(model):
    found = willingness_to_pay(model, "service").frame.iloc[0]
    b, v = model.coefficients, model.covariance
    s, p = "service: person", "price"
    w = -b[s] / b[p]
    variance = (v.loc[s, s] + 2 * w * v.loc[s, p] + w**2 * v.loc[p, p]) / b[p] ** 2
    assert found["standard_error"] == pytest.approx(np.sqrt(variance))
    assert found["upper"] - w == pytest.approx(model.margin * np.sqrt(variance))
    assert found["reference"] == "hotline" and found["respondents"] == 200


def test_three_intervals_agree_where_price_is_firm(model):
    by = {
        m: willingness_to_pay(model, method=m).frame for m in ("delta", "krinsky-robb", "fieller")
    }
    error = by["delta"]["standard_error"]
    for other in ("krinsky-robb", "fieller"):
        for end in ("lower", "upper"):
            gap = (by[other][end] - by["delta"][end]).abs() / error
            assert gap.max() < 4 * DRAWN
    again = willingness_to_pay(model, method="krinsky-robb").frame
    assert again.equals(by["krinsky-robb"])


def test_fieller_holds_what_the_test_does_not_reject():
    """At both ends the combination of coefficients is just significant."""
    covariance = np.array([[0.04, 0.01], [0.01, 0.03]])
    ratio = Ratios(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([1.2, 0.7]), covariance)
    for end in np.concatenate(ratio.fieller(1.96)):
        weights = np.array([1.0, -end])
        statistic = (weights @ [1.2, 0.7]) / np.sqrt(weights @ covariance @ weights)
        assert abs(statistic) == pytest.approx(1.96, rel=1e-9)


def test_fieller_says_where_the_data_do_not_bound_the_worth():
    covariance = np.diag([0.04, 0.25])
    ratio = Ratios(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([1.2, 0.7]), covariance)
    lower, upper = ratio.fieller(1.96)
    assert np.isneginf(lower[0]) and np.isposinf(upper[0])


def test_intervals_hold_the_true_worth():
    true = {"person": choice_sets.WORTH["service"], "green": choice_sets.WORTH["green"]}
    held = {"delta": [], "krinsky-robb": [], "fieller": []}
    for seed in range(25):
        found = fit_logit(choice_sets.known_choices(60, 4, seed=100 + seed))
        for method, kept in held.items():
            frame = willingness_to_pay(found, method=method, draws=500).frame
            truth = frame["level"].map(true)
            kept += list((frame["lower"] <= truth) & (truth <= frame["upper"]))
    for kept in held.values():
        # 50 intervals: below 87.0 % would be 1 in 200
        assert np.mean(kept) > NOMINAL - 2.6 * np.sqrt(NOMINAL * (1 - NOMINAL) / len(kept))


def test_scale_of_utility_does_not_move_worths(known):
    """Prices in cents make coefficients a hundred times smaller and worths as large."""
    cents = known.frame.assign(price=known.frame["price"] * 100).drop(columns="is_none")
    one = willingness_to_pay(fit_logit(known)).frame
    two = willingness_to_pay(fit_logit(read_choices(cents, levels=known.levels))).frame
    for name in ("willingness_to_pay", "standard_error", "lower", "upper"):
        assert two[name].to_numpy() == pytest.approx(100 * one[name].to_numpy(), rel=1e-6)


def test_groups_sums_and_differences(model):
    found = willingness_to_pay(model)
    assert found.groups == ("all", "even", "odd")
    gap = found.difference("service", group="even", than="odd")
    parts = [found.of("service", group=name) for name in ("even", "odd")]
    assert gap.estimate == pytest.approx(parts[0].estimate - parts[1].estimate)
    assert gap.lower < 0 < gap.upper  # the halves differ by chance only
    both = found.total([("service", "person"), ("energy", "green")])
    single = [found.of("service").estimate, found.of("energy").estimate]
    assert both.estimate == pytest.approx(sum(single))
    one = found.total([("service", "person")], group="odd")
    assert (one.lower, one.upper) == pytest.approx((parts[1].lower, parts[1].upper))
    assert both.unit == "EUR" and both.n == 200
    assert found.sentence.startswith("Simulated: person (service) moves willingness to pay most")
    assert "odd" in found._repr_html_()


def test_worth_by_a_trait_of_the_respondents():
    """Odd respondents chose as if the person cost nothing of the 20 that their offers show."""
    rows = choice_sets.known_rows(300, 6, seed=9)
    odd = rows["respondent_id"].str[1:].astype(int) % 2
    keen = pd.Series({f"R{n}": n % 2 for n in range(300)}, name="keen")
    dearer = rows.assign(price=rows["price"] + 20.0 * odd * (rows["service"] == "person"))
    data = read_choices(dearer, levels={"service": ["hotline", "person"]}, traits=keen)
    model = fit_logit(data, interactions=["service:keen"])
    worth = [
        willingness_to_pay(model, "service", at=at).of("service").estimate
        for at in ({"keen": 0}, {"keen": 1}, None)
    ]
    assert worth[1] - worth[0] == pytest.approx(20.0, abs=4.0)  # two standard errors
    assert worth[2] == pytest.approx((worth[0] + worth[1]) / 2)


def test_constants_of_alternatives_are_worths_too():
    data = choice_sets.known_choices(100, 5, seed=1)
    rows = data.frame[~data.frame["is_none"]].drop(columns="is_none")
    labelled = read_choices(rows, levels=data.levels, broken="exclude")
    found = willingness_to_pay(fit_logit(labelled, constants="alternatives"), "alternative")
    assert found.frame["reference"].unique().tolist() == ["package 1"]
    assert found.frame["level"].tolist() == list(labelled.alternatives[1:])


def test_a_price_that_attracts_is_refused(known):
    turned = known.frame.assign(price=-known.frame["price"]).drop(columns="is_none")
    model = fit_logit(read_choices(turned, levels=known.levels))
    with pytest.raises(ValueError, match="take the dearer offer, so that nothing can be expressed"):
        willingness_to_pay(model)


def test_a_group_without_a_negative_price_has_no_worth(known):
    rows = known.frame.drop(columns=["is_none", "half"])
    odd = rows["respondent_id"].str[1:].astype(int) % 4 == 1
    rows.loc[odd, "price"] = -rows.loc[odd, "price"]
    group = pd.Series({f"R{n}": ("b", "a")[int(n % 4 == 1)] for n in range(200)}, name="group")
    data = read_choices(rows, levels=known.levels, traits=group)
    found = willingness_to_pay(fit_logit(data, by="group"))
    assert found.of_group("a")["willingness_to_pay"].isna().all()
    assert "group a: the price coefficient is not negative" in " ".join(found.notes)
    assert found.sentence_of("a") == "a, no willingness to pay."


def test_a_weak_price_is_told():
    few = fit_logit(
        choice_sets.known_choices(9, 2, seed=1), errors="classical", attributes=["energy"]
    )
    found = willingness_to_pay(few)
    assert "standard errors from zero" in found.notes[-1] and "fieller" in found.notes[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attribute": "colour"}, "no attribute 'colour'; there are service, energy"),
        ({"method": "bootstrap"}, "give 'delta', 'krinsky-robb' or 'fieller'"),
        ({"draws": 5}, "at least 100"),
        ({"level": 2}, "level"),
    ],
)
def test_arguments_that_cannot_be(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        willingness_to_pay(model, **arguments)


def test_rows_that_are_not_there(model):
    found = willingness_to_pay(model)
    with pytest.raises(ValueError, match="no group 'both'"):
        found.of_group("both")
    with pytest.raises(ValueError, match="is in 0 rows; there are service: person"):
        found.of("service", "hotline")
    with pytest.raises(ValueError, match="two groups of different respondents"):
        found.difference("service", group="all", than="odd")


def test_true_worths_of_a_base(telecom_base, hand_made_base):
    truth = true_worths(telecom_base)
    own = truth[truth["group"] == "all"].set_index(["attribute", "level"])["truth"]
    found = willingness_to_pay(fit_logit(read_choices(telecom_base))).frame
    gap = (
        found["willingness_to_pay"]
        - own.loc[list(zip(found["attribute"], found["level"], strict=True))].to_numpy()
    )
    # six worths of one sample: the largest error is below three standard errors
    assert (gap / found["standard_error"]).abs().max() < 3
    assert own["service_level", "reactive"] == 0
    with pytest.raises(ValueError, match="holds real data"):
        true_worths(hand_made_base({"customers": [("K1", "One")]}))


def test_worths_of_simulated_companies_are_found():
    found = worth_recovery(5, 500, 6, methods=("logit",))
    by = found.summary.set_index("group")
    assert by.loc["all", "estimates"] == 30 and by.loc["segment", "estimates"] == 120
    # the truth lies where 95 % of the intervals are, but for chance
    assert (by["upper"] > NOMINAL).all() and (by["coverage"] > 0.88).all()
    assert abs(by.loc["all", "mean_error"]) < 1.0
    assert found.sentence.startswith("Simulated, 5 companies: logit (all) errs by")
    assert "logit" in found._repr_html_()
    assert len(found.by_level) == 12
    with pytest.raises(ValueError, match="give some of logit, mixed logit"):
        worth_recovery(2, methods=("probit",))
