"""Structural models: the figures of the design's methods and of lavaan's own documentation.

Printed figures are met to the last digit; figures of searches that stop a little short of the
minimum, such as lavaan's indirect effect of PoliticalDemocracy, to a few units of it.
"""

import known_surveys
import numpy as np
import pytest
from keycustomer.dimensions import ImproperSolution, fit_cfa, fit_sem
from keycustomer.dimensions.structural.models import write_model

ROUNDED = 0.500001
"""Half a unit of the last printed digit, with room for the rounding of a tie."""

RUN = 1.0
"""A unit of the last digit, of figures run by programs that stop a little short of the minimum."""

SHORT = 2.5
"""Units of the last digit by which a search that stops short misses: the exact minimum (gradient
below 1e-14, and a second program) has the indirect effect 1.2417810, lavaan prints 1.241783."""

ABOUT = 0.014
"""A unit of the last digit of `about`, and the error of a quantile of a thousand draws (.004)."""

HOLZINGER = {
    "visual": ["x1", "x2", "x3"],
    "textual": ["x4", "x5", "x6"],
    "speed": ["x7", "x8", "x9"],
}

DEMOCRACY = """
    ind60 =~ x1 + x2 + x3
    dem60 =~ y1 + y2 + y3 + y4
    dem65 =~ y5 + y6 + y7 + y8
    dem60 ~ a*ind60
    dem65 ~ ind60 + b*dem60
    y1 ~~ y5
    y2 ~~ y4 + y6
    y3 ~~ y7
    y4 ~~ y8
    y6 ~~ y8
    indirect := a*b
"""

REPUTATION = """
    COMP =~ comp_1 + comp_2 + comp_3
    LIKE =~ like_1 + like_2 + like_3
    CUSA =~ cusa
    CUSL =~ cusl_1 + cusl_2 + cusl_3
    CUSA ~ COMP + a*LIKE
    CUSL ~ COMP + LIKE + b*CUSA
    indirect := a*b
"""

MOBI = {
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Expectation": [f"CUEX{i}" for i in range(1, 4)],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}

MOBI_PATHS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}


def printed(value, figure: str, units: float = ROUNDED) -> bool:
    """Whether a value rounds to a figure as it was printed."""
    digits = len(figure.partition(".")[2])
    return abs(value - float(figure)) <= units * 10.0**-digits


def told(indices, figures: str, units: float = ROUNDED) -> None:
    """Check indices written as `name figure name figure`."""
    words = figures.split()
    for name, figure in zip(words[::2], words[1::2], strict=True):
        value = getattr(indices, name)
        assert printed(value, figure, units), f"{name} is {value}, printed {figure}"


@pytest.fixture(scope="module")
def holzinger():
    return fit_cfa(HOLZINGER, known_surveys.holzinger())


@pytest.fixture(scope="module")
def democracy():
    return fit_sem(DEMOCRACY, known_surveys.political_democracy())


@pytest.fixture(scope="module")
def reputation():
    return fit_sem(REPUTATION, known_surveys.corp_rep(), missing="mean")


def test_fit_of_holzinger(holzinger):
    told(
        holzinger.indices,
        "chi2 85.305522 df 24 cfi .930560 tli .895839 rmsea .092121 rmsea_lower .071418 "
        "rmsea_upper .113678 srmr .065205 log_likelihood -3737.744927 aic 7517.489853 "
        "bic 7595.339169 baseline_chi2 918.851589 baseline_df 36 n 301 parameters 21",
    )


def test_reliability_of_holzinger(holzinger):
    found = holzinger.reliability().pivot(index="construct", columns="measure", values="estimate")
    for construct, omega, ave in (
        ("visual", ".625318", ".370559"),
        ("textual", ".885175", ".721016"),
        ("speed", ".687760", ".424488"),
    ):
        assert printed(found.loc[construct, "omega"], omega)
        assert printed(found.loc[construct, "ave"], ave)


def test_coefficients_of_holzinger_as_lavaan_documents_them(holzinger):
    """Estimate and standard error, Rosseel (2012), section 2.2, and lavaan's tutorial."""
    figures = {
        "visual=~x2": "0.554 0.100",
        "visual=~x3": "0.729 0.109",
        "textual=~x5": "1.113 0.065",
        "textual=~x6": "0.926 0.055",
        "speed=~x8": "1.180 0.165",
        "speed=~x9": "1.082 0.151",
        "visual~~textual": "0.408 0.074",
        "visual~~speed": "0.262 0.056",
        "textual~~speed": "0.173 0.049",
        "x1~~x1": "0.549 0.114",
        "x2~~x2": "1.134 0.102",
        "visual~~visual": "0.809 0.145",
        "textual~~textual": "0.979 0.112",
        "speed~~speed": "0.384 0.086",
    }
    check_coefficients(holzinger, figures)


def test_modification_hints_of_holzinger_as_lavaan_documents_them(holzinger):
    """Modification index and expected change, lavaan's tutorial."""
    figures = """visual=~x9 36.411 0.577, x7~~x8 34.145 0.536, visual=~x7 18.631 -0.422,
        x8~~x9 14.946 -0.423, textual=~x3 9.151 -0.272, x2~~x7 8.918 -0.183,
        textual=~x1 8.903 0.350, x2~~x3 8.532 0.218, x3~~x5 7.858 -0.130, visual=~x5 7.441 -0.210"""
    hints = holzinger.modification_hints(10).to_dict("records")
    for hint, line in zip(hints, figures.split(","), strict=True):
        name, drop, change = line.split()
        assert f"{hint['left']}{hint['operator']}{hint['right']}" == name
        assert printed(hint["chi2_drop"], drop)
        assert printed(hint["change"], change)


def check_coefficients(fit, figures: dict[str, str]) -> None:
    table = fit.parameters()
    table.index = table["left"] + table["operator"] + table["right"]
    for name, figure in figures.items():
        for column, one in zip(("estimate", "se"), figure.split(), strict=True):
            assert printed(table.loc[name, column], one), (
                f"{name} {column} {table.loc[name, column]}"
            )


def test_fit_of_political_democracy(democracy):
    told(
        democracy.indices,
        "chi2 38.125218 df 35 cfi .995375 tli .992731 rmsea .034504 srmr .044418 "
        "p .329 rmsea_lower .000 rmsea_upper .092",
    )


def test_indirect_effect_of_political_democracy(democracy):
    row = democracy.definitions().iloc[0]
    assert printed(row["estimate"], "1.241783", SHORT)
    assert printed(row["se"], ".35542")
    gradient = democracy.structure.evaluate(
        democracy.theta[None], democracy.sample.covariance[None]
    ).gradient
    assert np.abs(gradient).max() < 1e-12  # it is the minimum that was reached


def test_coefficients_of_political_democracy_as_lavaan_documents_them(democracy):
    figures = {
        "ind60=~x2": "2.180 0.139",
        "ind60=~x3": "1.819 0.152",
        "dem60=~y2": "1.257 0.182",
        "dem60=~y3": "1.058 0.151",
        "dem60=~y4": "1.265 0.145",
        "dem65=~y6": "1.186 0.169",
        "dem65=~y7": "1.280 0.160",
        "dem65=~y8": "1.266 0.158",
        "dem60~ind60": "1.483 0.399",
        "dem65~ind60": "0.572 0.221",
        "dem65~dem60": "0.837 0.098",
        "y1~~y5": "0.624 0.358",
        "y2~~y4": "1.313 0.702",
        "y2~~y6": "2.153 0.734",
        "y3~~y7": "0.795 0.608",
        "y4~~y8": "0.348 0.442",
        "y6~~y8": "1.356 0.568",
    }
    check_coefficients(democracy, figures)


def test_standardised_political_democracy_as_lavaan_documents_it(democracy):
    loadings = democracy.loadings().set_index("item")["standardised"]
    figures = """x1 .920 x2 .973 x3 .872 y1 .850 y2 .717 y3 .722 y4 .846 y5 .808 y6 .746 y7 .824
        y8 .828""".split()
    for item, figure in zip(figures[::2], figures[1::2], strict=True):
        assert printed(loadings[item], figure), f"{item} {loadings[item]}"
    for value, figure in zip(
        democracy.paths()["standardised"], (".447", ".182", ".885"), strict=True
    ):
        assert printed(value, figure)


def test_corporate_reputation_is_a_proper_lesson(reputation):
    told(reputation.indices, "chi2 102.622588 df 30 cfi .957842 rmsea .083887 n 344")
    told(reputation.indices, "srmr .056811", RUN)
    row = reputation.definitions().iloc[0]
    assert reputation.admissible
    assert printed(row["estimate"], ".244695")
    assert printed(row["se"], ".046987")


def test_bootstrap_of_corporate_reputation(reputation):
    """The design gives about [.13, .35]."""
    row = reputation.bootstrap(1000, seed=0).definitions().iloc[0]
    assert row["lower"] == pytest.approx(0.13, abs=ABOUT)
    assert row["upper"] == pytest.approx(0.35, abs=ABOUT)


def test_the_full_model_of_mobi_is_refused_while_its_fit_looks_normal():
    fit = fit_sem(write_model(MOBI, MOBI_PATHS), known_surveys.mobi())
    assert fit.indices.rmsea < 0.08
    assert fit.indices.srmr < 0.08
    assert not fit.admissible
    assert fit.raw_parameters()["standardised"].abs().max() > 2
    with pytest.raises(ImproperSolution, match="told apart"):
        fit.paths()


def test_the_constructs_of_mobi_cannot_be_told_apart():
    fit = fit_cfa(MOBI, known_surveys.mobi())
    (problem,) = fit.problems
    assert problem.kind == "impossible correlations"
    assert problem.value < 0
    assert problem.where == "Quality, Satisfaction, Loyalty"
    assert "discriminant validity" in problem.cure
