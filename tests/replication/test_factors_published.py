"""Factor analysis: figures printed by R, GPArotation and SPSS, and those of the design's methods.

R's `factanal` prints three decimals in the reference output of its examples (Harman23.cor,
Harman74.cor, ability.cov); GPArotation's own tests hold rotated loadings of Harman's eight physical
variables and of ability.cov, and SPSS's Kaiser-normalised oblimin of an eight-item table.
"""

import known_surveys as surveys
import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import (
    explore_factors,
    factors_of_correlations,
    parallel_analysis,
    sampling_adequacy,
)
from keycustomer.dimensions.measurement.rotations import rotate, sharpen, varimax

PRINTED = 0.5000001e-3
"""Half a unit of the third decimal, which R prints."""

SEARCHED = 1.1e-3
"""A unit of the third decimal more: R's search for uniquenesses stops a little before ours."""

GPA = 2e-5
"""GPArotation stops at a gradient of 1e-5, and its own tests ask for no more."""

SPSS = 3e-3
"""SPSS's search is coarse: GPArotation allows itself the same difference."""


def correlations(name):
    """Matrix and number of respondents of a covariance list of R."""
    frame = surveys.r_data("datasets", name).set_index("rownames")
    columns = [column for column in frame.columns if column.startswith("cov.")]
    matrix = frame[columns].rename(columns=lambda column: column.removeprefix("cov."))
    return matrix, int(frame["n.obs"].iloc[0])


def figures(text):
    return np.array(text.split(), dtype=float)


def test_holzinger_adequacy_and_number_of_factors():
    answers = surveys.holzinger()
    fit = sampling_adequacy(answers)
    assert fit.kmo == pytest.approx(0.752245, abs=5e-7)
    assert (fit.chi2, fit.df) == (pytest.approx(904.097051, abs=5e-7), 36)
    assert fit.word == "middling"
    assert {parallel_analysis(answers, draws=100, seed=seed).factors for seed in range(5)} == {3}


R_FITS = [
    ("Harman23.cor", 1, 611.44, 20, ".158 .135 .190 .187 .760 .829 .877 .801"),
    ("Harman23.cor", 2, 75.74, 13, ".170 .107 .166 .199 .089 .364 .416 .537"),
    ("Harman23.cor", 3, 22.81, 7, ".127 .005 .193 .157 .090 .359 .411 .490"),
    ("Harman23.cor", 4, 4.63, 2, ".137 .005 .191 .116 .138 .283 .178 .488"),
    (
        "Harman74.cor",
        1,
        622.91,
        252,
        ".677 .866 .830 .768 .487 .491 .500 .514 .474 .818 .731 .824 "
        ".681 .833 .863 .775 .812 .778 .816 .612 .676 .619 .524 .593",
    ),
    (
        "Harman74.cor",
        2,
        420.24,
        229,
        ".650 .864 .844 .778 .375 .316 .319 .503 .258 .670 .608 .581 "
        ".567 .832 .850 .743 .770 .625 .792 .629 .579 .634 .539 .553",
    ),
    (
        "Harman74.cor",
        3,
        295.59,
        207,
        ".500 .793 .662 .694 .352 .316 .300 .502 .256 .200 .586 .494 "
        ".569 .838 .848 .643 .780 .635 .788 .590 .580 .597 .498 .500",
    ),
    (
        "Harman74.cor",
        4,
        226.68,
        186,
        ".438 .780 .644 .651 .352 .312 .283 .485 .257 .240 .551 .435 "
        ".491 .646 .696 .549 .598 .593 .762 .592 .583 .601 .497 .500",
    ),
    (
        "Harman74.cor",
        5,
        186.82,
        166,
        ".450 .781 .639 .649 .357 .288 .277 .485 .262 .215 .386 .444 "
        ".256 .639 .706 .550 .614 .596 .764 .521 .564 .580 .442 .478",
    ),
    ("ability.cov", 2, 6.11, 4, ".455 .589 .218 .769 .052 .334"),
]


@pytest.mark.parametrize(("name", "factors", "chi2", "df", "printed"), R_FITS)
def test_factanal_of_r(name, factors, chi2, df, printed):
    matrix, respondents = correlations(name)
    solution = factors_of_correlations(matrix, factors, respondents, rotation="none")
    assert solution.chi2 == pytest.approx(chi2, abs=0.00501)
    assert solution.df == df
    tolerance = PRINTED if name != "Harman74.cor" or factors < 5 else SEARCHED
    np.testing.assert_allclose(solution.uniquenesses, figures(printed), atol=tolerance)


def test_the_heywood_case_of_harman23_is_told_where_r_prints_its_bound():
    matrix, respondents = correlations("Harman23.cor")
    for factors, heywood in ((2, ()), (3, ("arm.span",)), (4, ("arm.span",))):
        solution = factors_of_correlations(matrix, factors, respondents, rotation="varimax")
        assert solution.heywood == heywood
        assert solution.admissible == (not heywood)
        assert any("arm.span" in problem for problem in solution.problems) == bool(heywood)


def stopped_early(loadings, eps=1e-5):
    """Varimax with Kaiser's normalisation, stopped as soon as it gains less than eps, as by R."""
    lengths = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    short = loadings / lengths
    turn, before = np.eye(loadings.shape[1]), 0.0
    for _ in range(1000):
        turned = short @ turn
        target = turned**3 - turned * (turned**2).mean(axis=0)
        left, sizes, right = np.linalg.svd(short.T @ target)
        turn = left @ right
        if sizes.sum() < before * (1 + eps):
            break
        before = sizes.sum()
    return loadings @ turn


R_ABILITY_VARIMAX = np.array(
    [
        [0.499437829, 0.543449047],
        [0.156070079, 0.621537990],
        [0.205786990, 0.859925885],
        [0.108530754, 0.467761017],
        [0.956242470, 0.182096320],
        [0.784768184, 0.224822137],
    ]
)


def test_varimax_is_simpler_than_that_of_r_which_stops_early():
    matrix, respondents = correlations("ability.cov")
    solution = factors_of_correlations(matrix, 2, respondents, rotation="varimax")
    ours = solution.loadings.to_numpy()
    unrotated = factors_of_correlations(matrix, 2, respondents, rotation="none")
    theirs = stopped_early(unrotated.loadings.to_numpy())
    np.testing.assert_allclose(theirs, R_ABILITY_VARIMAX, atol=GPA)

    def simplicity(loadings):
        return varimax(loadings / np.sqrt((loadings**2).sum(axis=1, keepdims=True)))[0]

    assert simplicity(ours) < simplicity(R_ABILITY_VARIMAX)
    # the two differ in the third decimal only, and exactly agree where R goes on to the end
    np.testing.assert_allclose(ours, R_ABILITY_VARIMAX, atol=5e-3)
    np.testing.assert_allclose(ours, stopped_early(unrotated.loadings.to_numpy(), 0), atol=1e-6)


def test_promax_of_r():
    matrix, respondents = correlations("Harman74.cor")
    unrotated = factors_of_correlations(matrix, 5, respondents, rotation="none")
    # R's promax starts from its varimax and does not normalise the target
    start = stopped_early(unrotated.loadings.to_numpy())
    turn = sharpen(start)
    ours = pd.DataFrame(start @ turn, index=matrix.columns)
    ours *= np.sign(ours.sum())
    printed = {
        "VisualPerception": [0.831, -0.127, 0.230],
        "WordMeaning": [0.846, -0.108],
        "Addition": [-0.334, 1.012],
        "StraightCurvedCapitals": [0.542, 0.247, 0.618],
        "Code": [0.112, 0.288, 0.486, 0.424],
        "FigureRecognition": [0.399, -0.142, -0.207, 0.562],
    }
    for item, loadings in printed.items():
        # R leaves loadings below .1 blank, and orders the factors by their squares
        ordered = ours.loc[item, (ours**2).sum().sort_values(ascending=False).index]
        shown = ordered[ordered.abs() >= 0.1]
        np.testing.assert_allclose(shown, loadings, atol=SEARCHED)
    np.testing.assert_allclose(
        sorted((ours**2).sum(), reverse=True), figures("3.529 3.311 2.367 2.109 .762"), atol=6e-3
    )


def test_oblimin_of_gparotation_on_ability():
    matrix, respondents = correlations("ability.cov")
    solution = factors_of_correlations(matrix, 2, respondents, rotation="oblimin", kaiser=False)
    printed = [
        [0.386361590, 0.474512774],
        [-0.011005942, 0.645872077],
        [-0.026292627, 0.896114111],
        [-0.018020053, 0.488292828],
        [0.990094493, -0.037071828],
        [0.790565727, 0.052610955],
    ]
    np.testing.assert_allclose(solution.loadings, printed, atol=GPA)


HARMAN8 = np.array(
    [
        [0.830, -0.396],
        [0.818, -0.469],
        [0.777, -0.470],
        [0.798, -0.401],
        [0.786, 0.500],
        [0.672, 0.458],
        [0.594, 0.444],
        [0.647, 0.333],
    ]
)


def test_quartimin_of_harmans_physical_variables():
    turned = rotate(HARMAN8, "oblimin", kaiser=False)
    printed = [
        [0.8918217697, 0.0560146457],
        [0.9536799986, -0.0232460005],
        [0.9291498623, -0.0465027397],
        [0.8766828511, 0.0336582451],
        [0.0136988313, 0.9250013826],
        [-0.0172668088, 0.8212535445],
        [-0.0524468998, 0.7649536381],
        [0.0858880630, 0.6831160953],
    ]
    np.testing.assert_allclose(turned.loadings, printed, atol=1e-7)
    assert turned.correlations[0, 1] == pytest.approx(0.472747617, abs=1e-7)


def test_oblimin_of_spss_with_kaisers_normalisation():
    loadings = figures(
        ".758 .413 .001164 .693 .489 -.199 .362 .656 -.204 .826 .06589 .235 .540 -.510 .441 "
        ".654 -.335 .507 -.349 .539 .669 -.580 .450 .551"
    ).reshape(8, 3)
    pattern = figures(
        ".241 .787 -.0136 .01783 .848 -.119 -.240 .779 .06824 .608 .507 -.0252 .858 -.163 -.0726 "
        ".896 .0305 .03954 .09405 .07397 .949 -.0861 -.113 .875"
    ).reshape(8, 3)
    structure = figures(
        ".379 .829 -.146 .191 .862 -.203 -.123 .731 .051 .701 .613 -.218 .847 -.010 -.261 "
        ".891 .180 -.176 -.118 .000 .919 -.313 -.211 .906"
    ).reshape(8, 3)
    turned = rotate(loadings, "oblimin", kaiser=True)
    order = [int(np.abs(turned.loadings.T @ column).argmax()) for column in pattern.T]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(turned.loadings[:, order], pattern, atol=SPSS)
    found = turned.loadings @ turned.correlations
    np.testing.assert_allclose(found[:, order], structure, atol=4e-3)


@pytest.mark.parametrize("factors", [1, 2, 3])
def test_uniquenesses_of_scikit_learn(factors):
    decomposition = pytest.importorskip("sklearn.decomposition")
    answers = surveys.holzinger()
    standard = ((answers - answers.mean()) / answers.std(ddof=0)).to_numpy()
    other = decomposition.FactorAnalysis(factors, tol=1e-12, max_iter=20_000).fit(standard)
    solution = explore_factors(answers, factors=factors, rotation="none")
    np.testing.assert_allclose(solution.uniquenesses, other.noise_variance_, atol=1e-4)
    ours = solution.loadings.to_numpy() @ solution.loadings.to_numpy().T
    np.testing.assert_allclose(ours, other.components_.T @ other.components_, atol=1e-4)
