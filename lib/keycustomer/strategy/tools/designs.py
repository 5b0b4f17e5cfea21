"""Two-level designs: which combinations of tools to try, when not all can be.

Which runs tell what each tool does, and which pairs work together?  :func:`fractional_factorial`
makes a fraction of all combinations from generators (an added factor is on where the product of
some others says so), with its defining words, its resolution and what is aliased with what:

- resolution IV: effects of single factors are clear of pairs, pairs are mixed with other pairs;
- resolution VI: single factors and pairs are clear of each other, pairs are mixed with fours.

:func:`one_at_a_time` is the design that asks the question of T7 itself: nobody, each alone, all.
A `TrialDesign` turns questions into contrasts: weights of the runs' means.

Sources: Box & Hunter (1961), Technometrics 3, 311-351; Box, Hunter & Hunter, "Statistics for
Experimenters" (2nd ed. 2005), chapter 6 and table 6.22, for generators and resolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.coalitions import JOINED, NOBODY, checked_players

Signs = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrialDesign:
    """Runs of a trial with two-level factors.

    Attributes
    ----------
    name : str
        What to call it.
    factors : tuple of str
        Factors, such as tools.
    runs : ndarray of bool, shape (runs, factors)
        Which factors are on in which run.
    words : tuple of frozenset of str
        Defining words: factors whose signs multiply to the same in all runs; none for a full
        factorial or where the runs are no fraction.
    resolution : int or None
        Length of the shortest word; None without words.
    factorial : bool
        Whether the runs are a factorial or a regular fraction of one.
    """

    name: str
    factors: tuple[str, ...]
    runs: npt.NDArray[np.bool_] = field(repr=False)
    words: tuple[frozenset[str], ...] = ()
    factorial: bool = True

    @property
    def resolution(self) -> int | None:
        """Length of the shortest defining word."""
        return min(map(len, self.words)) if self.words else None

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Number of each run's combination: bit i is factor i."""
        return np.asarray(self.runs @ (1 << np.arange(len(self.factors))))

    def to_frame(self) -> pd.DataFrame:
        """List the runs.

        Returns
        -------
        DataFrame
            One row a run: run (1, 2 ...), on (factors that are on, or "none"), a column of bool a
            factor.
        """
        named = [
            JOINED.join(f for f, on in zip(self.factors, row, strict=True) if on) or NOBODY
            for row in self.runs
        ]
        table = {name: self.runs[:, place] for place, name in enumerate(self.factors)}
        return pd.DataFrame({"run": np.arange(1, len(named) + 1), "on": named, **table})

    def contrasts(self) -> dict[str, FloatArray]:
        """Weights of the runs' means that estimate single factors and pairs.

        Returns
        -------
        dict of str to ndarray, shape (runs,)
            By factor: its mean effect (on less off) over the runs; in a design that is no
            factorial, its effect alone.  By pair "a + b", or by pairs that share their contrast,
            "a + b = c + d": mean of what the two bring jointly beyond each, added over the pairs.
        """
        if not self.factorial:
            return self._single()
        sign = self._signs()
        single = {name: 2 * sign[:, place] / len(sign) for place, name in enumerate(self.factors)}
        grouped: dict[bytes, list[str]] = {}
        columns: dict[bytes, Signs] = {}
        for one, other in combinations(range(len(self.factors)), 2):
            product = sign[:, one] * sign[:, other]
            columns[product.tobytes()] = product
            pair = f"{self.factors[one]}{JOINED}{self.factors[other]}"
            grouped.setdefault(product.tobytes(), []).append(pair)
        pairs = {" = ".join(names): 4 * columns[key] / len(sign) for key, names in grouped.items()}
        return single | pairs

    def _single(self) -> dict[str, FloatArray]:
        size = self.runs.sum(axis=1)
        nobody = (size == 0) / (size == 0).sum()
        return {
            name: ((size == 1) & self.runs[:, place]) - nobody
            for place, name in enumerate(self.factors)
        }

    def beyond_sum(self) -> FloatArray:
        """Weights of the runs' means for all factors less the sum of each alone, shape (runs,).

        In a factorial it is the sum over all pairs, which is all there is where no three factors
        work together in another way than their pairs; else it is biased.
        """
        if self.factorial:
            pairs = {key: one for key, one in self.contrasts().items() if JOINED in key}
            return np.asarray(np.sum(list(pairs.values()), axis=0))
        size = self.runs.sum(axis=1)
        nobody = (size == 0) / (size == 0).sum()
        every = (size == len(self.factors)).astype(float)
        return np.asarray(every - (size == 1) + (len(self.factors) - 1) * nobody)

    def _signs(self) -> Signs:
        return np.where(self.runs, 1, -1)

    def aliases(self) -> pd.DataFrame:
        """Single factors and pairs with what they are mixed with, up to four factors.

        Returns
        -------
        DataFrame
            Columns effect and mixed_with (effects joined by ", "; "" for none).
        """
        sizes = range(1, min(4, len(self.factors)) + 1)
        sets = [frozenset(some) for size in sizes for some in combinations(self.factors, size)]
        rows = []
        for some in (one for one in sets if len(one) <= 2):
            mixed = [other for other in sets if other != some and some ^ other in self.words]
            said = ", ".join(self._named(other) for other in mixed)
            rows.append({"effect": self._named(some), "mixed_with": said})
        return pd.DataFrame(rows)

    def _named(self, some: frozenset[str]) -> str:
        return JOINED.join(name for name in self.factors if name in some)


def fractional_factorial(
    factors: Sequence[str],
    generators: Mapping[str, Sequence[str]] | None = None,
    *,
    name: str | None = None,
) -> TrialDesign:
    """Make a full factorial, or a regular fraction of it.

    Parameters
    ----------
    factors : sequence of str
        Factors.
    generators : mapping of str to sequence of str, optional
        Added factor: the factors whose signs multiply to its own.  None of these may be added.
    name : str, optional
        What to call it; left out, "2^(6-1)" and the like.

    Raises
    ------
    ValueError
        When a generator names no factor, an added one, or too few.

    Examples
    --------
    >>> fractional_factorial(["A", "B", "C"], {"C": ["A", "B"]}).to_frame()["on"].tolist()
    ['C', 'A', 'B', 'A + B + C']
    """
    names = checked_players(factors)
    made = {added: tuple(by) for added, by in (generators or {}).items()}
    _check_generators(names, made)
    free = [one for one in names if one not in made]
    sign = {
        one: np.where(np.arange(2 ** len(free)) >> place & 1, 1, -1)
        for place, one in enumerate(free)
    }
    for added, by in made.items():
        sign[added] = np.prod([sign[one] for one in by], axis=0)
    runs = np.column_stack([sign[one] for one in names]) > 0
    usual = f"2^{len(names)}" if not made else f"2^({len(names)}-{len(made)})"
    return TrialDesign(name or usual, names, runs, _defining_words(made))


def _check_generators(names: tuple[str, ...], made: Mapping[str, tuple[str, ...]]) -> None:
    for added, by in made.items():
        wrong = [one for one in (added, *by) if one not in names]
        wrong += [one for one in by if one in made]
        if wrong or len(set(by)) != len(by) or not by:
            raise ValueError(
                f"generators[{added!r}]={list(by)!r}: an added factor and different factors that "
                f"are not added are needed, out of {', '.join(names)}"
            )


def _defining_words(made: Mapping[str, tuple[str, ...]]) -> tuple[frozenset[str], ...]:
    """Words of a fraction: those of the generators and all their products."""
    single = [frozenset((added, *by)) for added, by in made.items()]
    words = []
    for size in range(1, len(single) + 1):
        for some in combinations(single, size):
            word: frozenset[str] = frozenset()
            for one in some:
                word = word ^ one
            words.append(word)
    return tuple(sorted(words, key=lambda word: (len(word), sorted(word))))


def one_at_a_time(
    factors: Sequence[str], *, nobody: int = 1, name: str = "one at a time"
) -> TrialDesign:
    """Make the design of nobody, each factor alone, and all.

    Parameters
    ----------
    factors : sequence of str
        Factors, at least two.
    nobody : int
        Groups without any factor.  With one less than there are factors, groups are as many as the
        question "all against the sum of each" weighs them, which gives it the least error (Neyman
        1934).
    name : str
        What to call it.

    Raises
    ------
    ValueError
        When there are fewer than two factors or no group without any.
    """
    names = checked_players(factors)
    if len(names) < 2 or nobody < 1:
        raise ValueError(f"{len(names)} factors, nobody={nobody!r}: at least 2 and 1 are needed")
    none = np.zeros((nobody, len(names)), dtype=bool)
    runs = np.vstack([none, np.eye(len(names), dtype=bool), np.ones((1, len(names)), dtype=bool)])
    return TrialDesign(name, names, runs, factorial=False)


def tool_designs(tools: Sequence[str]) -> dict[str, TrialDesign]:
    """Designs for six tools by name.

    Parameters
    ----------
    tools : sequence of str
        Six factors a to f.

    Returns
    -------
    dict of str to TrialDesign
        "full" (64 runs), "half" (32 runs, f = abcde: resolution VI), "quarter" (16 runs, e = abc
        and f = bcd: resolution IV), "one at a time" (8 groups) and "one at a time, weighted" (12).

    Raises
    ------
    ValueError
        When there are not six.
    """
    if len(tools) != 6:
        raise ValueError(f"tools: {len(tools)} given; these designs are for six")
    a, b, c, d, e, f = tools
    made = (
        fractional_factorial(tools, name="full"),
        fractional_factorial(tools, {f: [a, b, c, d, e]}, name="half"),
        fractional_factorial(tools, {e: [a, b, c], f: [b, c, d]}, name="quarter"),
        one_at_a_time(tools),
        one_at_a_time(tools, nobody=5, name="one at a time, weighted"),
    )
    return {one.name: one for one in made}
