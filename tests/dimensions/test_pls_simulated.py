"""PLS finds the paths of the simulated company, whose truth is known."""

from functools import cache

import pytest
from keycustomer import dimensions, simulate

LOW, HIGH = 1, 7
PATHS = """
    functional + convenience + social + experiential + sacrifice -> satisfaction
    satisfaction + social + experiential -> loyalty
"""
KINDS = (
    "functional",
    "convenience",
    "social",
    "experiential",
    "sacrifice",
    "satisfaction",
    "loyalty",
)
OFF = 0.12
"""Largest error of a path: over eight companies of 3000 accounts the largest was 0.09; rounded
answers and habits of using the scale leave a bias of up to 0.06."""


@cache
def surveyed():
    """Return a model of every kind, plain and consistent, and the true standardised paths."""
    company = simulate.simulate_company(accounts=8000, months=12, seed=3)
    survey = company.tables()["survey"]
    survey = survey[survey["wave"].astype(str) == "1"]
    constructs = {
        kind: [name for name in survey.columns if name.startswith(f"{kind}_")] for kind in KINDS
    }
    answers = dimensions.read_answers(survey, constructs, low=LOW, high=HIGH).answers
    fits = [dimensions.fit_pls(PATHS, constructs, answers, consistent=own) for own in (False, True)]
    truth = company.truth.paths
    truth = truth[truth["wave"].astype(str) == "1"].set_index(["source", "target"])["standardised"]
    return fits, truth


def errors(fit):
    table = fit.paths().set_index(["from", "to"])["estimate"]
    return (table - surveyed()[1].reindex(table.index)).abs()


def test_consistent_paths_are_the_true_ones() -> None:
    plain, consistent = surveyed()[0]
    assert errors(consistent).max() < OFF
    noisy = [("satisfaction", "loyalty"), ("sacrifice", "satisfaction")]
    assert (errors(consistent)[noisy] < errors(plain)[noisy]).all()


def test_noise_of_the_items_makes_plain_paths_too_small() -> None:
    plain = surveyed()[0][0].paths().set_index(["from", "to"])["estimate"]
    truth = surveyed()[1]
    for pair in (("satisfaction", "loyalty"), ("sacrifice", "satisfaction")):
        assert abs(plain[pair]) < abs(truth[pair])


def test_the_indirect_effect_of_value_is_there() -> None:
    drawn = surveyed()[0][1].bootstrap(200, seed=1)
    effects = drawn.indirect_effects().set_index(["from", "via", "to"])
    row = effects.loc[("functional", "satisfaction", "loyalty")]
    truth = surveyed()[1]
    told = truth["functional", "satisfaction"] * truth["satisfaction", "loyalty"]
    assert row["lower"] > 0
    # a product: the errors of both its paths, each times the other path
    assert row["estimate"] == pytest.approx(told, abs=OFF * 0.6 + OFF * 0.3)


def test_sacrifice_is_better_when_it_is_less() -> None:
    drawn = surveyed()[0][0].bootstrap(50, seed=1)
    found = dimensions.construct_performance(
        drawn, "loyalty", low=LOW, high=HIGH, reverse=["sacrifice"]
    )
    assert (found.constructs["importance"] > 0).all()
