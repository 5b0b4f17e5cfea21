"""Sharing what a coalition is worth: Shapley values, interaction indices, Harsanyi dividends.

How much of what six tools bring together is due to each of them?  A game gives every coalition of
players a worth; only differences count, so that a worth of nobody other than 0 is taken off.

- :func:`harsanyi_dividends`: what a coalition is worth beyond all its parts together; a game is the
  sum of its dividends.
- :func:`shapley_values`: the mean of what a player adds over all orders of joining; every dividend
  is split equally.  The only way of sharing that gives out all there is, treats equals equally,
  gives nothing to who adds nothing, and adds up over games.
- :func:`interaction_index`: what two players add jointly beyond what each adds, averaged over the
  orders in which the pair joins as one; above 0 they complement, below 0 they replace each other.
  It is 0 also where gains and losses by who else is there cancel out: look at the dividends.

All are exact and computed from all 2**n worths, for any number of games at once.  Values are taken
from differences, as they are defined; :func:`keycustomer.dimensions.drivers.subsets.lmg`, which
splits R2 over up to 20 drivers, has the same values in fewer operations.

Sources: Shapley (1953), A value for n-person games, in: Contributions to the Theory of Games II;
Harsanyi (1963), International Economic Review 4, 194-220; Grabisch & Roubens (1999), International
Journal of Game Theory 28, 547-565, Definition 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.coalitions import (
    Worths,
    coalition_members,
    coalition_names,
    coalition_worths,
    member_table,
)


def shapley_values(worths: Worths, players: Sequence[str]) -> FloatArray:
    """Share the worth of all players among them (Shapley 1953, equation 12).

    Parameters
    ----------
    worths : mapping, Series, DataFrame or array
        Worth by coalition, see :func:`keycustomer.strategy.coalition_worths`.
    players : sequence of str
        Names of the players.

    Returns
    -------
    ndarray, shape (..., n)
        Value of each player, in the unit of the worths; they add up to the worth of all less that
        of nobody.

    Examples
    --------
    >>> glove = {"left": 0, "right": 0, "other": 0, "none": 0, "left + right": 1,
    ...          "left + other": 1, "right + other": 0, "left + right + other": 1}
    >>> shapley_values(glove, ["left", "right", "other"]).round(3).tolist()
    [0.667, 0.167, 0.167]
    """
    worth = coalition_worths(worths, players)
    members = member_table(len(players))
    chances = _chances(len(players))
    values = np.empty((*worth.shape[:-1], len(players)))
    for player in range(len(players)):
        without = np.flatnonzero(~members[:, player])
        added = worth[..., without | (1 << player)] - worth[..., without]
        values[..., player] = added @ chances[members[without].sum(axis=1)]
    return values


def _chances(count: int) -> FloatArray:
    """Probability that just some `size` of the others have joined before a player, each set."""
    return np.array([1 / (count * comb(count - 1, size)) for size in range(count)])


def interaction_index(worths: Worths, players: Sequence[str]) -> FloatArray:
    """Shapley interaction index of all pairs (Grabisch & Roubens 1999, Definition 4).

    Parameters
    ----------
    worths, players
        As in :func:`shapley_values`; at least two players.

    Returns
    -------
    ndarray, shape (..., n, n)
        Symmetric, in the unit of the worths; NaN on the diagonal.

    Raises
    ------
    ValueError
        When there are fewer than two players.
    """
    worth = coalition_worths(worths, players)
    count = len(players)
    if count < 2:
        raise ValueError(f"players: {count} given; an interaction needs two")
    members = member_table(count)
    chances = _chances(count - 1)
    index = np.full((*worth.shape[:-1], count, count), np.nan)
    for one, other in combinations(range(count), 2):
        rest = np.flatnonzero(~members[:, one] & ~members[:, other])
        first, second = rest | 1 << one, rest | 1 << other
        both = worth[..., first | second] - worth[..., first] - worth[..., second]
        jointly = (both + worth[..., rest]) @ chances[members[rest].sum(axis=1)]
        index[..., one, other] = index[..., other, one] = jointly
    return index


def harsanyi_dividends(worths: Worths, players: Sequence[str]) -> FloatArray:
    """Worth of each coalition beyond that of all its parts (Harsanyi 1963).

    Parameters
    ----------
    worths, players
        As in :func:`shapley_values`.

    Returns
    -------
    ndarray, shape (..., 2**n)
        Dividends in the order of the coalitions' numbers; that of nobody is its worth.  The sum
        over the subsets of a coalition is its worth.
    """
    dividends = coalition_worths(worths, players).copy()
    for player in range(len(players)):
        pairs = dividends.reshape(*dividends.shape[:-1], -1, 2, 1 << player)
        pairs[..., 1, :] -= pairs[..., 0, :]
    return dividends


def dividend_table(worths: Worths, players: Sequence[str]) -> pd.DataFrame:
    """List the dividends of one game, largest first.

    Parameters
    ----------
    worths, players
        As in :func:`shapley_values`, of a single game.

    Returns
    -------
    DataFrame
        Columns coalition, players (how many), worth and dividend.

    Raises
    ------
    ValueError
        When there are several games.
    """
    worth = coalition_worths(worths, players)
    if worth.ndim != 1:
        raise ValueError(f"worths: {worth.shape[0]} games; give one, such as their mean")
    table = {
        "coalition": coalition_names(players),
        "players": [len(members) for members in coalition_members(players)],
        "worth": worth,
        "dividend": harsanyi_dividends(worth, players),
    }
    frame = pd.DataFrame(table).iloc[1:]
    return frame.sort_values("dividend", ascending=False, key=abs, ignore_index=True)
