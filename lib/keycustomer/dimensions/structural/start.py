"""Coefficients that a search begins at.

Where is the minimum likely to be?  :func:`start_values` reads loadings from covariances of an
item with its construct's other items, then what constructs vary together from what their items
do, then paths by regression on that: the model fitted piece by piece, from which a search has
five or six steps to go.  A plain second set of values is there for models on which this fails.

Source: Hägglund, "Factor analysis by instrumental variables methods" (Psychometrika 47, 1982),
for loadings.
"""

from __future__ import annotations

import numpy as np

from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.specification import FIXED
from keycustomer.dimensions.structural.syntax import LOADING, PATH
from keycustomer.stats.samples import FloatArray

FAR = 3.0
"""Largest loading to begin at, beside that of the first item in standard deviations."""

CLOSEST = 0.85
"""Largest correlation of constructs, and share explained, to begin at."""

LEAST_REMAINDER = 0.15
"""Smallest share not explained to begin at."""


def start_values(structure: Structure, seen: FloatArray) -> list[FloatArray]:
    """Coefficients to begin at: piece by piece, then plain ones.

    Parameters
    ----------
    structure : Structure
        The model.
    seen : ndarray, shape (items, items)
        Covariances of the answers.
    """
    loadings = _loadings(structure, seen)
    joint, loadings = _joint(structure, seen, loadings)
    plain = np.where(loadings >= 0, 1.0, -1.0) * np.sqrt(
        0.5 * np.diag(joint)[structure.row] / np.diag(joint)[structure.column]
    )
    apart = np.diag(np.diag(joint))
    return [_start(structure, loadings, joint), _start(structure, plain, apart)]


def _loadings(structure: Structure, seen: FloatArray) -> FloatArray:
    """Take loadings of items, in units of a fixed loading or of the first item."""
    start = np.ones(len(structure.row))
    for own in _items_of(structure).values():
        items = structure.row[own]
        first = items[0]
        for place, item in zip(own[1:], items[1:], strict=True):
            others = items[(items != first) & (items != item)]
            squares = float(seen[first, others] @ seen[first, others])
            slope = float(seen[first, others] @ seen[item, others]) / squares if squares else 0.0
            bound = FAR * np.sqrt(seen[item, item] / seen[first, first])
            turned = -1.0 if seen[item, first] < 0 else 1.0
            plain = 0.8 * turned * np.sqrt(seen[item, item] / seen[first, first])
            start[place] = slope if 0.05 * bound < abs(slope) < bound else plain
        fixed = [i for i in own if structure.number[i] == FIXED and structure.fixed[i]]
        if fixed:
            start[own] *= structure.fixed[fixed[0]] / start[fixed[0]]
    return start


def _items_of(structure: Structure) -> dict[int, np.ndarray]:
    """Cells of the loadings of items, by construct."""
    loading = np.array([c.operator == LOADING for c in structure.specification.cells])
    direct = loading & (structure.row < structure.items)
    constructs = dict.fromkeys(structure.column[direct].tolist())
    return {c: np.flatnonzero(direct & (structure.column == c)) for c in constructs}


def _joint(
    structure: Structure, seen: FloatArray, loadings: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Covariances of all variables as their items show them, and loadings in the same units."""
    size = structure.size
    weights = np.eye(size, structure.items)
    variance = np.ones(size)
    variance[: structure.items] = np.diag(seen)
    loadings = loadings.copy()
    for construct, own in _items_of(structure).items():
        own_loadings, items = loadings[own], structure.row[own]
        variance[construct] = _variance(own_loadings, seen[np.ix_(items, items)])
        unit = _fixed_variance(structure, construct)
        if unit is not None and not _has_fixed_loading(structure, own):
            loadings[own] *= np.sqrt(variance[construct] / unit)
            variance[construct] = unit
        weights[construct, items] = loadings[own] / (loadings[own] @ loadings[own])
    joint = weights @ seen @ weights.T
    spread = np.sqrt(variance)
    bound = CLOSEST * np.outer(spread, spread)
    joint = np.clip(joint, -bound, bound)
    np.fill_diagonal(joint, variance)
    return joint, loadings


def _variance(loadings: FloatArray, seen: FloatArray) -> float:
    """Variance of a construct that its items' covariances show, within what variances allow."""
    product = np.outer(loadings, loadings)
    whole = np.diag(seen) / np.maximum(loadings**2, 1e-12)
    if len(loadings) == 1:
        return float(whole[0])
    apart = ~np.eye(len(loadings), dtype=bool)
    found = float((product * seen)[apart].sum() / (product**2)[apart].sum())
    return float(np.clip(found, 0.15 * whole.min(), (1 - LEAST_REMAINDER) * whole.min()))


def _fixed_variance(structure: Structure, number: int) -> float | None:
    for i in np.flatnonzero(structure.number == FIXED):
        if structure.row[i] == structure.column[i] == number and structure.fixed[i] > 0:
            return float(structure.fixed[i])
    return None


def _has_fixed_loading(structure: Structure, own: np.ndarray) -> bool:
    return bool((structure.number[own] == FIXED).any())


def _start(structure: Structure, loadings: FloatArray, joint: FloatArray) -> FloatArray:
    cells = structure.specification.cells
    theta = np.zeros(structure.parameters)
    paths, remainder = _paths(structure, joint)
    explained = np.zeros(structure.size)
    for i, cell in enumerate(cells):
        if cell.operator == LOADING:
            value = cell.value if cell.free == FIXED else loadings[i]
            explained[cell.row] += value**2 * joint[cell.column, cell.column]
    whole = np.diag(joint)
    alone = np.clip(remainder - explained, LEAST_REMAINDER * whole, whole)
    dependent = {cell.row for cell in cells if cell.operator != "~~"}
    for i, cell in enumerate(cells):
        if cell.free == FIXED:
            continue
        if cell.operator == LOADING:
            theta[cell.free] = loadings[i]
        elif cell.operator == PATH:
            theta[cell.free] = paths[cell.row, cell.column]
        elif cell.row == cell.column:
            theta[cell.free] = alone[cell.row]
        elif cell.row not in dependent and cell.column not in dependent:
            theta[cell.free] = joint[cell.row, cell.column]
    return theta


def _paths(structure: Structure, joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Paths by regression on the joint covariances, and the variances they leave."""
    paths = np.zeros_like(joint)
    remainder = np.diag(joint).copy()
    causes: dict[int, list[int]] = {}
    for cell in structure.specification.cells:
        if cell.operator == PATH:
            causes.setdefault(cell.row, []).append(cell.column)
    for end, beginnings in causes.items():
        among = joint[np.ix_(beginnings, beginnings)]
        # a little ridge, as clipped covariances need not be possible together
        among = among + 0.1 * np.diag(np.diag(among))
        slopes = np.linalg.solve(among, joint[beginnings, end])
        paths[end, beginnings] = slopes
        remainder[end] -= min(float(slopes @ joint[beginnings, end]), CLOSEST * remainder[end])
    return paths, remainder
