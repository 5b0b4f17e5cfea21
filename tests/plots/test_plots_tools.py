"""Figures of the tools as a system: what they say, and that it stays legible."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from keycustomer import plots, strategy
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401


@cache
def subsets(companies=3):
    return strategy.tool_subsets(companies, 40, 6)


@cache
def trial(design="quarter"):
    return strategy.tool_experiment(design, accounts=220, months=12, ahead=2, lots=5)


@cache
def origin():
    return strategy.interplay_origin(2, 30, 4)


FIGURES = {
    "map": lambda ax=None: plots.tool_subset_map(subsets(), ax),
    "map of sizes": lambda ax=None: plots.tool_subset_map(subsets(), ax, against="tools"),
    "system": lambda ax=None: plots.system_bars(subsets(), ax),
    "contributions": lambda ax=None: plots.tool_contribution_dots(
        strategy.tool_contributions(subsets()), ax
    ),
    "churn": lambda ax=None: plots.tool_contribution_dots(
        strategy.tool_contributions(subsets(), "churn"), ax
    ),
    "pairs": lambda ax=None: plots.tool_interaction_map(strategy.tool_interactions(subsets()), ax),
    "orders": lambda ax=None: plots.introduction_lines(strategy.introduction_order(subsets()), ax),
    "origin": lambda ax=None: plots.interplay_origin_dots(origin(), ax),
    "trial": lambda ax=None: plots.tool_trial_dots(trial(), ax),
    "size": lambda ax=None: plots.trial_size_dots(trial(), ax),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_say_what_they_found_and_that_it_is_simulated(name):
    ax = FIGURES[name]()
    check_figure(ax)
    assert title(ax).startswith("Simulated: ")


@pytest.mark.parametrize("name", ["system", "pairs"])
def test_figures_go_where_they_are_told(name, monkeypatch):
    check_given_axes(FIGURES[name], monkeypatch)


def test_one_company_has_no_intervals_and_can_be_drawn():
    one = subsets(1)
    check_figure(plots.tool_contribution_dots(strategy.tool_contributions(one)))
    check_figure(plots.tool_interaction_map(strategy.tool_interactions(one)))
    check_figure(plots.system_bars(one))
    check_figure(plots.tool_subset_map(one))


def test_numbers_of_pairs_stand_in_the_map_and_open_ones_in_brackets():
    found = strategy.tool_interactions(subsets())
    ax = plots.tool_interaction_map(found)
    written = [text.get_text() for text in ax.texts]
    assert len(written) == 15
    assert (
        sum(text.startswith("(") for text in written) == (found.frame["relation"] == "open").sum()
    )


def test_the_bars_of_a_crowd_say_less():
    result = subsets()
    crowd = result.frame.assign(profit=np.where(result.frame["tools"] > 0, 110.0, 100.0))
    ax = plots.system_bars(replace(result, frame=crowd))
    check_figure(ax)
    assert "50 % of the usual profit less than one by one" in title(ax)


def test_bars_that_companies_do_not_tell_apart_claim_nothing():
    """The mean of the companies lies above 0, and their interval on both sides of it."""
    result = subsets()
    everybody = result.frame["tools"] == len(result.tools)
    scatter = result.frame["company"].map({1: -0.3, 2: 0.1, 3: 0.5}).where(everybody, 0.0)
    ax = plots.system_bars(replace(result, frame=result.frame.assign(profit=100 * (1 + scatter))))
    assert "3 companies do not tell" in title(ax)
    check_figure(ax)
    one = result.frame[result.frame["company"] == 1]
    assert "1 company does not tell" in title(plots.system_bars(replace(result, frame=one)))


def test_a_trial_with_nothing_to_find_says_so():
    nothing = replace(trial(), designs=trial().designs.assign(needed=np.inf))
    ax = plots.trial_size_dots(nothing)
    check_figure(ax)
    assert "nothing beyond the sum" in title(ax)
    enough = replace(trial(), designs=trial().designs.assign(needed=100.0))
    assert "customers enough" in title(plots.trial_size_dots(enough))


def test_many_effects_stay_apart():
    check_figure(plots.tool_trial_dots(trial("one at a time")))
    long = trial().frame.assign(
        effect=lambda f: f["effect"].str.replace("service", "電話 $x^_1" * 9)
    )
    keep = long["effect"].where(long["kind"] != "system", "all beyond the sum")
    check_figure(plots.tool_trial_dots(replace(trial(), frame=long.assign(effect=keep))))


def test_an_axis_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="against='price' must be 'churn' or 'tools'"):
        plots.tool_subset_map(subsets(), against="price")
