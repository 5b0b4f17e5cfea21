"""May a solution be read?  Negative variances, impossible correlations, flat likelihoods.

A program finds the best coefficients and prints fit indices even where the solution is
impossible: an item with a negative variance (a Heywood case), constructs that correlate by more
than 1, a standardised path above 1.  Then the model and the answers do not belong together, and
no coefficient, score or effect of it means anything, however good the fit looks.
:func:`find_problems` looks for all of that; every reading method of a fit refuses with
:class:`ImproperSolution` while there is one.

A standardised path above 1 alone can be proper (Jöreskog 1999), but then two causes are nearly
one and their effects cannot be told apart; it is refused here too.

Sources: Heywood, "On finite sequences of real numbers" (Proceedings of the Royal Society A 134,
1931); Chen, Bollen, Paxton, Curran & Kirby, "Improper solutions in structural equation models"
(Sociological Methods & Research 29, 2001); Jöreskog, "How large can a standardized coefficient
be?" (1999); Fornell & Larcker (Journal of Marketing Research 18, 1981) for discriminant validity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from keycustomer.dimensions.structural.identification import replaceable
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.standardised import standardised
from keycustomer.dimensions.structural.syntax import PATH
from keycustomer.stats.samples import FloatArray

NEGATIVE = -1e-7
"""Variance (as a share of the whole) or eigenvalue (of correlations) below which it is negative."""

ABOVE_ONE = 1 + 1e-7
"""Standardised path or correlation above which it is above 1."""

FLAT = 1e-7
"""Change of the covariances, relative to the largest, that counts as none at a solution."""

_TWO_SIDED_95 = NormalDist().inv_cdf(0.975)

CURE_ITEM = (
    "look at the item (few respondents, an item unlike its fellows, two items that say the same), "
    "take it out or add better ones"
)
CURE_CONSTRUCTS = (
    "merge them into one construct, or take one out of the model, and check discriminant validity "
    "(HTMT)"
)


@dataclass(frozen=True)
class Problem:
    """Why a solution may not be read.

    Attributes
    ----------
    kind : str
        `not converged`, `not identified`, `negative item variance`, `negative construct variance`,
        `impossible correlations`, `path above 1`.
    where : str
        Items, constructs or coefficients concerned.
    value : float
        The impossible number; NaN without one.
    what : str
        What is wrong, in words.
    cure : str
        What to do.
    """

    kind: str
    where: str
    value: float
    what: str
    cure: str

    def __str__(self) -> str:
        """Say what is wrong and what to do."""
        return f"{self.what}; {self.cure}"


class ImproperSolution(ValueError):
    """A solution that may not be read, with the reasons.

    Attributes
    ----------
    problems : tuple of Problem
        All reasons.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(
            f"the solution is improper and must not be read, however well the model fits:{told}\n"
            "fit.diagnosis() shows the impossible numbers, fit.raw_parameters() all of them"
        )
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[ImproperSolution], tuple[tuple[Problem, ...]]]:
        """Survive the way from a worker process to its parent."""
        return type(self), (self.problems,)


def find_problems(
    structure: Structure, theta: FloatArray, se: FloatArray, *, converged: bool
) -> tuple[Problem, ...]:
    """Find every reason why a solution may not be read.

    Parameters
    ----------
    structure : Structure
        The model.
    theta, se : ndarray, shape (free,)
        Solution and standard errors.
    converged : bool
        Whether the search ended at a minimum.
    """
    if not converged:
        return (_not_converged(structure, theta),)
    return (
        *_replaceable_here(structure, theta),
        *_negative_variances(structure, theta, se),
        *_impossible_correlations(structure, theta),
        *_steep_paths(structure, theta),
    )


def _not_converged(structure: Structure, theta: FloatArray) -> Problem:
    """Say that a search ended nowhere, and which variances ran below zero on its way."""
    arrows = np.diag(structure.implied(theta[None]).arrows[0])
    names = [
        name
        for name, variance in zip(structure.specification.variables, arrows, strict=True)
        if variance < 0
    ]
    way = f": the variance of {', '.join(names)} ran below zero without end" if names else ""
    first = f"look at {names[0]} and its fellows first" if names else "try one construct at a time"
    return Problem(
        "not converged",
        ", ".join(names),
        float("nan"),
        f"the search found no best coefficients{way}",
        f"the answers do not support the model: {first} (fit_cfa), take out items unlike their "
        "fellows or ask more respondents, then add paths",
    )


def _replaceable_here(structure: Structure, theta: FloatArray) -> Iterator[Problem]:
    change = structure.change(theta)
    names = replaceable(change, structure.specification.free, FLAT)
    if names:
        shown = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
        yield Problem(
            "not identified",
            shown,
            float("nan"),
            f"these answers cannot tell apart {shown}",
            "constructs unrelated to others need three items; take out paths or add items",
        )


def _negative_variances(
    structure: Structure, theta: FloatArray, se: FloatArray
) -> Iterator[Problem]:
    implied = structure.implied(theta[None])
    arrows, total = np.diag(implied.arrows[0]), np.diag(implied.covariance[0])
    spread = {
        structure.row[i]: se[structure.number[i]]
        for i in structure.free
        if not structure.directed[i] and structure.row[i] == structure.column[i]
    }
    for number, name in enumerate(structure.specification.variables):
        if not arrows[number] < NEGATIVE * abs(total[number]):
            continue
        value = float(arrows[number])
        chance = value + _TWO_SIDED_95 * spread.get(number, 0.0) > 0
        hint = ", or ask more respondents: its interval holds 0, so chance may do" if chance else ""
        if number < structure.items:
            what = f"item {name} has a negative remaining variance, {value:.3g} (a Heywood case)"
            yield Problem("negative item variance", name, value, what, CURE_ITEM + hint)
        else:
            what = f"construct {name} has a negative remaining variance, {value:.3g}"
            cure = _cure_of_construct(structure, name) + hint
            yield Problem("negative construct variance", name, value, what, cure)


def _cure_of_construct(structure: Structure, name: str) -> str:
    if any(cell.operator == PATH and cell.left == name for cell in structure.specification.cells):
        return f"more of {name} is explained than there is: take out a path to it"
    return (
        f"the items of {name} do not vary together as the model says: look for reversed or unlike "
        "items and at fixed loadings"
    )


def _impossible_correlations(structure: Structure, theta: FloatArray) -> Iterator[Problem]:
    implied = structure.implied(theta[None])
    covariance, arrows = implied.covariance[0], implied.arrows[0]
    own, items = slice(structure.items, None), slice(structure.items)
    constructs = structure.specification.constructs
    found = list(_impossible(covariance[own, own], constructs, "constructs", CURE_CONSTRUCTS))
    if not found:
        # in a factor model constructs are their own remainders: told once
        cure = "take out a covariance or a path between them"
        found = list(_impossible(arrows[own, own], constructs, "remainders of constructs", cure))
    yield from found
    cure = "take out a covariance between items"
    names = structure.specification.items
    yield from _impossible(arrows[items, items], names, "remainders of items", cure)


def _impossible(
    matrix: FloatArray, names: Sequence[str], what: str, cure: str
) -> Iterator[Problem]:
    """Complain about a covariance matrix that none can be, where its variances are positive."""
    positive = np.diag(matrix) > 0
    kept = matrix[np.ix_(positive, positive)]
    who = [name for name, keep in zip(names, positive, strict=True) if keep]
    if len(who) < 2:
        return
    spread = np.sqrt(np.diag(kept))
    correlation = kept / np.outer(spread, spread)
    over = [
        (who[a], who[b], float(correlation[a, b]))
        for a in range(len(who))
        for b in range(a)
        if abs(correlation[a, b]) > ABOVE_ONE
    ]
    for first, second, value in over:
        said = f"the {what} {second} and {first} correlate by {value:.3f}, beyond 1"
        yield Problem("impossible correlations", f"{second}, {first}", value, said, cure)
    sizes, directions = np.linalg.eigh(correlation)
    if sizes[0] < NEGATIVE and not over:
        weight = np.abs(directions[:, 0])
        worst = [name for name, w in zip(who, weight / weight.max(), strict=True) if w > 0.3]
        listed = ", ".join(worst)
        said = (
            f"the {what} {listed} have correlations that cannot be together (smallest eigenvalue "
            f"{sizes[0]:.3f})"
        )
        yield Problem("impossible correlations", listed, float(sizes[0]), said, cure)


def _steep_paths(structure: Structure, theta: FloatArray) -> Iterator[Problem]:
    """Complain about standardised paths above 1, all those to one variable together."""
    values = standardised(structure, theta[None])[0]
    causes: dict[str, list[tuple[str, float]]] = {}
    for number in structure.specification.of(PATH):
        cell = structure.specification.cells[number]
        causes.setdefault(cell.left, []).append((cell.right, float(values[number])))
    for end, beginnings in causes.items():
        steep = [(name, value) for name, value in beginnings if abs(value) > ABOVE_ONE]
        if not steep:
            continue
        told = ", ".join(f"{name} -> {end} {value:.2f}" for name, value in steep)
        names = [name for name, _ in beginnings]
        apart = f"the effects of {', '.join(names)} on {end} can hardly be told apart"
        alone = f"{names[0]} and {end} can hardly be told apart"
        yield Problem(
            "path above 1",
            ", ".join(f"{name} -> {end}" for name, _ in steep),
            max((value for _, value in steep), key=abs),
            f"standardised paths beyond 1: {told}",
            f"{apart if len(names) > 1 else alone}: {CURE_CONSTRUCTS}",
        )


def improper_draws(structure: Structure, theta: FloatArray) -> np.ndarray:
    """Tell which draws, shape (draws, free), have negative variances or impossible correlations."""
    implied = structure.implied(theta)
    own = slice(structure.items, None)
    arrows = np.einsum("dii->di", implied.arrows)
    total = np.einsum("dii->di", implied.covariance)
    negative = (arrows < NEGATIVE * np.abs(total)).any(axis=1)
    spread = np.sqrt(np.where(total > 0, total, 1.0))[:, own]
    correlation = implied.covariance[:, own, own] / (spread[:, :, None] * spread[:, None, :])
    if correlation.shape[1]:
        negative |= np.linalg.eigvalsh(correlation)[:, 0] < NEGATIVE
    return np.asarray(negative)
