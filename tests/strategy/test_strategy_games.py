"""Shapley values, interactions and dividends: axioms, published games, other ways of computing."""

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions.drivers.subsets import split_over_drivers
from keycustomer.strategy import (
    coalition_members,
    coalition_names,
    coalition_worths,
    dividend_table,
    harsanyi_dividends,
    interaction_index,
    shapley_values,
)

ROUNDING = 1e-9
"""Sums of up to 64 numbers of size 100 differ by rounding alone."""

PLAYERS = ("a", "b", "c", "d")


def worths(players=PLAYERS, games=()):
    number = st.floats(-100, 100, allow_nan=False, width=32)
    size = int(np.prod(games, dtype=int)) * 2 ** len(players)
    return st.lists(number, min_size=size, max_size=size).map(
        lambda values: np.reshape(values, (*games, 2 ** len(players)))
    )


def unanimity(members, players=PLAYERS):
    """Game worth 1 as soon as some players are all there."""
    return {some: float(set(members) <= set(some)) for some in coalition_members(players)}


@settings(max_examples=25, deadline=None)
@given(worths())
def test_values_give_out_all_there_is(worth):
    total = shapley_values(worth, PLAYERS).sum()
    assert total == pytest.approx(worth[-1] - worth[0], abs=ROUNDING)


@settings(max_examples=25, deadline=None)
@given(worths(games=(3,)))
def test_the_importance_of_drivers_is_the_same_value_in_another_way(worth):
    np.testing.assert_allclose(
        shapley_values(worth, PLAYERS), split_over_drivers(worth.T), atol=ROUNDING
    )


@settings(max_examples=25, deadline=None)
@given(worths(), st.permutations(range(4)))
def test_names_do_not_matter(worth, order):
    table = {frozenset(some): w for some, w in zip(coalition_members(PLAYERS), worth, strict=True)}
    shuffled = [PLAYERS[place] for place in order]
    values = shapley_values(table, shuffled)
    np.testing.assert_allclose(values, shapley_values(worth, PLAYERS)[list(order)], atol=ROUNDING)


@settings(max_examples=25, deadline=None)
@given(worths(("a", "b", "c")), st.floats(-50, 50))
def test_who_adds_the_same_to_every_coalition_gets_just_that(worth, adds):
    bigger = np.concatenate([worth, worth + adds])
    values = shapley_values(bigger, PLAYERS)
    assert values[-1] == pytest.approx(adds, abs=ROUNDING)
    np.testing.assert_allclose(values[:3], shapley_values(worth, PLAYERS[:3]), atol=ROUNDING)
    np.testing.assert_allclose(interaction_index(bigger, PLAYERS)[-1, :3], 0, atol=ROUNDING)


@settings(max_examples=25, deadline=None)
@given(worths())
def test_who_can_stand_in_for_each_other_get_the_same(worth):
    members = np.arange(16)
    swapped = worth[(members & 12) | (members & 1) << 1 | (members & 2) >> 1]
    values = shapley_values((worth + swapped) / 2, PLAYERS)
    assert values[0] == pytest.approx(values[1], abs=ROUNDING)


@settings(max_examples=25, deadline=None)
@given(worths(games=(2,)), st.floats(-3, 3))
def test_values_and_interactions_add_up_over_games(worth, times):
    for share in (shapley_values, interaction_index, harsanyi_dividends):
        apart = share(worth, PLAYERS)
        joint = share(worth[0] + times * worth[1], PLAYERS)
        np.testing.assert_allclose(joint, apart[0] + times * apart[1], atol=1e3 * ROUNDING)


@settings(max_examples=15, deadline=None)
@given(worths(games=(2, 3)))
def test_values_are_means_over_all_orders_for_any_number_of_games(worth):
    sums = np.zeros((2, 3, 4))
    for order in permutations(range(4)):
        there = 0
        for player in order:
            sums[..., player] += worth[..., there | 1 << player] - worth[..., there]
            there |= 1 << player
    np.testing.assert_allclose(
        shapley_values(worth, PLAYERS), sums / factorial(4), atol=ROUNDING, rtol=0
    )


@settings(max_examples=15, deadline=None)
@given(worths())
def test_interaction_is_what_a_pair_gets_as_one_beyond_each_without_the_other(worth):
    # Grabisch & Roubens (1999), the recursion of their axioms
    index = interaction_index(worth, PLAYERS)
    for one, other in combinations(range(4), 2):
        rest = [player for player in range(4) if player not in (one, other)]

        def value(units, worth=worth):
            small = [
                worth[sum(unit for n, unit in enumerate(units) if number >> n & 1)]
                for number in range(2 ** len(units))
            ]
            return shapley_values(small, [str(n) for n in range(len(units))])[0]

        others = [1 << player for player in rest]
        jointly = value([1 << one | 1 << other, *others])
        apart = value([1 << one, *others]) + value([1 << other, *others])
        assert index[one, other] == pytest.approx(jointly - apart, abs=ROUNDING)
        assert index[other, one] == index[one, other]
    assert np.isnan(np.diag(index)).all()


@settings(max_examples=25, deadline=None)
@given(worths())
def test_dividends_make_up_the_game_and_all_that_is_shared(worth):
    dividends = harsanyi_dividends(worth, PLAYERS)
    numbers = np.arange(16)
    for number in numbers:
        within = dividends[(numbers & number) == numbers].sum()
        assert within == pytest.approx(worth[number], abs=ROUNDING)
    sizes = np.array([int(n).bit_count() for n in numbers])
    split = [
        sum(dividends[n] / sizes[n] for n in numbers if n >> player & 1) for player in range(4)
    ]
    np.testing.assert_allclose(shapley_values(worth, PLAYERS), split, atol=ROUNDING)
    both = [n for n in numbers if n & 3 == 3]
    joint = sum(dividends[n] / (sizes[n] - 1) for n in both)
    assert interaction_index(worth, PLAYERS)[0, 1] == pytest.approx(joint, abs=ROUNDING)


@pytest.mark.parametrize("members", [("b", "d"), ("a", "b", "c"), PLAYERS])
def test_unanimity_games_have_their_closed_forms(members):
    game = unanimity(members)
    values = shapley_values(game, PLAYERS)
    there = np.isin(PLAYERS, members)
    np.testing.assert_allclose(values, there / len(members), atol=ROUNDING)
    index = interaction_index(game, PLAYERS)
    expected = np.outer(there, there) / (len(members) - 1)
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(index, expected, atol=ROUNDING)
    top = dividend_table(game, PLAYERS).iloc[0]
    assert (top["coalition"], top["dividend"]) == (" + ".join(members), 1.0)


def test_the_glove_game_pays_who_is_scarce():
    # one left, two right gloves: Shapley values 2/3, 1/6, 1/6
    game = {
        some: float("l" in some and len(some) > 1) for some in coalition_members(("l", "r", "s"))
    }
    np.testing.assert_allclose(shapley_values(game, ("l", "r", "s")), [2 / 3, 1 / 6, 1 / 6])
    index = interaction_index(game, ("l", "r", "s"))
    assert index[0, 1] > 0 > index[1, 2]


def test_the_airport_game_splits_every_stretch_among_those_who_need_it():
    # Littlechild & Owen (1973): each pays its part of the stretches that it uses
    costs = np.array([2.0, 5.0, 9.0, 16.0])
    game = {
        s: max((costs[PLAYERS.index(p)] for p in s), default=0.0)
        for s in coalition_members(PLAYERS)
    }
    stretches = np.diff(costs, prepend=0) / [4, 3, 2, 1]
    np.testing.assert_allclose(shapley_values(game, PLAYERS), np.cumsum(stretches))


def test_the_security_council_has_its_published_power():
    # Shapley & Shubik (1954): seven votes of eleven, five with a veto; the five have 98.7 %
    players = [f"great {n}" for n in range(5)] + [f"other {n}" for n in range(6)]
    numbers = np.arange(2**11)
    great = (numbers & 31) == 31
    others = sum((numbers >> place & 1) for place in range(5, 11))
    values = shapley_values((great & (others >= 2)).astype(float), players)
    assert values[:5].sum() == pytest.approx(0.987, abs=0.0005)
    np.testing.assert_allclose(values[5:], 1 / 462)


def test_worths_can_be_given_in_any_form():
    worth = np.arange(8.0) ** 2
    players = ["x", "y", "z"]
    names = coalition_names(players)
    assert names == ["none", "x", "y", "x + y", "z", "x + z", "y + z", "x + y + z"]
    mixed = list(zip(names, worth, strict=True))[::-1]
    given_as = [
        worth,
        worth.tolist(),
        dict(mixed),
        pd.Series(dict(mixed)),
        {frozenset() if n == "none" else frozenset(n.split(" + ")): w for n, w in mixed},
        {"": 0.0, "z + y": 36.0} | {n: w for n, w in mixed if n not in ("none", "y + z")},
    ]
    for one in given_as:
        np.testing.assert_array_equal(coalition_worths(one, players), worth)
    two = pd.DataFrame({"first": dict(mixed), "second": {n: 2 * w for n, w in mixed}})
    np.testing.assert_array_equal(coalition_worths(two, players), [worth, 2 * worth])


def test_inputs_stay_as_they_were():
    worth = np.arange(16.0)
    before = worth.copy()
    harsanyi_dividends(worth, PLAYERS)
    shapley_values(worth, PLAYERS)
    np.testing.assert_array_equal(worth, before)


@pytest.mark.parametrize(
    ("worth", "players", "error", "complaint"),
    [
        ({"none": 0, "a": 1}, ["a", "b"], ValueError, "of 4 coalitions 2 missing, first 'b'"),
        ({"a": 1, ("a",): 2, "none": 0}, ["a"], ValueError, "1 there more than once, first 'a'"),
        ({"none": 0, "c": 1}, ["a"], KeyError, "no player 'c'.*players: a"),
        ([0, 1, 2], ["a", "b"], ValueError, "3 along the last axis for 2 players; all 4"),
        (3.0, ["a"], ValueError, "a single number along the last axis"),
        ([0, np.nan], ["a"], ValueError, "1 are not known or infinite, first that of 'a'"),
        ([0, 1], "a", TypeError, "give a sequence of names"),
        ([0, 1], ["a + b"], ValueError, "cannot name a player"),
        ([0, 1], ["none"], ValueError, "cannot name a player"),
        ([0, 1, 1, 2], ["a", "a"], ValueError, "'a' is there twice"),
        ([0], [], ValueError, "0 given; 1 to 16"),
        ({"none": 0, "a": "much"}, ["a"], ValueError, "one is no number.*'much'"),
        ({0: 0, 1: 3}, ["a"], TypeError, "0 is no coalition; a set or tuple of players"),
        ([0, 1], [" a "], ValueError, "without '.' or blanks at its ends"),
    ],
)
def test_what_is_no_game_is_refused(worth, players, error, complaint):
    with pytest.raises(error, match=complaint):
        shapley_values(worth, players)


def test_an_interaction_needs_two_and_a_table_one_game():
    with pytest.raises(ValueError, match="an interaction needs two"):
        interaction_index([0, 1], ["a"])
    with pytest.raises(ValueError, match="2 games; give one"):
        dividend_table(np.zeros((2, 4)), ["a", "b"])
