"""PLS path models agree with published figures and with the package seminr, on two surveys."""

from functools import cache

import numpy as np
import pytest
from keycustomer import dimensions
from keycustomer.dimensions.measurement.validity import trait_ratios
from keycustomer.dimensions.pls.resampled import bootstrap_pls
from keycustomer.stats import bootstrap_counts
from known_surveys import MISSING, corp_rep, mobi

MOBI_PATHS = """
    Image -> Expectation -> Quality
    Expectation + Quality -> Value
    Image + Expectation + Quality + Value -> Satisfaction -> Complaints
    Image + Satisfaction + Complaints -> Loyalty
"""
MOBI = {
    "Image": [f"IMAG{n}" for n in range(1, 6)],
    "Expectation": [f"CUEX{n}" for n in range(1, 4)],
    "Quality": [f"PERQ{n}" for n in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{n}" for n in range(1, 4)],
    "Complaints": ["CUSCO"],
    "Loyalty": [f"CUSL{n}" for n in range(1, 4)],
}
CORP_REP_PATHS = {"CUSA": ["COMP", "LIKE"], "CUSL": ["COMP", "LIKE", "CUSA"]}
CORP_REP = {
    "COMP": [f"comp_{n}" for n in range(1, 4)],
    "LIKE": [f"like_{n}" for n in range(1, 4)],
    "CUSA": ["cusa"],
    "CUSL": [f"cusl_{n}" for n in range(1, 4)],
}

# Monecke & Leisch, Journal of Statistical Software 48(3), 2012, printed to three digits
PUBLISHED = {
    ("Image", "Expectation"): 0.505,
    ("Expectation", "Quality"): 0.557,
    ("Expectation", "Value"): 0.051,
    ("Quality", "Value"): 0.557,
    ("Image", "Satisfaction"): 0.179,
    ("Expectation", "Satisfaction"): 0.064,
    ("Quality", "Satisfaction"): 0.513,
    ("Value", "Satisfaction"): 0.192,
    ("Satisfaction", "Complaints"): 0.526,
    ("Image", "Loyalty"): 0.195,
    ("Satisfaction", "Loyalty"): 0.483,
    ("Complaints", "Loyalty"): 0.071,
}
# a run of semPLS with the path scheme, six digits
RUN = (
    0.504914,
    0.556749,
    0.049988,
    0.558304,
    0.178740,
    0.062523,
    0.512024,
    0.194765,
    0.528066,
    0.195755,
    0.485478,
    0.066926,
)

EXACT = 1e-7
"""Both iterate until weights change by less than 1e-7 in sum, so figures may differ by as much."""


def paths_of(fit):
    return {(row["from"], row["to"]): row["estimate"] for row in fit.paths().to_dict("records")}


@cache
def fitted(survey, scheme="path", **more):
    if survey == "mobi":
        return dimensions.fit_pls(MOBI_PATHS, MOBI, mobi(), scheme=scheme, **more)
    return dimensions.fit_pls(CORP_REP_PATHS, CORP_REP, corp_rep(), scheme=scheme, **more)


def test_mobi_with_the_centroid_scheme() -> None:
    found = paths_of(fitted("mobi", "centroid"))
    assert {pair: round(own, 3) for pair, own in found.items()} == PUBLISHED


def test_mobi_with_the_path_scheme() -> None:
    found = paths_of(fitted("mobi"))
    assert [round(found[pair], 6) for pair in PUBLISHED] == list(RUN)


def test_corp_rep() -> None:
    fit = fitted("corp_rep")
    assert {pair: round(own, 4) for pair, own in paths_of(fit).items()} == {
        ("COMP", "CUSA"): 0.1621,
        ("LIKE", "CUSA"): 0.4239,
        ("COMP", "CUSL"): 0.0092,
        ("LIKE", "CUSL"): 0.3421,
        ("CUSA", "CUSL"): 0.5045,
    }
    explained = fit.r_squared().set_index("construct")["estimate"]
    assert explained.round(5).to_dict() == {"CUSA": 0.29457, "CUSL": 0.56204}
    assert fit.answers.filled == 11
    assert fit.notes == ("11 missing answers replaced by the item's mean",)


SEMINR_MODELS = {
    "mobi": (MOBI, MOBI_PATHS, mobi, [f for f in PUBLISHED]),
    "corp_rep": (
        CORP_REP,
        CORP_REP_PATHS,
        corp_rep,
        [(cause, effect) for effect, before in CORP_REP_PATHS.items() for cause in before],
    ),
}


@cache
def by_seminr(survey, scheme="path", mode_b=(), reflective=False):
    seminr = pytest.importorskip("seminr")
    constructs, _, answers, arrows = SEMINR_MODELS[survey]
    specify = []
    for name, items in constructs.items():
        if reflective:
            specify.append(seminr.reflective(name, items))
        else:
            mode = seminr.mode_B if name in mode_b else seminr.mode_A
            specify.append(seminr.composite(name, items, weights=mode))
    frame = answers().fillna(MISSING)
    return seminr.estimate_pls(
        frame[[item for items in constructs.values() for item in items]],
        seminr.constructs(*specify),
        seminr.relationships(*(seminr.paths(cause, effect) for cause, effect in arrows)),
        inner_weights=seminr.path_weighting if scheme == "path" else seminr.path_factorial,
        missing_value=MISSING,
    )


def same_paths(fit, model):
    for (cause, effect), own in paths_of(fit).items():
        assert own == pytest.approx(model.path_coef.get(cause, effect), abs=EXACT)


@pytest.mark.parametrize("scheme", ["path", "factorial"])
@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_estimates_are_those_of_seminr(survey, scheme) -> None:
    seminr = pytest.importorskip("seminr")
    fit, model = fitted(survey, scheme), by_seminr(survey, scheme)
    same_paths(fit, model)
    for row in fit.loadings().to_dict("records"):
        cell = row["item"], row["construct"]
        assert row["weight"] == pytest.approx(model.outer_weights.get(*cell), abs=EXACT)
        assert row["loading"] == pytest.approx(model.outer_loadings.get(*cell), abs=EXACT)
    for row in fit.r_squared().to_dict("records"):
        assert row["estimate"] == pytest.approx(
            model.r_squared.get("Rsq", row["construct"]), abs=EXACT
        )
        assert row["adjusted"] == pytest.approx(
            model.r_squared.get("AdjRsq", row["construct"]), abs=EXACT
        )
    total = seminr.total_effects(model.path_coef)
    for row in fit.total_effects().to_dict("records"):
        assert row["estimate"] == pytest.approx(total.get(row["from"], row["to"]), abs=EXACT)
    scores = fit.scores[list(model.construct_scores.cols)].to_numpy()
    assert scores == pytest.approx(model.construct_scores.values, abs=1e-5)  # sums over items


@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_reliabilities_are_those_of_seminr(survey) -> None:
    seminr = pytest.importorskip("seminr")
    table = seminr.reliability_table(by_seminr(survey))
    names = {
        "alpha_standardised": "alpha",
        "rho_a": "rhoA",
        "composite_reliability": "rhoC",
        "ave": "AVE",
    }
    rows = fitted(survey).reliability()
    for row in rows[rows["items"] > 1].to_dict("records"):
        for own, theirs in names.items():
            # rho_A divides by differences of fourth powers of weights
            assert row[own] == pytest.approx(table.get(row["construct"], theirs), abs=10 * EXACT)


@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_cross_loadings_and_trait_ratios_are_those_of_seminr(survey) -> None:
    seminr = pytest.importorskip("seminr")
    model = by_seminr(survey)
    constructs, _, answers, _ = SEMINR_MODELS[survey]
    ratios = dimensions.heterotrait_monotrait(
        constructs, answers(), kind="HTMT", missing="mean", draws=2
    )
    theirs = seminr.htmt(model)
    for row in ratios.pairs.to_dict("records"):
        pair = row["construct"], row["other"]
        told = np.nan_to_num([theirs.get(*pair), theirs.get(*pair[::-1])]).max()
        assert row["estimate"] == pytest.approx(told, abs=1e-12)
    cross = fitted(survey).cross_loadings()
    for item in cross.index:
        for name in cross.columns:
            score = model.construct_scores.column(name)
            own = answers()[item].fillna(answers()[item].mean())
            assert cross.loc[item, name] == pytest.approx(np.corrcoef(own, score)[0, 1], abs=EXACT)


@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_regression_weights_are_those_of_seminr(survey) -> None:
    formative = {"mobi": ("Image", "Quality"), "corp_rep": ("COMP", "LIKE")}[survey]
    constructs, paths, answers, _ = SEMINR_MODELS[survey]
    fit = dimensions.fit_pls(paths, constructs, answers(), modes={name: "B" for name in formative})
    model = by_seminr(survey, mode_b=formative)
    same_paths(fit, model)
    for row in fit.loadings().to_dict("records"):
        cell = row["item"], row["construct"]
        # regression weights of like items magnify what is left of the iterations
        assert row["weight"] == pytest.approx(model.outer_weights.get(*cell), abs=10 * EXACT)


@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_the_consistent_variant_is_that_of_seminr(survey) -> None:
    fit, model = fitted(survey, consistent=True), by_seminr(survey, reflective=True)
    for (cause, effect), own in paths_of(fit).items():
        # corrected correlations near one magnify what is left of the iterations
        assert own == pytest.approx(model.path_coef.get(cause, effect), abs=100 * EXACT)
    for row in fit.loadings().to_dict("records"):
        told = model.outer_loadings.get(row["item"], row["construct"])
        assert row["loading"] == pytest.approx(told, abs=10 * EXACT)


@pytest.mark.parametrize("survey", ["mobi", "corp_rep"])
def test_the_same_resamples_give_the_draws_of_seminr(survey) -> None:
    seminr = pytest.importorskip("seminr")
    fit, draws, seed = fitted(survey), 12, 5
    own = bootstrap_pls(fit, draws=draws, seed=seed, signs="none")
    counts = np.concatenate(list(bootstrap_counts(fit.respondents, draws, seed)))
    drawn = [np.repeat(np.arange(fit.respondents), row) for row in counts]
    theirs = seminr.bootstrap_model(by_seminr(survey), indices=drawn)
    names = fit.model.constructs
    for number in range(draws):
        for at, (cause, effect) in enumerate(fit.model.arrows):
            told = theirs.boot_paths[number].get(names[cause], names[effect])
            assert own.draws["path"][number, at] == pytest.approx(told, abs=10 * EXACT)
        for at, (item, owner) in enumerate(fit.labels.cells):
            told = theirs.boot_loadings[number].get(fit.model.items[item], names[owner])
            assert own.draws["loading"][number, at] == pytest.approx(told, abs=10 * EXACT)


def test_trait_ratios_take_the_absolute_correlations() -> None:
    correlations = np.array([[[1, 0.5, -0.2], [0.5, 1, 0.3], [-0.2, 0.3, 1]]])
    blocks = {"a": [0, 1], "b": [2]}
    assert trait_ratios(correlations, blocks, "HTMT")[0, 0] == pytest.approx(0.25 / 0.5**0.5)
    assert trait_ratios(correlations, blocks, "HTMT2")[0, 0] == pytest.approx((0.06 / 0.5) ** 0.5)
