"""PLS path models: how constructs that are measured by several items depend on each other.

How strongly does value drive satisfaction, and satisfaction loyalty?  :func:`fit_pls` estimates a
path model from answers to a survey: weights that make a score of each construct's items, loadings,
path coefficients, total and indirect effects, R2, reliabilities; :meth:`PlsFit.bootstrap` gives
every figure an interval.

PLS makes scores, and paths between scores carry the error of measurement: they are smaller
than paths between factors, and a model of factors (`fit_sem`) may come to other conclusions on
the same answers.  With ``consistent=True`` the scores' correlations are corrected for
reliability (PLSc).  The sign of a construct is that in which its loadings sum to more than zero.

Sources: Lohmöller (1989); Tenenhaus et al. (CSDA 2005); Monecke & Leisch, "semPLS: structural
equation modeling using partial least squares" (Journal of Statistical Software 48(3), 2012);
Dijkstra & Henseler (MIS Quarterly 2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.measurement.answers import Constructs
from keycustomer.dimensions.measurement.complete import CompleteAnswers, Missing, complete_answers
from keycustomer.dimensions.measurement.intervals import readable
from keycustomer.dimensions.measurement.moments import (
    ItemMoments,
    collinear_item,
    correlations_of,
)
from keycustomer.dimensions.measurement.validity import FornellLarcker, fornell_larcker
from keycustomer.dimensions.pls.algorithm import (
    FINE_TOLERANCE,
    MOST_ITERATIONS,
    SCHEMES,
    Scheme,
    Solution,
    solve_paths,
)
from keycustomer.dimensions.pls.quantities import (
    RELIABILITIES,
    Quantities,
    QuantityLabels,
    inflation_and_effect_size,
    quantities,
)
from keycustomer.dimensions.pls.specification import Modes, PathModel, Paths, read_path_model
from keycustomer.stats.bootstrap import Progress, Seed

if TYPE_CHECKING:
    from keycustomer.dimensions.pls.resampled import PlsBootstrap, Signs

RESPONDENTS_AN_ARROW = 10
"""Respondents a predecessor below which the notes call the sample small (Barclay et al. 1995)."""


@dataclass(frozen=True, eq=False)
class PlsFit:
    """A PLS path model estimated from answers.

    Attributes
    ----------
    model : PathModel
        Constructs, items, paths and modes.
    scheme : {"path", "factorial", "centroid"}
        How neighbours were weighed.
    consistent : bool
        Whether correlations of scores were corrected for reliability (PLSc).
    answers : CompleteAnswers
        What was measured, and how missing answers were dealt with.
    solution : Solution
        Weights, loadings, correlations and paths as arrays, a stack of one.
    notes : tuple of str
        What the reader should know before believing the figures.
    """

    model: PathModel
    scheme: Scheme
    consistent: bool
    answers: CompleteAnswers = field(repr=False)
    solution: Solution = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return self.answers.respondents

    @property
    def iterations(self) -> int:
        """Steps until the weights stood still."""
        return int(self.solution.iterations[0])

    @cached_property
    def labels(self) -> QuantityLabels:
        """What the rows of the tables are about."""
        return QuantityLabels(self.model)

    @cached_property
    def moments(self) -> ItemMoments:
        """Means and covariances of the items, under any weights of the respondents."""
        return ItemMoments(self.answers.values)

    @cached_property
    def quantities(self) -> Quantities:
        """All figures by name, arrays of shape (1, rows of the table)."""
        matrix = correlations_of(self.moments.sample()[1])
        return quantities(self.solution, matrix, self.labels, consistent=self.consistent)

    def _table(self, quantity: str) -> pd.DataFrame:
        return self.labels.frame(quantity).assign(estimate=self.quantities[quantity][0])

    def paths(self) -> pd.DataFrame:
        """Path coefficients: from, to, estimate, vif, f_squared."""
        more = inflation_and_effect_size(self.solution, self.labels)
        return self._table("path").assign(**more)

    def total_effects(self) -> pd.DataFrame:
        """Direct and indirect effects together: from, to, estimate."""
        return self._table("total")

    def indirect_effects(self) -> pd.DataFrame:
        """Effects by route, and the sum where there are several: from, via, to, estimate."""
        return self._table("indirect")

    def r_squared(self) -> pd.DataFrame:
        """Variance explained: construct, estimate, adjusted, predecessors."""
        table = self._table("r_squared")
        before = np.array([len(self.model.predecessors[c]) for c in self.labels.endogenous])
        free = self.respondents - before - 1
        adjusted = 1 - (1 - table["estimate"]) * (self.respondents - 1) / free
        return table.assign(adjusted=adjusted, predecessors=before)

    def loadings(self) -> pd.DataFrame:
        """Items on their own construct: construct, item, mode, weight, loading, communality."""
        table = self.labels.frame("loading")
        loading = self.quantities["loading"][0]
        return table.assign(
            mode=[self.model.modes[owner] for _, owner in self.labels.cells],
            weight=self.quantities["weight"][0],
            loading=loading,
            communality=loading**2,
        )

    def cross_loadings(self) -> pd.DataFrame:
        """Correlations of every item with every score, (items, constructs)."""
        return pd.DataFrame(
            self.solution.loadings[0], index=self.model.items, columns=self.model.constructs
        )

    def construct_correlations(self) -> pd.DataFrame:
        """Correlations of the constructs, (constructs, constructs)."""
        names = self.model.constructs
        return pd.DataFrame(self.solution.correlations[0], index=names, columns=names)

    def reliability(self) -> pd.DataFrame:
        """Reliabilities by construct: items, mode, standardised alpha, rho_a, rho_c, AVE.

        NaN for a single item, whose reliability no survey can tell, and for mode B.
        """
        table = self.labels.frame("construct").assign(
            items=[len(block) for block in self.model.blocks], mode=list(self.model.modes)
        )
        return table.assign(**{name: self.quantities[name][0] for name in RELIABILITIES})

    def fornell_larcker(self) -> FornellLarcker:
        """Whether each construct shares more with its items than with any other construct."""
        ave = pd.Series(self.quantities["ave"][0], index=list(self.model.constructs))
        return fornell_larcker(ave, self.construct_correlations())

    @property
    def scores(self) -> pd.DataFrame:
        """Standardised scores, one row a respondent, one column a construct."""
        means, covariances = self.moments.sample()
        deviations = np.sqrt(np.diagonal(covariances[0]))
        standardised = (self.answers.whole.to_numpy() - means[0]) / deviations
        return pd.DataFrame(
            standardised @ self.solution.weights[0],
            index=self.answers.frame.index,
            columns=self.model.constructs,
        )

    def bootstrap(
        self,
        draws: int = 1000,
        *,
        seed: Seed = 0,
        level: float = 0.95,
        signs: Signs = "construct",
        progress: Progress | None = None,
    ) -> PlsBootstrap:
        """Give every figure an interval, as :func:`keycustomer.dimensions.bootstrap_pls` does."""
        from keycustomer.dimensions.pls.resampled import bootstrap_pls

        return bootstrap_pls(
            self, draws=draws, seed=seed, level=level, signs=signs, progress=progress
        )

    def to_frame(self) -> pd.DataFrame:
        """Path coefficients, one row a path."""
        return self.paths()

    @property
    def sentences(self) -> list[str]:
        """Say how the model was estimated, and what to keep in mind."""
        kind = "consistent PLS" if self.consistent else "PLS"
        said = (
            f"{kind}, {self.scheme} scheme, {counted(self.respondents, 'respondent')}, "
            f"{counted(len(self.model.items), 'item')}, "
            f"{counted(self.iterations, 'iteration')}"
        )
        return [said, *self.notes]

    def _repr_html_(self) -> str:
        return report_html(
            "PLS path model",
            self.sentences,
            {
                "Paths": readable(self.paths()),
                "Explained": readable(self.r_squared()),
                "Reliability": readable(self.reliability()),
                "Items": readable(self.loadings()),
            },
        )


def fit_pls(
    paths: Paths,
    constructs: Constructs,
    answers: pd.DataFrame,
    *,
    scheme: Scheme = "path",
    modes: Modes = "A",
    missing: Missing = "mean",
    consistent: bool = False,
) -> PlsFit:
    """Estimate a PLS path model.

    Parameters
    ----------
    paths : str or mapping of str to sequences of str
        ``"Value -> Satisfaction; Value + Satisfaction -> Loyalty"``, or construct -> the constructs
        it depends on.
    constructs : mapping of str to sequences of str
        Construct -> its items; those in no path are left out and named in the notes.
    answers : DataFrame
        One row a respondent, one column an item, NaN where not answered.
    scheme : {"path", "factorial", "centroid"}
        How a construct's neighbours are weighed while weights are sought.
    modes : {"A", "B"} or mapping of str to them
        A for items that reflect the construct, B for items that make it up.
    missing : {"mean", "listwise"}
        What is done about answers not given: the item's mean (as seminr does), or leave the
        respondent out.
    consistent : bool
        Correct the scores' correlations for reliability (PLSc), for constructs in mode A.

    Returns
    -------
    PlsFit

    Raises
    ------
    ValueError
        When the model cannot be read, an item cannot be measured with, items or predecessors are
        collinear, respondents are too few, the weights do not settle, or a consistent solution is
        none.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> value, own = rng.normal(size=(2, 200))
    >>> a, b, c = value + rng.normal(size=(3, 200))
    >>> answers = pd.DataFrame({"a": a, "b": b, "c": c, "loyal": value + own})
    >>> fit = fit_pls("Value -> Loyalty", {"Value": ["a", "b", "c"], "Loyalty": ["loyal"]}, answers)
    >>> fit.paths().round(2)[["from", "to", "estimate"]].values.tolist()
    [['Value', 'Loyalty', 0.56]]
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme={scheme!r}: choose one of {', '.join(map(repr, SCHEMES))}")
    model = read_path_model(paths, constructs, modes)
    given = complete_answers(answers, model.items, missing=missing)
    matrices = correlations_of(ItemMoments(given.values).sample()[1])
    _refuse(_unmeasurable(matrices[0], model, given.respondents))
    solution = solve_paths(matrices, model, scheme=scheme, tolerance=FINE_TOLERANCE)
    if not solution.converged[0]:
        # regressions among constructs that determine each other never settle: say that first
        _refuse(_undetermined(solve_paths(matrices, model, scheme="factorial"), model))
        raise ValueError(
            f"the weights did not stand still after {MOST_ITERATIONS} steps; try another scheme "
            f"({', '.join(map(repr, SCHEMES))}), or look for a construct that hardly correlates "
            "with its neighbours"
        )
    _refuse(_undetermined(solution, model))
    if consistent:
        _refuse(_inconsistent(solution, model))
        solution = solve_paths(
            matrices, model, scheme=scheme, consistent=True, tolerance=FINE_TOLERANCE
        )
        _refuse(_beyond_correlation(solution, model))
    notes = (*given.notes, *_notes(solution, model, given.respondents))
    return PlsFit(model, scheme, consistent, given, solution, notes)


def _refuse(complaints: Iterator[str]) -> None:
    refuse(complaints, "the path model cannot be estimated")


def _unmeasurable(matrix: np.ndarray, model: PathModel, respondents: int) -> Iterator[str]:
    """Complain of too few respondents and of items that others determine."""
    for construct, (block, before) in enumerate(zip(model.blocks, model.predecessors, strict=True)):
        name = model.constructs[construct]
        weighed = len(block) if model.modes[construct] == "B" else 0
        for number, what in ((weighed, "items in mode B"), (len(before), "predecessors")):
            if respondents < number + 2:
                yield (
                    f"construct {name!r} has {number} {what}, which need at least {number + 2} "
                    f"respondents; there are {respondents}"
                )
                return
        at = collinear_item(matrix[np.ix_(block, block)]) if respondents > len(block) else None
        if at is not None:
            yield (
                f"item {model.items[block[at]]!r} of construct {name!r} is determined by "
                f"{', '.join(map(repr, model.items_of(construct)[:at]))} (perfect collinearity): "
                "leave it out"
            )


def _undetermined(solution: Solution, model: PathModel) -> Iterator[str]:
    """Complain of predecessors that determine each other."""
    for effect, before in enumerate(model.predecessors):
        own = solution.correlations[0][np.ix_(before, before)]
        known = len(before) > 1 and bool(np.isfinite(own).all())
        at = collinear_item(own) if known else None
        if at is not None:
            names = [model.constructs[cause] for cause in before]
            yield (
                f"the score of {names[at]!r} is determined by {', '.join(map(repr, names[:at]))}: "
                f"their paths to {model.constructs[effect]!r} cannot be told apart; take one out"
            )


def _inconsistent(solution: Solution, model: PathModel) -> Iterator[str]:
    for name, reliability in zip(model.constructs, solution.rho_a[0], strict=True):
        if not 0 < reliability <= 1:
            yield (
                f"rho_A of {name!r} is {reliability:.3f}, no reliability: its items do not go "
                "together as those of one factor; look at its loadings, or set consistent=False"
            )


def _beyond_correlation(solution: Solution, model: PathModel) -> Iterator[str]:
    between = solution.correlations[0]
    rows, columns = np.nonzero(np.tril(np.abs(between) >= 1, -1))
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        yield (
            f"corrected for reliability, {model.constructs[j]!r} and {model.constructs[i]!r} "
            f"correlate by {between[i, j]:.2f}: they cannot be told apart by these items; merge "
            "them, or set consistent=False and keep in mind that they measure the same"
        )


def _notes(solution: Solution, model: PathModel, respondents: int) -> Iterator[str]:
    if model.left_out:
        yield f"in no path, so left out: {', '.join(model.left_out)}"
    arrows = max(len(before) for before in model.predecessors)
    if respondents < RESPONDENTS_AN_ARROW * arrows:
        yield (
            f"{counted(respondents, 'respondent')} for {counted(arrows, 'predecessor')} of one "
            f"construct: fewer than {RESPONDENTS_AN_ARROW} each"
        )
    if respondents <= len(model.items):
        yield (
            f"{counted(respondents, 'respondent')} for {len(model.items)} items: figures will "
            "hardly come out again"
        )
    own = np.where(model.membership, solution.loadings[0], 0.0)
    for item, construct in zip(*np.nonzero(own < 0), strict=True):
        yield (
            f"{model.items[item]} loads by {own[item, construct]:.2f} on "
            f"{model.constructs[construct]}: asked the other way round?"
        )
