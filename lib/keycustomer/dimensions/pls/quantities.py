"""The figures of a path model under their names: paths, effects, loadings, reliabilities.

What does a solution say, row by row?  :func:`quantities` turns a stack of solutions into arrays
with one column a row of a table, and :class:`QuantityLabels` says what each row is about.  The fit
and its bootstrap read their tables from the same rows.

Sources: Hair, Hult, Ringle & Sarstedt, "A Primer on Partial Least Squares Structural Equation
Modeling" (2022), chapters 4-6; Cohen, "Statistical Power Analysis" (1988), for f2.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from keycustomer.dimensions.measurement.coefficients import (
    average_variance_extracted,
    composite_reliability,
    cronbach_alpha,
)
from keycustomer.dimensions.pls.algorithm import Solution, total_effects
from keycustomer.dimensions.pls.specification import PathModel
from keycustomer.stats.samples import FloatArray

Quantities = dict[str, FloatArray]

RELIABILITIES = ("alpha_standardised", "rho_a", "composite_reliability", "ave")
"""Reliabilities of a construct's score, from its items' correlations, weights and loadings."""

ALL_ROUTES = "all routes"
"""What an indirect effect goes by when it is the sum over several routes."""


class QuantityLabels:
    """What each column of each quantity is about.

    Parameters
    ----------
    model : PathModel
        The model whose solutions are told.
    """

    def __init__(self, model: PathModel) -> None:
        self.model = model
        names = model.constructs
        self.cells = [(item, c) for c, block in enumerate(model.blocks) for item in block]
        self.endogenous = [c for c, before in enumerate(model.predecessors) if before]
        self.pairs = list(combinations(range(model.size), 2))
        self.routes = model.routes
        reached = {(way[0], way[-1]): 0 for way in self.routes}
        for way in self.routes:
            reached[way[0], way[-1]] += 1
        self.indirect = [pair for pair, ways in reached.items() if ways > 1]
        self.total = sorted({*model.arrows, *reached})
        self._names = names

    def frame(self, quantity: str) -> pd.DataFrame:
        """Labels of a quantity, one row a column of its array."""
        names = self._names
        match quantity:
            case "path" | "vif" | "f_squared":
                rows = [{"from": names[j], "to": names[i]} for j, i in self.model.arrows]
            case "total":
                rows = [{"from": names[j], "to": names[i]} for j, i in self.total]
            case "indirect":
                rows = [
                    *(
                        {"from": names[w[0]], "via": self._via(w), "to": names[w[-1]]}
                        for w in self.routes
                    ),
                    *(
                        {"from": names[j], "via": ALL_ROUTES, "to": names[i]}
                        for j, i in self.indirect
                    ),
                ]
            case "r_squared":
                rows = [{"construct": names[c]} for c in self.endogenous]
            case "loading" | "weight":
                rows = [{"construct": names[c], "item": self.model.items[i]} for i, c in self.cells]
            case "correlation":
                rows = [{"construct": names[a], "other": names[b]} for a, b in self.pairs]
            case _:
                rows = [{"construct": name} for name in names]
        columns = {"indirect": ["from", "via", "to"], "total": ["from", "to"]}.get(quantity)
        return pd.DataFrame(rows, columns=columns)

    def _via(self, way: tuple[int, ...]) -> str:
        return " -> ".join(self._names[station] for station in way[1:-1])


def quantities(
    solution: Solution, correlations: FloatArray, labels: QuantityLabels, *, consistent: bool
) -> Quantities:
    """Everything a stack of solutions says, (draws, rows of the table) each.

    Parameters
    ----------
    solution : Solution
        From `solve_paths`.
    correlations : array, shape (draws, items, items)
        What it was solved for.
    labels : QuantityLabels
        Of the same model.
    consistent : bool
        Whether loadings are those of common factors (PLSc).
    """
    direct = solution.paths
    total = total_effects(direct)
    items, owners = (list(part) for part in zip(*labels.cells, strict=True))
    loadings = _loadings(solution, labels, consistent)
    return {
        "path": np.stack([direct[:, i, j] for j, i in labels.model.arrows], axis=1),
        "total": np.stack([total[:, i, j] for j, i in labels.total], axis=1),
        "indirect": _indirect(direct, total, labels),
        "r_squared": solution.r_squared[:, labels.endogenous],
        "loading": loadings,
        "weight": solution.weights[:, items, owners],
        "correlation": np.stack([solution.correlations[:, a, b] for a, b in labels.pairs], axis=1),
        **_reliability(solution, correlations, loadings, labels),
    }


def _indirect(direct: FloatArray, total: FloatArray, labels: QuantityLabels) -> FloatArray:
    columns = [
        np.prod([direct[:, i, j] for j, i in pairwise(way)], axis=0) for way in labels.routes
    ]
    columns += [total[:, i, j] - direct[:, i, j] for j, i in labels.indirect]
    return np.stack(columns, axis=1) if columns else np.empty((len(direct), 0))


def _loadings(solution: Solution, labels: QuantityLabels, consistent: bool) -> FloatArray:
    """Give the loadings on the own construct, in the order of the labels' cells."""
    items, owners = (list(part) for part in zip(*labels.cells, strict=True))
    loadings = solution.loadings[:, items, owners]
    if not consistent:
        return loadings
    weights = solution.weights[:, items, owners]
    start = 0
    for construct, block in enumerate(labels.model.blocks):
        own = slice(start, start := start + len(block))
        if labels.model.modes[construct] == "A" and len(block) > 1:
            square = (weights[:, own] ** 2).sum(axis=1)
            root = np.sqrt(np.maximum(solution.rho_a[:, construct], 0))
            loadings[:, own] = weights[:, own] * (root / square)[:, None]
    return loadings


def _reliability(
    solution: Solution, correlations: FloatArray, loadings: FloatArray, labels: QuantityLabels
) -> Quantities:
    """Reliabilities by construct; NaN for one item and for mode B, whose score is no factor."""
    model = labels.model
    found = {name: np.full((len(loadings), model.size), np.nan) for name in RELIABILITIES}
    start = 0
    for construct, block in enumerate(model.blocks):
        own = loadings[:, start : (start := start + len(block))]
        if model.modes[construct] == "B" or len(block) < 2:
            continue
        left = 1 - own**2
        alpha = cronbach_alpha(correlations[:, block][:, :, block])
        found["alpha_standardised"][:, construct] = alpha
        found["rho_a"][:, construct] = solution.rho_a[:, construct]
        found["composite_reliability"][:, construct] = composite_reliability(own, left)
        found["ave"][:, construct] = average_variance_extracted(own, left)
    return found


def inflation_and_effect_size(
    solution: Solution, labels: QuantityLabels
) -> Mapping[str, FloatArray]:
    """Variance inflation and f2 of every path of the first solution.

    Parameters
    ----------
    solution : Solution
        From `solve_paths`.
    labels : QuantityLabels
        Of the same model.

    Returns
    -------
    mapping
        `vif`: how much the other predecessors inflate a path's variance, 1 for a single
        predecessor; `f_squared`: R2 lost without the path, the scores as they are, over the
        variance that is not explained.
    """
    vif, effect_size = [], []
    for cause, effect in labels.model.arrows:
        before = list(labels.model.predecessors[effect])
        inverse = np.linalg.inv(solution.correlations[0][np.ix_(before, before)])
        at = before.index(cause)
        vif.append(inverse[at, at])
        lost = solution.paths[0, effect, cause] ** 2 / inverse[at, at]
        unexplained = 1 - solution.r_squared[0, effect]
        effect_size.append(lost / unexplained if unexplained > 0 else np.inf)
    return {"vif": np.array(vif), "f_squared": np.array(effect_size)}
