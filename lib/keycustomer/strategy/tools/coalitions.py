"""Coalitions: every subset of some players (here: tools), each with its worth.

Which subset is which?  Coalitions of n players are counted from 0 to 2**n - 1, player i taking
part where bit i of the number is 1; so 0 is nobody and 2**n - 1 everybody.  Main names:
:func:`coalition_worths` reads worths from a mapping, a series or a table (a column a game) and
checks that every coalition is there once; :func:`coalition_members`, :func:`coalition_names` and
:func:`member_table` say who is in which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.samples import FloatArray

Worths: TypeAlias = "Mapping[Any, float] | pd.Series | pd.DataFrame | npt.ArrayLike"

NOBODY = "none"
"""Name of the coalition without players."""

JOINED = " + "
"""Between the players of a coalition's name."""

MOST = 16
"""Players at most: 65,536 coalitions."""


def coalition_worths(worths: Worths, players: Sequence[str]) -> FloatArray:
    """Read the worth of every coalition.

    Parameters
    ----------
    worths : mapping, Series, DataFrame or array
        Worth by coalition.  A coalition is a set, tuple or list of players, or their names joined
        by " + " ("none" or "" for nobody); a DataFrame has one game a column; an array has the
        coalitions in their order along its last axis.
    players : sequence of str
        Names of the players, at most 16.

    Returns
    -------
    ndarray, shape (..., 2**n)
        The worths in the order of the coalitions' numbers, one row a game.

    Raises
    ------
    KeyError
        When a coalition names somebody who is no player.
    ValueError
        When coalitions are missing or there twice, worths are not known, or names are not fit.
    """
    names = checked_players(players)
    if isinstance(worths, pd.DataFrame | pd.Series):
        return _known(_ordered(worths.index, _numbers(worths).T, names), names)
    if isinstance(worths, Mapping):
        values = _numbers(list(worths.values()))
        return _known(_ordered(list(worths), values, names), names)
    array = _numbers(worths)
    if array.ndim == 0 or array.shape[-1] != 2 ** len(names):
        raise ValueError(
            f"worths: {array.shape[-1] if array.ndim else 'a single number'} along the last axis "
            f"for {len(names)} players; all {2 ** len(names)} coalitions are needed"
        )
    return _known(array, names)


def checked_players(players: Sequence[str]) -> tuple[str, ...]:
    """Refuse names of players that could be mistaken.

    Raises
    ------
    TypeError, ValueError
        When there is none, too many, one twice, or a name that reads like a coalition.
    """
    if isinstance(players, str):
        raise TypeError(f"players={players!r}: give a sequence of names, such as [{players!r}]")
    names = tuple(players)
    if not 1 <= len(names) <= MOST:
        raise ValueError(f"players: {len(names)} given; 1 to {MOST} are possible")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"players: {twice[0]!r} is there twice")
    for name in names:
        if not isinstance(name, str) or name in ("", NOBODY) or "+" in name or name != name.strip():
            raise ValueError(
                f"players: {name!r} cannot name a player; a text without '+' or blanks at its "
                f"ends, not {NOBODY!r}"
            )
    return names


def member_table(count: int) -> npt.NDArray[np.bool_]:
    """Who is in which coalition, shape (2**count, count)."""
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)


def coalition_members(players: Sequence[str]) -> list[tuple[str, ...]]:
    """Members of every coalition, in the order of their numbers."""
    table = member_table(len(players))
    return [tuple(p for p, there in zip(players, row, strict=True) if there) for row in table]


def coalition_names(players: Sequence[str]) -> list[str]:
    """Names of the coalitions in their order: the players joined by " + ", or "none"."""
    return [JOINED.join(members) or NOBODY for members in coalition_members(players)]


def _ordered(keys: Iterable[Hashable], values: FloatArray, players: tuple[str, ...]) -> FloatArray:
    """Bring worths into the order of the coalitions, each of which must be there once."""
    numbers = [_number(key, players) for key in keys]
    names = coalition_names(players)
    counts = np.bincount(np.array(numbers, dtype=int), minlength=len(names))
    if (counts != 1).any():
        missing = [name for name, count in zip(names, counts, strict=True) if count == 0]
        twice = [name for name, count in zip(names, counts, strict=True) if count > 1]
        said = [
            f"{len(some)} {what}, first {some[0]!r}"
            for some, what in ((missing, "missing"), (twice, "there more than once"))
            if some
        ]
        raise ValueError(f"worths: of {len(names)} coalitions {' and '.join(said)}")
    ordered = np.empty(values.shape)
    ordered[..., numbers] = values
    return ordered


def _numbers(values: Any) -> FloatArray:
    """Worths as numbers.

    Raises
    ------
    ValueError
        When one is no number.
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"worths: one is no number ({error}); give amounts") from error


def _number(key: Any, players: tuple[str, ...]) -> int:
    """Count a coalition: the number whose bits are its members."""
    if isinstance(key, str):
        members = [] if key.strip() in ("", NOBODY) else [part.strip() for part in key.split("+")]
    elif isinstance(key, Iterable):
        members = list(key)
    else:
        raise TypeError(
            f"worths: {key!r} is no coalition; a set or tuple of players, or their names joined by "
            f"{JOINED!r}, {NOBODY!r} for nobody"
        )
    for one in members:
        if one not in players:
            raise KeyError(f"worths: no player {one!r} in {key!r}; players: {', '.join(players)}")
    return sum(1 << players.index(one) for one in set(members))


def _known(worths: FloatArray, players: tuple[str, ...]) -> FloatArray:
    unknown = ~np.isfinite(worths)
    if unknown.any():
        first = coalition_names(players)[int(np.argwhere(unknown)[0][-1])]
        raise ValueError(
            f"worths: {int(unknown.sum()):,} are not known or infinite, first that of {first!r}; "
            "every coalition needs its worth"
        )
    return worths
