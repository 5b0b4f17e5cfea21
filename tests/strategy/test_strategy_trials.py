"""Designs of trials, their analysis in blocks, and a trial of the tools against the truth."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.simulate import TOOLS
from keycustomer.strategy import (
    fractional_factorial,
    harsanyi_dividends,
    one_at_a_time,
    tool_designs,
    tool_experiment,
)
from keycustomer.strategy.tools.block_trials import (
    block_contrasts,
    customers_needed,
    deal_blocks,
)
from keycustomer.strategy.tools.experiment import SYSTEM, true_effect

ROUNDING = 1e-9
"""Means computed in another order differ by rounding alone."""

LETTERS = tuple("ABCDEFG")
DESIGNS = tool_designs(TOOLS)


@pytest.mark.parametrize(
    ("count", "generators", "runs", "resolution", "words"),
    [
        # Box, Hunter & Hunter (2005), table 6.22
        (3, {"C": "AB"}, 4, 3, 1),
        (5, {"E": "ABCD"}, 16, 5, 1),
        (6, {"E": "ABC", "F": "BCD"}, 16, 4, 3),
        (6, {"F": "ABCDE"}, 32, 6, 1),
        (7, {"D": "AB", "E": "AC", "F": "BC", "G": "ABC"}, 8, 3, 15),
        (7, {"E": "ABC", "F": "BCD", "G": "ACD"}, 16, 4, 7),
    ],
)
def test_fractions_have_their_published_resolution(count, generators, runs, resolution, words):
    design = fractional_factorial(LETTERS[:count], generators)
    assert (len(design.runs), design.resolution, len(design.words)) == (runs, resolution, words)
    sign = np.where(design.runs, 1, -1)
    assert len(np.unique(sign, axis=0)) == runs
    np.testing.assert_array_equal(sign.T @ sign, runs * np.eye(count))
    for word in design.words:
        product = np.prod([sign[:, LETTERS.index(letter)] for letter in word], axis=0)
        assert len(set(product)) == 1


def test_aliases_of_the_quarter_are_the_published_ones():
    design = fractional_factorial(LETTERS[:6], {"E": "ABC", "F": "BCD"})
    assert {"".join(sorted(word)) for word in design.words} == {"ABCE", "BCDF", "ADEF"}
    mixed = design.aliases().set_index("effect")["mixed_with"]
    assert mixed["A + E"] == "B + C, D + F"
    assert mixed["A"] == "B + C + E, D + E + F"
    assert [name for name in design.contrasts() if "=" in name] == [
        "A + B = C + E", "A + C = B + E", "A + D = E + F", "A + E = B + C = D + F",
        "A + F = D + E", "B + D = C + F", "B + F = C + D",
    ]  # fmt: skip


def test_pairs_are_clear_of_each_other_in_the_half():
    mixed = DESIGNS["half"].aliases().set_index("effect")["mixed_with"]
    assert mixed["segmentation"] == ""
    assert all(name.count("+") == 3 for name in mixed["segmentation + dossier"].split(", "))
    assert len(DESIGNS["half"].contrasts()) == 6 + 15


def pairwise(single, pairs, count):
    """Worth of every coalition of a game of single gains and gains of pairs."""
    there = np.arange(2**count)[:, None] >> np.arange(count) & 1
    worth = there @ single
    for place, (one, other) in enumerate((a, b) for a in range(count) for b in range(a)):
        worth = worth + pairs[place] * there[:, one] * there[:, other]
    return worth


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=6, max_size=6),
    st.lists(st.floats(-5, 5), min_size=15, max_size=15),
)
def test_every_design_finds_the_system_where_only_pairs_work_together(single, pairs):
    worth = pairwise(np.array(single), np.array(pairs), 6)
    for design in DESIGNS.values():
        found = design.beyond_sum() @ worth[design.numbers]
        assert found == pytest.approx(sum(pairs), abs=1e3 * ROUNDING)
        assert true_effect(worth, design, SYSTEM) == pytest.approx(sum(pairs), abs=1e3 * ROUNDING)


def test_a_factorial_adds_up_pairs_and_misses_what_three_do():
    worth = (np.arange(64) & 7 == 7).astype(float)
    assert harsanyi_dividends(worth, TOOLS).sum() == 1
    missed = {name: d.beyond_sum() @ worth[d.numbers] for name, d in DESIGNS.items()}
    # three pairs, each of which is joined by the third tool in half of the runs
    assert missed["full"] == pytest.approx(1.5) and missed["half"] == pytest.approx(1.5)
    assert missed["one at a time"] == pytest.approx(1) == missed["one at a time, weighted"]


def test_effects_of_a_factorial_are_means_over_all_settings_of_the_others():
    worth = np.random.default_rng(1).normal(size=64)
    numbers = np.arange(64)
    off = numbers[(numbers & 1) == 0]
    full = DESIGNS["full"].contrasts()["segmentation"]
    assert full @ worth == pytest.approx((worth[off | 1] - worth[off]).mean())
    none = numbers[(numbers & 3) == 0]
    jointly = worth[none | 3] - worth[none | 1] - worth[none | 2] + worth[none]
    pair = DESIGNS["full"].contrasts()["segmentation + dossier"]
    assert pair @ worth == pytest.approx(jointly.mean())


def test_groups_as_many_as_the_question_weighs_them_have_least_error():
    # variance of a contrast of groups of equal size, a customer: sum of squared weights x groups
    variance = {
        name: (design.beyond_sum() ** 2).sum() * len(design.runs)
        for name, design in DESIGNS.items()
    }
    # one group of everybody, one of each alone, five of nobody: (1 + 6 + 5) squared
    assert variance["one at a time, weighted"] == pytest.approx(144)
    assert variance["one at a time"] == pytest.approx(8 * (1 + 6 + 25))
    assert variance["full"] == variance["half"] == pytest.approx(15 * 16)
    assert variance["quarter"] == pytest.approx(7 * 16)


def test_a_trial_without_chance_finds_the_effects_exactly():
    before = np.random.default_rng(2).pareto(1.3, 200) * 100
    effect = np.random.default_rng(3).normal(size=64)
    for design in DESIGNS.values():
        if len(design.runs) > 32:
            continue
        dealt = deal_blocks(before, len(design.runs), 4)
        happened = 0.8 * before[dealt] + effect[design.numbers]
        weights = np.array([*design.contrasts().values(), design.beyond_sum()])
        found = block_contrasts(happened, before[dealt], weights)
        np.testing.assert_allclose(found.estimates, weights @ effect[design.numbers], atol=1e-6)
        np.testing.assert_allclose(found.errors, 0, atol=1e-6)


def test_blocks_hold_customers_alike_and_everybody_at_most_once():
    before = np.random.default_rng(5).normal(size=103)
    dealt = deal_blocks(before, 8, 1)
    assert dealt.shape == (12, 8) and len(np.unique(dealt)) == 96
    values = before[dealt]
    assert (values.min(axis=1)[:-1] >= values.max(axis=1)[1:]).all()
    with pytest.raises(ValueError, match="31 customers for 8 runs: at least 32"):
        deal_blocks(before[:31], 8, 1)


def test_intervals_of_a_trial_hold_the_truth_though_a_few_earn_most():
    generator = np.random.default_rng(6)
    design = DESIGNS["one at a time"]
    weights = design.beyond_sum()[None, :]
    effect = np.array([0, 1, 2, 3, 1, 0, 2, 12.0])
    held, lots = 0, 300
    for _ in range(lots):
        before = generator.pareto(2.5, 320) * 10
        noise = generator.normal(size=(320, 8)) * (3 + before[:, None])
        dealt = deal_blocks(before, 8, generator)
        happened = (before[:, None] + noise)[dealt, np.arange(8)] + effect
        found = block_contrasts(happened, before[dealt], weights)
        held += abs(found.estimates[0] - weights[0] @ effect) <= found.reach(0.95)[0]
    # HC3 errs to the careful side; three standard errors of a share below
    assert held / lots > 0.95 - 3 * math.sqrt(0.95 * 0.05 / lots)


def test_customers_needed_follow_the_closed_form():
    # (1.96 + 0.84)^2 x (error / effect)^2 times as many
    assert customers_needed(100, 2.0, 1.0) == pytest.approx(100 * 7.849 * 4, rel=1e-3)
    assert customers_needed(100, 1.0, 0.0) == math.inf
    with pytest.raises(ValueError, match="power=80"):
        customers_needed(100, 1.0, 1.0, 80)


@pytest.fixture(scope="module")
def trial():
    return tool_experiment("quarter", accounts=300, months=12, ahead=3, seed=3, lots=60)


def test_a_trial_stands_beside_its_truth(trial):
    assert len(trial.frame) == 6 + 7 + 1
    assert (trial.frame["lower"] < trial.frame["upper"]).all()
    truth = trial.frame.set_index("effect")["truth"]
    pairs = truth[truth.index.str.contains(" + ", regex=False)].sum()
    limit = trial.frame.set_index("effect")["limit"]
    # the factorial adds up pairs; what it would find is that sum but for mixed fours
    assert limit[SYSTEM] == pytest.approx(pairs, abs=0.02)
    assert trial.of("pricing").method.endswith("design 'quarter'")
    assert trial.groups["customers"].nunique() == 1 and len(trial.groups) == 16
    with pytest.raises(KeyError, match="no effect 'prices'"):
        trial.of("prices")


def test_designs_are_compared_on_the_same_truth(trial):
    table = trial.designs.set_index("design")
    assert list(table.index) == list(DESIGNS)[1:] and table["truth"].nunique() == 1
    assert trial.notes[-1] == "too few customers for the design 'full'"
    direct = table.loc[["one at a time", "one at a time, weighted"]]
    np.testing.assert_allclose(direct["limit"], direct["truth"], atol=ROUNDING)
    assert (table["coverage"] > 0.8).all()
    assert table.loc["one at a time, weighted", "error"] < table.loc["one at a time", "error"]
    row = trial.frame[trial.frame["effect"] == SYSTEM].iloc[0]
    assert row["needed"] == pytest.approx(table.loc["quarter", "needed"])


def test_a_trial_says_what_it_takes(trial):
    said = trial.sentence
    assert re.search(r"takes about [\d,]+ customers", said) and "beyond the sum" in said
    assert "one company, simulated" in trial._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"design": "eighth"}, KeyError, "no design 'eighth'; there is: 'full'"),
        ({"ahead": 0}, ValueError, "at least one month of trial"),
        ({"accounts": 40, "months": 12, "ahead": 1, "lots": 2}, ValueError, "take a design with"),
    ],
)
def test_trials_that_cannot_be_are_refused(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        tool_experiment(**arguments)


@pytest.mark.parametrize(
    ("generators", "complaint"),
    [({"D": "AB"}, "out of A, B, C"), ({"C": "AA"}, "different factors"),
     ({"C": "AB", "B": "AC"}, "that are not added")],
)  # fmt: skip
def test_generators_that_make_no_fraction_are_refused(generators, complaint):
    with pytest.raises(ValueError, match=complaint):
        fractional_factorial(LETTERS[:3], generators)


def test_designs_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="1 factors"):
        one_at_a_time(["A"])
    with pytest.raises(ValueError, match="5 given; these designs are for six"):
        tool_designs(LETTERS[:5])


def test_intervals_of_few_blocks_with_a_few_large_customers_hold_the_truth():
    """Nothing works and a few customers earn most: errors err on the safe side, if at all."""
    rng = np.random.default_rng(1)
    design = tool_designs(TOOLS)["quarter"]
    runs, held, trials = len(design.runs), 0, 300
    for _ in range(trials):
        before = np.exp(rng.normal(0, 1.2, 8 * runs))
        dealt = deal_blocks(before, runs, rng)
        after = before[dealt] * np.exp(rng.normal(0, 0.5, dealt.shape))
        found = block_contrasts(after, before[dealt], design.beyond_sum()[None])
        held += bool(np.abs(found.estimates[0]) <= found.reach(0.95)[0])
    # 95 % less three standard errors of 300 trials
    assert held / trials >= 0.912
