"""The search for a choice design: every level as often, few repeated in a task, little error.

A balanced start with as few repeats within tasks as can be (:func:`balanced_start`) is improved by
swapping the levels of one attribute between two profiles, which leaves the balance as it is
(:func:`improve`).  A swap stays when it leaves fewer bad tasks (a profile twice, a prohibited one,
one that is worse in every respect), or as many and a smaller D-error.

Sources: Huber & Zwerina (1996), Journal of Marketing Research 33, 307-317, for balance, minimal
overlap and swaps; Kuhfeld, Tobias & Garratt (1994), Journal of Marketing Research 31, 545-557, for
the D-error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

IntArray = npt.NDArray[np.int64]

SINGULAR = 1e-9
"""Smallest eigenvalue of the information, scaled to ones, of coefficients that are identified."""


@dataclass(frozen=True, eq=False)
class DesignRules:
    """What a design is made of, and what it must not show.

    Attributes
    ----------
    tables : tuple of ndarray, each of shape (levels, columns)
        Coefficients' columns of each attribute, by level.
    ranks : ndarray, shape (attributes, most levels)
        How good a level is; NaN for attributes without a direction.
    prohibited : tuple of tuple of (int, int)
        Combinations of attribute and level that no profile may have.
    alternatives : int
        Profiles in a task.
    """

    tables: tuple[FloatArray, ...]
    ranks: FloatArray
    prohibited: tuple[tuple[tuple[int, int], ...], ...]
    alternatives: int

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of levels by attribute."""
        return tuple(map(len, self.tables))

    @property
    def columns(self) -> int:
        """Number of coefficients."""
        return sum(table.shape[1] for table in self.tables)

    def design(self, codes: IntArray) -> FloatArray:
        """Columns of profiles, shape (..., columns), from codes of shape (..., attributes)."""
        parts = [table[codes[..., place]] for place, table in enumerate(self.tables)]
        return np.concatenate(parts, axis=-1)

    def information(self, codes: IntArray) -> FloatArray:
        """Information of tasks at equal utilities, shape (..., columns, columns).

        Parameters
        ----------
        codes : ndarray of int, shape (..., alternatives, attributes)
            Tasks.
        """
        design = self.design(codes)
        apart = design - design.mean(axis=-2, keepdims=True)
        return np.asarray(np.swapaxes(apart, -1, -2) @ apart / self.alternatives)

    def faults(self, task: IntArray) -> int:
        """Count the bad profiles of a task: shown twice, prohibited, or dominated."""
        bad = sum(
            int(all(profile[a] == level for a, level in combination))
            for profile in task
            for combination in self.prohibited
        )
        rank = self.ranks[np.arange(task.shape[1]), task]
        directed = ~np.isnan(rank[0])
        gap = rank[:, None, directed] - rank[None, :, directed]
        alike = (task[:, None, ~directed] == task[None, :, ~directed]).all(axis=2)
        # a profile at least as good in all respects; identical ones count for each other
        covers = alike & (gap >= 0).all(axis=2)
        np.fill_diagonal(covers, False)
        return int(bad + covers.any(axis=0).sum())


def d_error(information: FloatArray) -> float:
    """D-error: det(information)^(-1/columns); infinite where a coefficient is not identified."""
    # numbers such as prices have columns far larger than 0 and 1: rank is told in their own units
    unit = np.sqrt(np.diag(information))
    if not (unit > 0).all():
        return float("inf")
    scaled = information / np.outer(unit, unit)
    if np.linalg.eigvalsh(scaled)[0] < SINGULAR:
        return float("inf")
    log = float(np.linalg.slogdet(scaled)[1]) + 2 * float(np.log(unit).sum())
    return float(np.exp(-log / len(information)))


def balanced_start(rules: DesignRules, tasks: int, generator: np.random.Generator) -> IntArray:
    """Tasks in which levels come equally often, and as seldom twice in one task as can be.

    Returns
    -------
    ndarray of int, shape (tasks, alternatives, attributes)
    """
    found = np.empty((tasks, rules.alternatives, len(rules.levels)), dtype=np.int64)
    for place, levels in enumerate(rules.levels):
        # consecutive places of a cycle repeat a level as seldom as possible
        cycle = generator.permutation(levels)[np.arange(tasks * rules.alternatives) % levels]
        rows = cycle.reshape(tasks, -1)[generator.permutation(tasks)]
        found[:, :, place] = generator.permuted(rows, axis=1)
    return found


def overlaps(task: IntArray) -> IntArray:
    """Pairs of alternatives that share the level of each attribute, shape (attributes,)."""
    same = task[:, None] == task[None, :]
    return np.asarray((same.sum(axis=(0, 1)) - len(task)) // 2, dtype=np.int64)


def improve(
    rules: DesignRules, codes: IntArray, swaps: int, generator: np.random.Generator
) -> tuple[IntArray, int, float]:
    """Swap levels between profiles as long as that makes the design better.

    Parameters
    ----------
    rules : DesignRules
        What the design is made of.
    codes : ndarray of int, shape (tasks, alternatives, attributes)
        Start.
    swaps : int
        Swaps that are tried.
    generator : Generator
        Draws the swaps.

    Returns
    -------
    (codes, faults, d_error)
        The design, its bad profiles, and the D-error of its information.
    """
    codes = codes.copy()
    each = rules.information(codes)
    faults = np.array([rules.faults(task) for task in codes])
    total, error = each.sum(axis=0), d_error(each.sum(axis=0))
    for uniform in generator.random((swaps, 6)):
        first, other, attribute = _proposal(uniform, codes.shape, faults)
        one, two = codes[first][attribute], codes[other][attribute]
        if one == two:
            continue
        touched = sorted({first[0], other[0]})
        before = codes[touched].copy()
        codes[(*first, attribute)], codes[(*other, attribute)] = two, one
        if _more_overlap(before, codes[touched], attribute):
            codes[touched] = before
            continue
        bad = np.array([rules.faults(task) for task in codes[touched]])
        now = rules.information(codes[touched])
        moved = total + now.sum(axis=0) - each[touched].sum(axis=0)
        fewer = int(bad.sum() - faults[touched].sum())
        new = d_error(moved) if fewer <= 0 else float("inf")
        if fewer < 0 or (fewer == 0 and new < error):
            faults[touched], each[touched], total, error = bad, now, moved, new
        else:
            codes[touched] = before
    return codes, int(faults.sum()), error


def _proposal(
    uniform: FloatArray, shape: tuple[int, ...], faults: IntArray
) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Two profiles (task, alternative), and the attribute whose levels they may swap.

    Half of the swaps stay within a task, and half start in a task that has faults, if there is one.
    """
    tasks, alternatives, attributes = shape
    bad = np.flatnonzero(faults)
    pool = bad if len(bad) and uniform[0] < 0.5 else np.arange(tasks)
    task = int(pool[int(uniform[1] * len(pool))])
    other = task if uniform[2] < 0.5 else int(2 * (uniform[2] - 0.5) * tasks)
    places = (uniform[3:5] * alternatives).astype(int)
    return (task, int(places[0])), (other, int(places[1])), int(uniform[5] * attributes)


def _more_overlap(before: IntArray, after: IntArray, attribute: int) -> bool:
    counts = [sum(overlaps(task)[attribute] for task in tasks) for tasks in (before, after)]
    return bool(counts[1] > counts[0])


def orthogonal_d_error(rules: DesignRules, tasks: int) -> float:
    """D-error no balanced design of this size can beat: attributes orthogonal, all levels met.

    The information is at most what it would be if it had no terms between attributes (Fischer's
    inequality) and if each attribute's levels met one another equally often; of numbers, if their
    whole variance lay within tasks.
    """
    log, columns = 0.0, 0
    for table in rules.tables:
        levels, own = table.shape
        centred = table - table.mean(axis=0)
        most = centred.T @ centred / levels
        if own > 1 or set(np.unique(table)) == {0.0, 1.0}:
            times = np.bincount(np.arange(rules.alternatives) % levels, minlength=levels)
            part = times / rules.alternatives
            most = most * (part * (1 - part)).sum() / (1 - 1 / levels)
        log += np.linalg.slogdet(tasks * most)[1]
        columns += own
    return float(np.exp(-log / columns))


def random_d_error(
    rules: DesignRules, tasks: int, designs: int, generator: np.random.Generator
) -> float:
    """Median D-error of designs whose levels are drawn at random."""
    shape = (designs, tasks, rules.alternatives)
    codes = np.stack([generator.integers(0, n, shape) for n in rules.levels], axis=-1)
    information = rules.information(codes).sum(axis=1)
    return float(np.median([d_error(one) for one in information]))


def share_out(codes: IntArray, blocks: int, generator: np.random.Generator) -> IntArray:
    """Share tasks out to blocks of equal size in which levels come about equally often.

    Returns
    -------
    ndarray of int, shape (tasks,)
        Block of each task.
    """
    tasks = len(codes)
    block = generator.permutation(np.arange(tasks) % blocks)
    if blocks == 1:
        return block
    most = int(codes.max()) + 1
    counts = (codes[..., None] == np.arange(most)).sum(axis=1)  # tasks, attributes, levels
    own = np.array([counts[block == b].sum(axis=0) for b in range(blocks)], dtype=float)
    for one, two in generator.integers(0, tasks, (200 * tasks, 2)):
        a, b = block[one], block[two]
        moved = (counts[two] - counts[one]).astype(float)
        gain = ((own[a] + moved) ** 2 + (own[b] - moved) ** 2 - own[a] ** 2 - own[b] ** 2).sum()
        if a != b and gain < 0:
            own[a], own[b] = own[a] + moved, own[b] - moved
            block[one], block[two] = b, a
    return block
