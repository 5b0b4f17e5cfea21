"""Factor scores: known formulas, intervals that hold the true values, accounts."""

import known_surveys as surveys
import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import (
    MeasurementModel,
    explore_factors,
    fit_cfa,
    score_accounts,
    score_dimensions,
)

EXACT = 1e-8

DIMENSIONS = ["functional", "convenience", "social", "experiential"]
ABILITIES = {
    "visual": ["x1", "x2", "x3"],
    "textual": ["x4", "x5", "x6"],
    "speed": ["x7", "x8", "x9"],
}


def model():
    loadings = np.zeros((12, 4))
    for k in range(4):
        loadings[3 * k : 3 * k + 3, k] = (0.8, 0.7, 0.6)
    items = [f"i{n}" for n in range(12)]
    between = pd.DataFrame(np.full((4, 4), 0.4) + 0.6 * np.eye(4), DIMENSIONS, DIMENSIONS)
    unique = pd.Series(1 - (loadings**2).sum(axis=1), items)
    frame = pd.DataFrame(loadings, items, DIMENSIONS)
    return MeasurementModel(frame, between, unique, pd.Series(4.0, items), pd.Series(1.5, items))


def drawn(n, seed=0):
    """True values and answers of respondents who follow the model."""
    known, generator = model(), np.random.default_rng(seed)
    truth = generator.multivariate_normal(np.zeros(4), known.correlations, size=n)
    noise = generator.normal(size=(n, 12)) * np.sqrt(known.uniquenesses.to_numpy())
    answers = 4 + 1.5 * (truth @ known.loadings.to_numpy().T + noise)
    index = pd.Index([f"r{k}" for k in range(n)])
    return (
        pd.DataFrame(truth, index, DIMENSIONS),
        pd.DataFrame(answers, index, known.loadings.index),
    )


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_intervals_hold_the_true_values(method):
    truth, answers = drawn(4000)
    holes = np.random.default_rng(1).random(answers.shape) < 0.15
    result = score_dimensions(model(), answers.mask(holes), method=method)
    scored = result.scores.notna().all(axis=1)
    held = ((truth - result.scores).abs() <= 1.96 * result.errors)[scored]
    # 95 % of 4,000, give or take three binomial standard deviations
    np.testing.assert_allclose(held.mean(), 0.95, atol=3 * np.sqrt(0.95 * 0.05 / scored.sum()))
    spread = ((truth - result.scores) ** 2)[scored].mean()
    np.testing.assert_allclose(spread, (result.errors[scored] ** 2).mean(), rtol=0.1)
    assert result.partly == (holes.any(axis=1) & scored).sum()
    if method == "bartlett":
        assert 0 < result.unscored == (~scored).sum()


def test_determinacy_is_the_correlation_with_the_truth():
    truth, answers = drawn(8000, seed=2)
    result = score_dimensions(model(), answers)
    np.testing.assert_allclose(
        result.determinacy, result.scores.corrwith(truth), atol=3 / np.sqrt(8000)
    )
    assert result.notes == ()


def test_one_dimension_in_closed_form():
    items = ["a", "b"]
    known = MeasurementModel(
        pd.DataFrame([[0.8], [0.6]], items, ["value"]),
        pd.DataFrame([[1.0]], ["value"], ["value"]),
        pd.Series([0.36, 0.64], items),
        pd.Series(0.0, items),
        pd.Series(1.0, items),
    )
    answers = pd.DataFrame({"a": [1.0, np.nan], "b": [0.5, 2.0]})
    # information adds up: sum of loading^2 / uniqueness
    information = 0.64 / 0.36 + 0.36 / 0.64
    weighted = 0.8 / 0.36 * 1.0 + 0.6 / 0.64 * 0.5
    regression = score_dimensions(known, answers)
    assert regression.scores.iloc[0, 0] == pytest.approx(weighted / (1 + information))
    assert regression.errors.iloc[0, 0] == pytest.approx((1 + information) ** -0.5)
    assert regression.scores.iloc[1, 0] == pytest.approx(0.6 * 2.0)
    bartlett = score_dimensions(known, answers, method="bartlett")
    assert bartlett.scores.iloc[0, 0] == pytest.approx(weighted / information)
    assert bartlett.errors.iloc[1, 0] == pytest.approx((0.64 / 0.36) ** 0.5)
    assert any("too weakly tied" in note for note in score_dimensions(known, answers).notes) == (
        regression.determinacy.iloc[0] < 0.8
    )


def test_scores_of_a_confirmatory_model_are_those_of_the_structural_package():
    answers = surveys.holzinger()
    fit = fit_cfa(ABILITIES, answers)
    for method in ("regression", "bartlett"):
        own, theirs = score_dimensions(fit, answers, method=method), fit.scores(method=method)
        for name in ABILITIES:
            assert own.scores[name].corr(theirs[name]) == pytest.approx(1, abs=EXACT)
    regression = score_dimensions(fit, answers)
    # regression scores spread as far as they are determined
    np.testing.assert_allclose(regression.scores.std(ddof=0), regression.determinacy, atol=0.01)


def test_scores_of_explored_factors_are_thurstones():
    answers = surveys.holzinger()
    solution = explore_factors(answers, factors=3)
    result = score_dimensions(solution, answers)
    standard = (answers - answers.mean()) / answers.std()
    weights = np.linalg.solve(answers.corr(), solution.structure)
    np.testing.assert_allclose(result.scores, standard @ weights, atol=1e-6)


def test_accounts_average_their_respondents():
    answers = drawn(60)[1]
    answers.iloc[0] = np.nan
    accounts = pd.Series([f"k{k // 3}" for k in range(60)], answers.index)
    accounts.iloc[1] = None
    scores = score_dimensions(model(), answers)
    result = score_accounts(scores, accounts)
    assert (result.accounts, result.unscored) == (20, 2)
    whole = result.wide()
    assert whole.loc["k0", "respondents"] == 1
    np.testing.assert_allclose(whole.loc["k5", DIMENSIONS], scores.scores.iloc[15:18].mean())
    row = result.profile("k5").set_index("dimension").loc["social"]
    error = np.sqrt((scores.errors["social"].iloc[15:18] ** 2).sum()) / 3
    assert row["score_high"] - row["score"] == pytest.approx(1.959964 * error, rel=1e-6)
    ends = result.frame.groupby("dimension")["share_below"].agg(["min", "max"])
    assert (ends == [0, 1]).to_numpy().all()
    with pytest.raises(KeyError, match="no account 'k99' has a score; 20 accounts have"):
        result.profile("k99")


def test_averages_of_accounts_hold_the_true_values():
    truth, answers = drawn(3000, seed=4)
    accounts = pd.Series(np.arange(3000) // 3, answers.index)
    result = score_accounts(score_dimensions(model(), answers, method="bartlett"), accounts)
    means = truth.groupby(accounts).mean().stack()
    found = result.frame.set_index(["account", "dimension"]).loc[means.index]
    held = (found["score_low"] <= means) & (means <= found["score_high"])
    assert held.mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 1000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: score_dimensions(model(), a, method="sum"), "'regression' or 'bartlett'"),
        (lambda a: score_dimensions(model(), a.drop(columns="i3")), "missing: 'i3'"),
        (lambda a: score_dimensions(model(), a.astype(str)), "hold no numbers"),
        (lambda a: score_accounts(score_dimensions(model(), a), pd.Series(["x"])), "1 accounts"),
        (
            lambda a: score_accounts(score_dimensions(model(), a), pd.Series(None, a.index)),
            "no respondent has both",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(drawn(30)[1])


def test_models_that_should_not_be_read_give_no_scores():
    answers = surveys.holzinger()
    copied = answers.assign(copy=answers["x1"] + np.random.default_rng(0).normal(0, 0.02, 301))
    heywood = explore_factors(copied, factors=4)
    with pytest.raises(ValueError, match="should not be read"):
        score_dimensions(heywood, copied)


def test_results_read_in_a_notebook():
    answers = drawn(40)[1]
    scores = score_dimensions(model(), answers)
    table = scores.to_frame()
    assert list(table.columns) == [*DIMENSIONS, *(f"{name}_error" for name in DIMENSIONS)]
    accounts = pd.Series(["<b>"] * 20 + ["other"] * 20, answers.index)
    assert "<b>" not in score_accounts(scores, accounts)._repr_html_()
    assert "determinacy" in scores._repr_html_()


def test_a_table_in_the_models_place_is_told_with_the_cure():
    table = pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(TypeError, match="the fitted model comes first, the answers second"):
        score_dimensions(table, table)
