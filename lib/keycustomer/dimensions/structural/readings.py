"""Tables that a solution is read from: paths, loadings, indirect effects, reliability.

:class:`Readings` holds what a fit with delta-method intervals and a bootstrap of it have in
common: the same tables, with intervals of their own kind.  Each of them refuses an improper
solution with :class:`ImproperSolution`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.structural.admissibility import ImproperSolution
from keycustomer.dimensions.structural.effects import read_ways
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.specification import Specification
from keycustomer.dimensions.structural.standardised import (
    correlations,
    explained,
    reliability,
    standardised,
)
from keycustomer.dimensions.structural.syntax import COVARIANCE, LOADING, PATH
from keycustomer.dimensions.structural.uncertainty import Quantity, Uncertain
from keycustomer.stats import Estimate

ENDS = ("estimate", "se", "lower", "upper")
MEASURES = ("omega", "ave")


class Readings:
    """Tables of a solution.

    Attributes
    ----------
    structure : Structure
        The model as matrices.
    problems : tuple of Problem
        Why the solution may not be read; empty when it may.
    spread : Spread
        What gives intervals.
    respondents : int
        Respondents the solution rests on.
    level : float
        Confidence level of the intervals.
    """

    structure: Structure
    problems: Any
    spread: Any
    respondents: Any
    level: float

    @property
    def specification(self) -> Specification:
        """The model's coefficients."""
        return self.structure.specification

    @property
    def admissible(self) -> bool:
        """Whether the solution may be read."""
        return not self.problems

    def refuse(self) -> None:
        """Raise the reasons why the solution may not be read, if there are any.

        Raises
        ------
        ImproperSolution
            When there are.
        """
        if self.problems:
            raise ImproperSolution(self.problems)

    def parameters(self) -> pd.DataFrame:
        """Every coefficient.

        Returns
        -------
        DataFrame
            left, operator, right, label, estimate, se, lower, upper (and, by normal theory, z and
            p), then the same standardised: standardised, standardised_se, standardised_lower,
            standardised_upper.  Fixed coefficients have the standard error 0 and no z.
        """
        self.refuse()
        return self._cells(range(len(self.specification.cells)))

    def paths(self) -> pd.DataFrame:
        """Paths between variables: `from`, `to`, then as :meth:`parameters`."""
        self.refuse()
        table = self._cells(self.specification.of(PATH))
        names = {"right": "from", "left": "to"}
        table = table.drop(columns="operator").rename(columns=names)
        return table[["from", "to", *table.columns.drop(["from", "to"])]]

    def loadings(self) -> pd.DataFrame:
        """Table of loadings: `construct`, `item`, then as :meth:`parameters`."""
        self.refuse()
        table = self._cells(self.specification.of(LOADING))
        return table.drop(columns="operator").rename(columns={"left": "construct", "right": "item"})

    def covariances(self) -> pd.DataFrame:
        """Covariances between different variables, or their remainders, standardised too."""
        self.refuse()
        cells = self.specification.cells
        numbers = [i for i in self.specification.of(COVARIANCE) if cells[i].row != cells[i].column]
        return self._cells(numbers).drop(columns="operator")

    def definitions(self) -> pd.DataFrame:
        """Quantities written with ``:=``: name, expression, estimate, se, lower, upper."""
        self.refuse()
        formulas = self.specification.formulas
        found = self.spread.of(self._defined)
        table = {"name": formulas.names, "expression": formulas.expressions}
        return self._with(table, found, tests=True)

    def indirect_effects(self, *, kinds: tuple[str, ...] | None = None) -> pd.DataFrame:
        """Effects along the paths.

        Parameters
        ----------
        kinds : tuple of str, optional
            Of `direct`, `indirect` (along one way), `total indirect`, `total`; left out, the
            two kinds of indirect effects.

        Returns
        -------
        DataFrame
            effect, from, to, kind, estimate, se, lower, upper and the same standardised.
        """
        self.refuse()
        every = ("direct", "indirect", "total indirect", "total")
        wanted = ("indirect", "total indirect") if kinds is None else kinds
        wrong = [kind for kind in wanted if kind not in every]
        if wrong or isinstance(kinds, str):
            raise ValueError(f"kinds={kinds!r}: give a tuple of {', '.join(map(repr, every))}")
        return self._effects(wanted)

    def effects(self) -> pd.DataFrame:
        """Direct, indirect and total effects, as :meth:`indirect_effects`."""
        return self.indirect_effects(kinds=("direct", "indirect", "total indirect", "total"))

    def r_squared(self) -> pd.DataFrame:
        """Share of variance explained of each item and construct that something acts on.

        Returns
        -------
        DataFrame
            variable, kind (`item` or `construct`), estimate, se, lower, upper.
        """
        self.refuse()
        structure = self.structure
        numbers = np.unique(structure.row[structure.directed]).tolist()
        names = self.specification.variables
        table = {
            "variable": [names[i] for i in numbers],
            "kind": ["item" if i < structure.items else "construct" for i in numbers],
        }
        return self._with(table, self.spread.of(lambda t: explained(structure, t, numbers)))

    def correlations(self) -> pd.DataFrame:
        """Correlations of constructs implied by the model: first, second, estimate, se ..."""
        self.refuse()
        structure, names = self.structure, self.specification.constructs
        pairs = list(combinations(range(len(names)), 2))
        table = {"first": [names[a] for a, _ in pairs], "second": [names[b] for _, b in pairs]}
        places = np.array(pairs, int).reshape(-1, 2) + structure.items
        return self._with(table, self.spread.of(lambda t: correlations(structure, t, places)))

    def reliability(self) -> pd.DataFrame:
        """Omega and average variance extracted of each construct with at least two items.

        Returns
        -------
        DataFrame
            construct, measure (`omega`, `ave`), items, estimate, se, lower, upper.
        """
        self.refuse()
        structure, specification = self.structure, self.specification
        items = {name: len(specification.items_of(name)) for name in specification.constructs}
        measured = [name for name, count in items.items() if count > 1]
        table: dict[str, Sequence[Any]] = {
            "construct": [name for name in measured for _ in MEASURES],
            "measure": [measure for _ in measured for measure in MEASURES],
            "items": [items[name] for name in measured for _ in MEASURES],
        }

        def quantity(theta: np.ndarray) -> np.ndarray:
            parts = [reliability(structure, theta, name) for name in measured]
            return np.concatenate(parts, axis=1) if parts else np.empty((len(theta), 0))

        return self._with(table, self.spread.of(quantity))

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate): `path` and `indirect` (standardised), omega, ave."""
        self.refuse()
        found = []
        paths = self.paths()
        for row in paths.to_dict("records"):
            found.append(("path", f"{row['from']}->{row['to']}", self._estimate(row)))
        for row in self._effects(("total indirect",)).to_dict("records"):
            found.append(("indirect", f"{row['from']}->{row['to']}", self._estimate(row)))
        for row in self.reliability().to_dict("records"):
            ends = [row["estimate"], row["lower"], row["upper"]]
            share = self._with_method(ends, "share of variance")
            found.append((row["measure"], row["construct"], share))
        return found

    def defined(self, name: str) -> Estimate:
        """Estimate of one quantity written with ``:=``.

        Raises
        ------
        KeyError
            When the model defines no such quantity.
        """
        table = self.definitions().set_index("name")
        if name not in table.index:
            there = ", ".join(table.index) or "none"
            raise KeyError(f"the model defines no quantity {name!r}; it defines {there}")
        ends = table.loc[[name], ["estimate", "lower", "upper"]].to_numpy(float)[0].tolist()
        return self._with_method(ends, "units of the items")

    def _estimate(self, row: Mapping[Hashable, Any]) -> Estimate:
        names = ("standardised", "standardised_lower", "standardised_upper")
        return self._with_method([row[name] for name in names], "standard deviations")

    def _with_method(self, ends: list[float], unit: str) -> Estimate:
        estimate, lower, upper = ends
        method = self.spread.method
        return Estimate(estimate, lower, upper, unit, self.respondents, method, self.level)

    def _defined(self, theta: np.ndarray) -> np.ndarray:
        values = self.structure.values(theta)
        cells = self.specification.cells
        labels = {cell.label: values[:, i] for i, cell in enumerate(cells) if cell.label}
        found = self.specification.formulas.evaluate(labels)
        return np.broadcast_to(found, (len(theta), found.shape[1]))

    def _cells(self, numbers: range | list[int]) -> pd.DataFrame:
        chosen, structure = list(numbers), self.structure
        cells = [self.specification.cells[i] for i in chosen]
        table = {
            name: [getattr(cell, name) for cell in cells]
            for name in ("left", "operator", "right", "label")
        }
        raw = self.spread.of(lambda t: structure.values(t)[:, chosen])
        scaled = self.spread.of(lambda t: standardised(structure, t)[:, chosen])
        return self._with(table, raw, scaled)

    def _effects(self, kinds: tuple[str, ...]) -> pd.DataFrame:
        structure = self.structure
        ways = read_ways(self.specification)
        chosen = [i for i, effect in enumerate(ways.effects) if effect.kind in kinds]
        drawn = [ways.effects[i] for i in chosen]
        table = {
            "effect": [effect.name for effect in drawn],
            "from": [effect.start for effect in drawn],
            "to": [effect.end for effect in drawn],
            "kind": [effect.kind for effect in drawn],
        }

        def quantity(of: Quantity) -> Uncertain:
            return self.spread.of(lambda t: ways.products(of(t))[:, chosen])

        scaled = quantity(lambda t: standardised(structure, t))
        return self._with(table, quantity(structure.values), scaled)

    def _with(
        self,
        names: Mapping[str, Sequence[Any]],
        raw: Uncertain,
        scaled: Uncertain | None = None,
        *,
        tests: bool = False,
    ) -> pd.DataFrame:
        """Put estimates beside names."""
        columns = {name: getattr(raw, name) for name in ENDS}
        if tests or scaled is not None:
            columns |= self._tests(raw)
        if scaled is not None:
            columns["standardised"] = scaled.estimate
            columns |= {f"standardised_{name}": getattr(scaled, name) for name in ENDS[1:]}
        # one construction: adding columns one by one costs a fit's time again
        return pd.DataFrame({**names, **columns})

    def _tests(self, found: Uncertain) -> dict[str, np.ndarray]:
        """Further columns of tests; none unless a subclass has some."""
        return {}
