"""Cox regression: against statsmodels, by properties, and recovering known effects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships import (
    Spells,
    check_proportionality,
    customer_months,
    fit_cox,
    fit_cox_by_reason,
    month_spells,
    read_spells,
)
from keycustomer.simulate import (
    REASONS,
    reason_chances,
    recorded_reasons,
    simulate_company,
)
from statsmodels.duration.hazard_regression import PHReg
from survival_spells_made import in_pieces, known_hazards, tied_spells

CLOSE = 1e-8  # two searches for one maximum
FEW = 6  # examples of a property


def by_statsmodels(table: pd.DataFrame, strata: str | None = None) -> PHReg:
    """PHReg with entries moved off the times of leaving, at which it would count them."""
    return PHReg(
        table["tenure"],
        table[["age", "managed"]].to_numpy(),
        table["ended"].astype(float),
        entry=table["entry"] + 0.5,
        strata=None if strata is None else table[strata],
        ties="efron",
    )


@settings(max_examples=FEW)
@given(st.integers(0, 10_000))
def test_estimates_are_those_of_statsmodels(seed: int) -> None:
    table = tied_spells(seed, n=80)
    for strata in (None, "plan"):
        mine = fit_cox(read_spells(table), ["age", "managed"], strata=strata)
        theirs = by_statsmodels(table, strata)
        # its search may stop early: its own derivatives are judged at our maximum
        assert theirs.score(mine.coefficients) == pytest.approx([0, 0], abs=1e-5)
        assert mine.log_likelihood == pytest.approx(theirs.loglike(mine.coefficients), rel=CLOSE)
        information = np.linalg.inv(-theirs.hessian(mine.coefficients))
        # a covariance near 0 has few digits of its own: both are judged in standard errors
        errors = np.sqrt(np.diag(information))
        assert mine.covariance / np.outer(errors, errors) == pytest.approx(
            information / np.outer(errors, errors), abs=1e-5
        )


@settings(max_examples=FEW)
@given(st.integers(0, 10_000))
def test_pieces_of_spells_change_nothing(seed: int) -> None:
    table = tied_spells(seed)
    whole = fit_cox(read_spells(table), ["managed"], strata="plan")
    cut = fit_cox(read_spells(in_pieces(table)), ["managed"], strata="plan")
    assert whole.coefficients == pytest.approx(cut.coefficients, abs=CLOSE)
    assert whole.covariance == pytest.approx(cut.covariance, rel=1e-6)
    assert whole.baseline["hazard"].to_numpy() == pytest.approx(
        cut.baseline["hazard"].to_numpy() * np.exp(_shift(whole, cut)), rel=1e-6
    )


def _shift(whole, cut) -> float:
    """Numbers count from their mean, which pieces weigh otherwise."""
    means = [model.design.codings[0].mean for model in (whole, cut)]
    return float((means[0] - means[1]) * whole.coefficients[0])


def test_known_effect_is_found_and_covered() -> None:
    """A log hazard ratio of .5 over 100 bases with late entries: bias and coverage."""
    models = [fit_cox(known_hazards(seed, 300, 0.5), ["x"]) for seed in range(100)]
    found = np.array([model.coefficients[0] for model in models])
    error = np.array([np.sqrt(model.covariance[0, 0]) for model in models])
    assert abs(found.mean() - 0.5) < 4 * found.std() / np.sqrt(100)
    held = np.abs(found - 0.5) < 1.959964 * error
    assert abs(held.mean() - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 100)


def test_baseline_and_survival_are_those_of_known_hazards() -> None:
    model = fit_cox(known_hazards(2, 20_000, 0.5, late=False), ["x"])
    some = pd.DataFrame({"x": [-1.0, 0.0, 1.0]})
    found = model.survival(some, [0, 6, 12])
    true = np.exp(-0.05 * np.exp(0.5 * some["x"].to_numpy())[:, None] * [0, 6, 12])
    assert found.to_numpy() == pytest.approx(true, abs=0.015)  # three standard errors of a share
    ratio = model.relative_hazard(some)
    assert ratio[2] / ratio[0] == pytest.approx(np.exp(2 * model.coefficients[0]))


def test_residuals_sum_to_nothing_and_give_robust_errors() -> None:
    model = fit_cox(known_hazards(3, 2_000, 0.5), ["x"])
    assert model.residuals.sum(axis=0) == pytest.approx([0], abs=1e-7)
    influence = model.influence()
    assert influence.T @ influence == pytest.approx(model.covariance, rel=0.15)


def test_influence_is_the_change_when_one_counts_no_more() -> None:
    spells = known_hazards(4, 80, 0.5)
    model = fit_cox(spells, ["x"])
    for row in (0, 7, 31):
        without = fit_cox(read_spells(spells.frame.drop(index=row)), ["x"])
        change = model.coefficients[0] - without.coefficients[0]
        # first order in one of about seventy customers
        assert model.influence()[row, 0] == pytest.approx(change, abs=0.006)


def crossing(seed: int, n: int) -> Spells:
    """A covariate that doubles the hazard in the first year and halves it later."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, n).astype(float)
    early = rng.exponential(1 / (0.04 * 2.0**x))
    late = 12 + rng.exponential(1 / (0.04 * 0.5**x))
    lasting = np.where(early < 12, early, late)
    table = pd.DataFrame({"tenure": np.minimum(lasting, 36), "ended": lasting < 36, "x": x})
    return read_spells(table)


def test_changing_ratios_are_noticed() -> None:
    check = check_proportionality(fit_cox(crossing(1, 800), ["x"]))
    assert check.suspects == ["x"] and check.frame["drift"].iloc[0] < -1
    assert "changes with time" in check._repr_html_()
    early = check.residuals[check.residuals["tenure"] < 12]["x"]
    assert early.mean() > 0.3  # log 2 in the first year


def test_constant_ratios_are_suspected_at_the_level_of_the_test() -> None:
    tests = [
        check_proportionality(fit_cox(known_hazards(seed, 200, 0.5), ["x"])) for seed in range(80)
    ]
    share = np.mean([check.frame["p_value"].iloc[0] < 0.05 for check in tests])
    assert abs(share - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 80)


@pytest.mark.parametrize("transform", ["identity", "log", "km"])
def test_check_is_the_score_test_of_the_term_times_time(transform: str) -> None:
    """Cut at every time, with the product as a covariate, at which statsmodels scores."""
    table = tied_spells(12, n=90)
    model = fit_cox(read_spells(table), ["age", "managed"])
    check = check_proportionality(model, transform)
    times = model.baseline["tenure"].to_numpy()
    if transform == "km":
        stay = np.cumprod(1 - model.baseline["left"] / model.baseline["at_risk"])
        moved = 1 - np.append(1.0, stay[:-1])
    else:
        moved = np.log(times) if transform == "log" else times
    cut = in_pieces(table)
    at = np.interp(cut["tenure"], times, moved)
    covariates = cut[["age", "managed"]].to_numpy()
    whole = PHReg(
        cut["tenure"],
        np.column_stack([covariates, covariates * at[:, None]]),
        cut["ended"].astype(float),
        entry=cut["entry"] + 0.5,
        ties="efron",
    )
    place = np.append(model.coefficients, [0, 0])
    score, information = whole.score(place), -whole.hessian(place)
    together = score @ np.linalg.solve(information, score)
    assert check.frame["statistic"].iloc[-1] == pytest.approx(together, rel=1e-5)
    own = [0, 1, 2]
    single = score[own] @ np.linalg.solve(information[np.ix_(own, own)], score[own])
    assert check.frame["statistic"].iloc[0] == pytest.approx(single, rel=1e-5)


def test_unknown_transform_is_refused() -> None:
    model = fit_cox(read_spells(tied_spells(1)), ["age"])
    with pytest.raises(ValueError, match="transform='rank' must be 'km', 'identity' or 'log'"):
        check_proportionality(model, "rank")  # type: ignore[arg-type]


REFUSED = [
    ({"ended": False}, ["age"], "nobody left"),
    ({"age": np.nan}, ["age"], "not known or not finite"),
    ({"plan": "x"}, ["plan"], "for everybody and can explain nothing"),
    ({}, ["age", "wage"], "'wage' is missing"),
    ({"double": lambda t: 2 * t["age"]}, ["age", "double"], "can be computed from the others"),
    (
        {"plan": lambda t: np.where(t["ended"], "x", "y")},
        ["plan"],
        r"plan=y: nobody with it left, of \d+ rows .* Join levels",
    ),
    (
        {"age": lambda t: 100 - t["tenure"] - 1000 * t["ended"] * (t["tenure"] < 3)},
        ["age"],
        "runs to infinity|no finite",
    ),
]


@pytest.mark.parametrize(("changes", "covariates", "message"), REFUSED)
def test_what_has_no_estimate_is_told(changes, covariates, message) -> None:
    spells = read_spells(tied_spells(1).assign(**changes))
    with pytest.raises(ValueError, match=message):
        fit_cox(spells, covariates)


def test_stratified_models_have_no_one_curve() -> None:
    model = fit_cox(read_spells(tied_spells(1)), ["age"], strata="plan")
    with pytest.raises(ValueError, match="stratified by 'plan'"):
        model.survival(pd.DataFrame({"age": [50.0]}), [1])
    assert set(model.baseline["stratum"]) == {"x", "y"}
    assert "Within strata of plan" in model._repr_html_()


def test_numbers_have_a_natural_step_and_flags_none() -> None:
    model = fit_cox(read_spells(tied_spells(1)), ["age", "managed", "plan"])
    assert model.spread[0] == pytest.approx(10, rel=0.3)
    assert np.isnan(model.spread[1:]).all()


def test_reasons_have_models_of_their_own_where_there_are_enough() -> None:
    table = tied_spells(3, n=200)
    table.loc[table.index[:4], "reason"] = "moved"
    found = fit_cox_by_reason(read_spells(table), ["age"])
    assert list(found.models) == ["service", "price"] or list(found.models) == ["price", "service"]
    assert "moved" in found.notes[0] and "too few" in found.notes[0]
    with pytest.raises(ValueError, match="no reason has a model"):
        fit_cox_by_reason(read_spells(table.head(8)), ["age"])


def test_reasons_of_the_simulated_operator_follow_what_drives_them() -> None:
    """Effects on the true hazard of a reason, and on what is recorded, in one company."""
    company = simulate_company(2_000, 24, seed=2)
    ids = company.tables()["customers"]["customer_id"]
    months = month_spells(customer_months(company), time="calendar")
    number = pd.Index(ids).get_indexer(months.frame["customer_id"])
    codes = recorded_reasons(company)[number]
    words = np.array([*REASONS, None], dtype=object)[codes]
    frame = months.frame.assign(
        reason=np.where(months.frame["ended"], words, None),
        size=company.accounts.size[number],
        offer=(months.frame["competitor_offer"] > 0).astype(float),
    )
    found = fit_cox_by_reason(Spells(frame, scale="calendar"), ["size"]).to_frame()
    table = found.set_index("reason")
    # the truth: how the mean hazard of the reason goes with size, month by month of those there
    month = frame["number"].to_numpy()
    chances = reason_chances(company, month, number)
    hazard = chances * company.panel.hazard[month, number][:, None]
    for code, reason in enumerate(REASONS):
        true = _poisson_slope(hazard[:, code], frame["size"].to_numpy(), month)
        row = table.loc[reason]
        assert abs(row["coefficient"] - true) < 4 * row["standard_error"], reason


def _poisson_slope(hazard: np.ndarray, x: np.ndarray, month: np.ndarray) -> float:
    """Log-linear slope of hazards in x with a level for every month, by Newton steps."""
    slope = 0.0
    for _ in range(20):
        weight = np.exp(slope * x)
        sums = [np.bincount(month, weight * x**k) for k in range(3)]
        mean = sums[1] / sums[0]
        score = (hazard * (x - mean[month])).sum()
        each = np.bincount(month, hazard)
        slope += score / (each @ (sums[2] / sums[0] - mean**2))
    return float(slope)
