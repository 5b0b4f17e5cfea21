"""What the simulated operator's survey was made of is found again in its answers."""

from functools import cache

import keycustomer as kc
import numpy as np
import pytest
from keycustomer.dimensions import (
    analyse_items,
    compare_indices,
    explore_factors,
    fit_cfa,
    parallel_analysis,
    read_answers,
    score_dimensions,
    value_indices,
)

DIMENSIONS = ("functional", "convenience", "social", "experiential")
SCALE = {"low": 1, "high": 7}


@cache
def company():
    return kc.simulate.simulate_company(accounts=2500, months=36, seed=5)


@cache
def survey():
    """Items by construct, and the answers of the last wave with the account as index."""
    loadings = company().truth.loadings
    constructs = {
        name: loadings.loc[loadings["construct"] == name, "item"].tolist()
        for name in (*DIMENSIONS, "sacrifice", "loyalty")
    }
    table = company().tables()["survey"]
    last = table[table["wave"].astype(int) == table["wave"].astype(int).max()]
    return constructs, read_answers(last.set_index("customer_id"), constructs, **SCALE).answers


def test_four_dimensions_stand_out_and_items_load_as_they_were_made():
    constructs, answers = survey()
    items = [item for name in DIMENSIONS for item in constructs[name]]
    assert parallel_analysis(answers, items, draws=100).factors == len(DIMENSIONS)
    solution = explore_factors(answers, items, factors=4, rotation="promax")
    assert solution.problems == ()
    truth = company().truth.loadings.set_index("item")["factor_loading"]
    for name in DIMENSIONS:
        own = solution.loadings.loc[constructs[name]]
        factor = own.mean().idxmax()
        # four standard errors of a loading among some 500 respondents
        np.testing.assert_allclose(own[factor], truth[own.index], atol=4 * 0.04)
        assert own.drop(columns=factor).abs().to_numpy().max() < 0.2


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_scores_follow_the_true_dimensions(method):
    constructs, answers = survey()
    fit = fit_cfa({name: constructs[name] for name in DIMENSIONS}, answers)
    result = score_dimensions(fit, answers, method=method)
    latents = company().truth.latents
    last = latents[latents["wave"] == latents["wave"].max()].set_index("customer_id")
    for name in DIMENSIONS:
        truth = last.loc[result.scores.index, name]
        reached = result.scores[name].corr(truth)
        # respondents use the scale in ways of their own, which no score can take out
        assert result.determinacy[name] - 0.2 < reached < result.determinacy[name]


def test_straight_lines_that_were_made_are_found():
    constructs, answers = survey()
    found = analyse_items(answers, constructs, **SCALE).straight_liners
    latents = company().truth.latents
    last = latents[latents["wave"] == latents["wave"].max()].set_index("customer_id")
    made = last.loc[answers.index, "straight_lining"].astype(bool)
    assert made[found].mean() > 0.8


def test_value_predicts_loyalty_and_weights_of_their_own_predict_it_better():
    constructs, answers = survey()
    benefits = {name: constructs[name] for name in DIMENSIONS}
    indices = value_indices(answers, benefits, constructs["sacrifice"], draws=50)
    result = compare_indices(indices, answers, constructs["loyalty"], repeats=5, draws=200)
    assert result.accuracy["difference"].lower > 0
    # loyalty was made with weights of the dimensions that are far from equal and opposite
    assert result.gain_of_weights.lower > 0
