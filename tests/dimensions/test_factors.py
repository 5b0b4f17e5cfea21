"""Factors: derivatives, optimality, recovery of known loadings, number of factors, refusals."""

import known_surveys as surveys
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import (
    explore_factors,
    factors_of_correlations,
    parallel_analysis,
    sampling_adequacy,
)
from keycustomer.dimensions.measurement import extraction
from keycustomer.dimensions.measurement.adequacy import bartlett_test, kaiser_meyer_olkin
from keycustomer.dimensions.measurement.rotations import oblimin, rotate, varimax

DERIVED = 1e-7
"""Error of a central difference with steps of 1e-5."""

EXACT = 1e-6
"""How close a known optimum is met: the searches end at gradients of 1e-8."""


def known_loadings():
    """Twelve items, three to each of four related dimensions."""
    loadings = np.zeros((12, 4))
    for k in range(4):
        loadings[3 * k : 3 * k + 3, k] = (0.8, 0.7, 0.6)
    return loadings, np.full((4, 4), 0.3) + 0.7 * np.eye(4)


def population():
    loadings, between = known_loadings()
    matrix = loadings @ between @ loadings.T
    np.fill_diagonal(matrix, 1.0)
    items = [f"i{n}" for n in range(1, 13)]
    return pd.DataFrame(matrix, items, items)


def sample(n, seed=0):
    matrix = population()
    drawn = np.random.default_rng(seed).multivariate_normal(np.zeros(12), matrix, size=n)
    return pd.DataFrame(drawn, columns=matrix.columns)


def unrelated(n=200, items=8, seed=0):
    drawn = np.random.default_rng(seed).integers(1, 8, (n, items))
    return pd.DataFrame(drawn, columns=[f"i{k}" for k in range(items)])


def differences(function, at, step=1e-5):
    return np.array(
        [
            (function(at + step * unit) - function(at - step * unit)) / (2 * step)
            for unit in np.eye(at.size)
        ]
    )


@pytest.mark.parametrize("factors", [1, 2, 3])
def test_gradient_and_hessian_of_the_extraction(factors):
    matrix = np.corrcoef(surveys.holzinger().to_numpy(), rowvar=False)
    logs = np.log(np.linspace(0.2, 0.8, 9))

    def part(number):
        return lambda at: extraction._derivatives(matrix, factors, at)[number]

    _, gradient, hessian = extraction._derivatives(matrix, factors, logs)
    np.testing.assert_allclose(gradient, differences(part(0), logs), atol=DERIVED)
    np.testing.assert_allclose(hessian, differences(part(1), logs), atol=DERIVED)


def test_the_population_is_recovered_exactly():
    solution = factors_of_correlations(population(), 4, 1000, rotation="oblimin")
    loadings, between = known_loadings()
    assert solution.chi2 == pytest.approx(0, abs=EXACT)
    np.testing.assert_allclose(
        solution.uniquenesses, 1 - np.tile([0.64, 0.49, 0.36], 4), atol=EXACT
    )
    order = [int(solution.loadings.iloc[3 * k].argmax()) for k in range(4)]
    # perfect simple structure is what oblimin looks for, so it is met exactly
    np.testing.assert_allclose(solution.loadings.to_numpy()[:, order], loadings, atol=1e-5)
    found = solution.correlations.to_numpy()[np.ix_(order, order)]
    np.testing.assert_allclose(found, between, atol=1e-5)
    assert solution.problems == ()
    assert set(solution.belonging()) == {"F1", "F2", "F3", "F4"}
    assert sorted(map(len, solution.belonging().values())) == [3, 3, 3, 3]


def test_factors_reproduce_what_they_explain_under_every_rotation():
    answers = surveys.holzinger()
    whole = {
        method: explore_factors(answers, factors=3, rotation=method)
        for method in ("none", "varimax", "promax", "oblimin")
    }
    for solution in whole.values():
        pattern, between = solution.loadings.to_numpy(), solution.correlations.to_numpy()
        shared = pattern @ between @ pattern.T
        np.testing.assert_allclose(np.diag(shared), solution.communalities, atol=EXACT)
        np.testing.assert_allclose(np.diag(between), 1, atol=EXACT)
        assert solution.explained.sum() == pytest.approx(solution.communalities.mean())
        assert solution.chi2 == pytest.approx(whole["none"].chi2)
        assert (solution.loadings.sum() > 0).all()
        np.testing.assert_allclose(solution.structure, pattern @ between, atol=EXACT)
    between = whole["varimax"].correlations.to_numpy()
    np.testing.assert_allclose(between, np.eye(3), atol=EXACT)


@pytest.mark.parametrize("criterion", [varimax, oblimin])
def test_gradients_of_the_criteria(criterion):
    loadings = np.random.default_rng(2).normal(size=(6, 3))
    gradient = criterion(loadings)[1].ravel()
    found = differences(lambda at: criterion(at.reshape(6, 3))[0], loadings.ravel())
    np.testing.assert_allclose(gradient, found, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 15), st.integers(2, 4))
def test_no_small_turn_is_simpler(seed, items, factors):
    generator = np.random.default_rng(seed)
    loadings = generator.uniform(-0.9, 0.9, (items, factors))
    short = loadings / np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    turned = rotate(loadings, "varimax", starts=3)
    best = varimax(short @ turned.matrix)[0]
    assert best == pytest.approx(turned.criterion)
    np.testing.assert_allclose(turned.matrix.T @ turned.matrix, np.eye(factors), atol=EXACT)
    slanted = rotate(loadings, "oblimin", starts=3)
    least = oblimin(short @ slanted.matrix)[0]
    assert least <= oblimin(short @ turned.matrix)[0] + EXACT
    for _ in range(5):
        small = 1e-3 * generator.normal(size=(factors, factors))
        spin = np.linalg.qr(np.eye(factors) + small - small.T)[0]
        assert varimax(short @ turned.matrix @ spin)[0] >= best - EXACT
        axes = np.linalg.inv(slanted.matrix).T + small
        axes = axes / np.linalg.norm(axes, axis=0)
        assert oblimin(short @ np.linalg.inv(axes).T)[0] >= least - EXACT


def test_varimax_of_two_factors_is_kaisers_angle():
    loadings = np.random.default_rng(4).uniform(0.1, 0.9, (10, 2))
    short = loadings / np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    u, v = short[:, 0] ** 2 - short[:, 1] ** 2, 2 * short[:, 0] * short[:, 1]
    above = 2 * (u @ v - u.sum() * v.sum() / 10)
    below = (u**2 - v**2).sum() - (u.sum() ** 2 - v.sum() ** 2) / 10
    angle = np.arctan2(above, below) / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert rotate(loadings, "varimax").criterion == pytest.approx(varimax(short @ turn)[0])


def test_rotation_does_not_depend_on_the_axes_it_starts_from():
    solution = explore_factors(surveys.holzinger(), factors=3, rotation="none")
    spin = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    for method in ("varimax", "promax", "oblimin"):
        one = rotate(solution.loadings.to_numpy(), method)
        two = rotate(solution.loadings.to_numpy() @ spin, method)
        np.testing.assert_allclose(one.loadings, two.loadings, atol=1e-5)
        assert one.agreeing == one.starts


def test_known_loadings_are_recovered_from_answers_on_a_scale():
    latent = sample(1500, seed=7)
    answers = (4 + 1.3 * latent).round().clip(1, 7)
    solution = explore_factors(answers, rotation="promax")
    assert solution.factors == 4
    assert "4 factors by parallel analysis" in solution.notes
    loadings = known_loadings()[0]
    order = [int(solution.loadings.iloc[3 * k].argmax()) for k in range(4)]
    # sampling error of a loading is about .03, and rounding to seven points takes 3 % off
    np.testing.assert_allclose(solution.loadings.to_numpy()[:, order], loadings, atol=0.12)
    assert solution.p_value > 1e-4 or solution.srmr < 0.03


def test_a_test_that_factors_suffice_rejects_as_often_as_it_says():
    rejected = sum(
        explore_factors(sample(300, seed), factors=4, rotation="none").p_value < 0.05
        for seed in range(80)
    )
    # 5 % of 80 give or take three binomial standard deviations
    assert rejected <= 4 + 3 * np.sqrt(80 * 0.05 * 0.95)
    too_few = explore_factors(sample(300), factors=2, rotation="none")
    assert too_few.p_value < 1e-6


def test_adequacy_in_closed_form():
    matrix = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    # each partial correlation is (r - r^2) / (1 - r^2) = 1/3
    overall, by_item = kaiser_meyer_olkin(matrix)
    assert overall == pytest.approx(0.25 / (0.25 + 1 / 9))
    np.testing.assert_allclose(by_item, overall)
    chi2, df, _ = bartlett_test(matrix, 101)
    assert (chi2, df) == (pytest.approx(-(100 - 11 / 6) * np.log(0.5)), 3)
    identity = bartlett_test(np.eye(4), 50)
    assert identity[0] == pytest.approx(0) and identity[2] == pytest.approx(1)


def test_bartletts_test_keeps_its_level():
    rejected = sum(sampling_adequacy(unrelated(seed=seed)).p_value < 0.05 for seed in range(200))
    assert rejected <= 10 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_chance_alone_keeps_no_factor():
    result = parallel_analysis(unrelated(), draws=100)
    assert result.factors == 0
    assert result.above_one > 1
    assert result.to_frame()["kept"].sum() == 0
    with pytest.raises(ValueError, match="no factor stands out from chance"):
        explore_factors(unrelated())


def test_parallel_analysis_depends_on_the_seed_alone():
    answers = surveys.mobi()
    one, two = (parallel_analysis(answers, draws=40, seed=9) for _ in range(2))
    np.testing.assert_array_equal(one.chance_upper, two.chance_upper)
    assert one.eigenvalues.sum() == pytest.approx(answers.shape[1])
    assert (one.factors, one.above_one) == (2, 5)


def test_a_copied_item_makes_a_heywood_case():
    answers = sample(150, seed=2)[["i1", "i2", "i3", "i4", "i5"]]
    noise = np.random.default_rng(0).normal(size=150)
    answers["copy"] = answers["i1"] + 0.02 * noise
    solution = explore_factors(answers, factors=2)
    assert solution.heywood
    assert not solution.admissible
    assert "Heywood case" in solution.problems[0]
    assert "Heywood" in solution._repr_html_()


def test_two_similar_questions_are_no_dimension():
    solution = explore_factors(surveys.mobi())
    assert any("two similar questions" in problem for problem in solution.problems)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factors": 0}, "12 items can carry 1 to 7 factors"),
        ({"factors": 8}, "12 items can carry 1 to 7 factors"),
        ({"factors": True}, "factors=True"),
        ({"rotation": "equamax", "factors": 2}, "one of none, varimax, promax, oblimin"),
        ({"items": ["i1", "i2"]}, "2 items given, at least 3 needed"),
    ],
)
def test_what_cannot_be_explored_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        explore_factors(sample(100), **arguments)


def test_bad_matrices_and_counts_are_refused():
    matrix = population()
    with pytest.raises(ValueError, match="a symmetric matrix"):
        factors_of_correlations(matrix.iloc[:5], 1, 100)
    copied = matrix.copy()
    copied.iloc[1], copied.iloc[:, 1] = copied.iloc[0], copied.iloc[:, 0]
    copied.iloc[1, 1] = copied.iloc[0, 1] = copied.iloc[1, 0] = 1.0
    with pytest.raises(ValueError, match="'i1', 'i2' determine each other"):
        factors_of_correlations(copied, 2, 100)
    with pytest.raises(ValueError, match="draws=5"):
        parallel_analysis(sample(50), draws=5)
    with pytest.raises(ValueError, match="finite numbers"):
        rotate(np.array([[np.nan, 1.0]]))


def test_names_from_data_are_escaped_and_one_factor_needs_no_rotation():
    answers = surveys.holzinger()[["x1", "x2", "x3"]].rename(columns={"x1": "<b>"})
    solution = explore_factors(answers, factors=1)
    assert "<b>" not in solution._repr_html_()
    assert solution.df == 0 and np.isnan(solution.p_value)
    assert "no degrees of freedom" in solution._repr_html_()
    assert "<b>" not in sampling_adequacy(answers)._repr_html_()
    # three items and one factor: the loadings have a closed form
    r = answers.corr().to_numpy()
    first = np.sqrt(r[0, 1] * r[0, 2] / r[1, 2])
    assert solution.loadings.iloc[0, 0] == pytest.approx(first, abs=EXACT)
