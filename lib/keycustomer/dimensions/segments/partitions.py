"""Ways to cut customers into segments: k-means, mixtures, latent classes, behind one face.

Each way finds segments from coded customers and gives a score of every customer in every segment,
so that customers who took no part can be placed by the same rule: :class:`Partition`.
:func:`fit_partitions` fits one for each row of weights (how often each customer was drawn), from
several starts, and keeps the best.

K-means minimises the squared distance to the segments' centres, so the scales of the variables, and
the weights of their kinds, decide what counts.  A mixture's likelihood does not change with the
scales: it takes from each variable what it tells, and weights have no hold on it.

Sources: Lloyd (1982); Arthur & Vassilvitskii (2007) for the starts; Biernacki, Celeux & Govaert
(2003) for the short runs from which the best goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from keycustomer.dimensions.segments.mixtures import (
    Design,
    Mixture,
    Rows,
    fit_mixtures,
    mixtures_of_labels,
)
from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats.samples import FloatArray

METHODS = ("k-means", "mixture", "latent class")

STARTS = 10
"""Starts of a fit that is kept; the best of them is taken."""

FINE, QUICK = (1e-8, 2000), (1e-5, 300)
"""Tolerance and most steps of a mixture that is kept, and of one among hundreds."""

TRIED, TRIED_QUICKLY = 50, 30
"""Steps from every start, after which only the best goes on, for the two."""


@dataclass(frozen=True, eq=False)
class Partition:
    """A rule that cuts customers into segments.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    centres : ndarray or None, shape (segments, codes)
        Centres of k-means in weighted codes.
    mixture : Mixture or None
        The mixture, or the latent classes.
    fit : float
        How well the segments fit: for k-means the share of the variance between them, for the
        others the log-likelihood.
    """

    method: str
    centres: FloatArray | None = field(repr=False)
    mixture: Mixture | None = field(repr=False)
    fit: float

    @property
    def segments(self) -> int:
        """Number of segments."""
        return len(self.centres) if self.centres is not None else self._mixture.classes

    @property
    def _mixture(self) -> Mixture:
        if self.mixture is None:
            raise ValueError("k-means has no mixture")
        return self.mixture

    def scores(self, drawn: Drawn) -> Rows:
        """Score of every customer in every segment, the higher the nearer.

        Returns
        -------
        ndarray, shape (customers, segments)
            Minus the squared distance to the centre less a part equal for all segments, or the log
            of share times density.
        """
        if self.centres is None:
            return self._mixture.scores(drawn.rows)
        return 2 * drawn.rows @ self.centres.T - (self.centres**2).sum(axis=1)

    def labels(self, drawn: Drawn) -> np.ndarray:
        """Segment of every customer, 0 to `segments` - 1."""
        return self.scores(drawn).argmax(axis=1)

    def certainty(self, drawn: Drawn) -> FloatArray:
        """How sure the segment is, 0..1.

        For mixtures the probability of the segment.  For k-means 1 less the ratio of the distances
        to the nearest and the second nearest centre: 1 at a centre, 0 on the border.
        """
        scores = self.scores(drawn)
        if self.centres is None:
            return 1 / np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)
        if self.segments == 1:
            return np.ones(len(scores))
        squared = np.maximum((drawn.rows**2).sum(axis=1, keepdims=True) - scores, 0)
        nearest = np.sqrt(np.partition(squared, 1, axis=1)[:, :2])
        far = np.maximum(nearest[:, 1], np.finfo(float).tiny)
        return 1 - nearest[:, 0] / far

    def ordered(self, order: np.ndarray) -> Partition:
        """Return the same segments in another order."""
        if self.centres is not None:
            return replace(self, centres=self.centres[order])
        mixture = self._mixture
        terms, constants = mixture.terms[order], mixture.constants[order]
        return replace(self, mixture=replace(mixture, terms=terms, constants=constants))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Customers coded for a method.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    rows : ndarray, shape (customers, columns)
        Weighted codes for k-means, rows of the design for the others.
    coded : ndarray, shape (customers, codes)
        Weighted codes, from which starts are taken.
    design : Design or None
        How mixtures read the codes.
    """

    method: str
    rows: FloatArray = field(repr=False)
    coded: FloatArray = field(repr=False)
    design: Design | None

    @classmethod
    def of(cls, variables: SegmentVariables, method: str, design: Design | None = None) -> Drawn:
        """Code customers for a method; a design given is that of other customers."""
        coded = variables.coded
        if method == "k-means":
            return cls(method, coded, coded, None)
        if design is None:
            design = Design.of(variables, categories=method == "latent class")
        return cls(method, design.rows(variables.plain), coded, design)

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.rows)


def check_method(variables: SegmentVariables, method: str) -> None:
    """Refuse an unknown method, and weights that a likelihood would not heed.

    Raises
    ------
    ValueError
        When there is no such method, or kinds are weighed for one other than k-means.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r}: one of {', '.join(METHODS)} is needed")
    shares = list(variables.weights.values())
    if method != "k-means" and variables.weighed and not np.allclose(shares, shares[0]):
        raise ValueError(
            f"method={method!r} pays no heed to weights of kinds: a likelihood does not change "
            "with the scale of a variable. Use method='k-means', or leave the weights out"
        )


def check_different(variables: SegmentVariables, segments: int) -> None:
    """Refuse more segments than there are different customers: some would be empty.

    Raises
    ------
    ValueError
        When fewer customers differ in the variables than there are to be segments.
    """
    different = len(np.unique(variables.plain[: 100 * segments], axis=0))
    if different < segments:
        different = len(np.unique(variables.plain, axis=0))
    if different < segments:
        raise ValueError(
            f"the {len(variables):,} customers have {different} different sets of values, too few "
            f"for {segments} segments; ask for fewer segments, or give more variables"
        )


def fit_partitions(
    drawn: Drawn,
    segments: int,
    weights: FloatArray,
    *,
    starts: int,
    generator: np.random.Generator,
    fine: bool = False,
) -> list[Partition]:
    """Fit segments, once for each row of weights, the best of several starts.

    Parameters
    ----------
    drawn : Drawn
        The customers.
    segments : int
        Number of segments.
    weights : ndarray, shape (fits, customers)
        How often each customer counts.
    starts : int
        Starts of every fit.
    generator : Generator
        Where the starts come from.
    fine : bool
        Whether mixtures are fitted to the last digit.
    """
    if drawn.method == "k-means":
        return [_fit_kmeans(drawn, segments, one, starts, generator) for one in weights]
    if drawn.design is None:
        raise ValueError("mixtures need a design")
    return _fit_mixtures(drawn, drawn.design, segments, weights, starts, generator, fine)


def _fit_mixtures(
    drawn: Drawn,
    design: Design,
    segments: int,
    weights: FloatArray,
    starts: int,
    generator: np.random.Generator,
    fine: bool,
) -> list[Partition]:
    """Go some steps from every start, and to the end from the best (Biernacki et al. 2003)."""
    # Half the digits do for one fit among hundreds, in half the time.
    rows: Rows = drawn.rows if fine else drawn.rows.astype(np.float32)
    repeated = np.repeat(weights, starts, axis=0)
    labels = np.stack([_start(drawn.coded, segments, one, generator) for one in repeated])
    begun = mixtures_of_labels(design, rows, repeated, labels, segments)
    steps = TRIED if fine else TRIED_QUICKLY
    tried = fit_mixtures(rows, repeated, begun, tolerance=0.0, iterations=steps)
    best = [
        max(tried[first : first + starts], key=lambda one: one.log_likelihood)
        for first in range(0, len(tried), starts)
    ]
    tolerance, iterations = FINE if fine else QUICK
    ended = fit_mixtures(rows, weights, best, tolerance=tolerance, iterations=iterations)
    return [Partition(drawn.method, None, one, one.log_likelihood) for one in ended]


def _fit_kmeans(
    drawn: Drawn, segments: int, weights: FloatArray, starts: int, generator: np.random.Generator
) -> Partition:
    from sklearn.cluster import KMeans

    present = weights > 0
    rows, counts = drawn.coded[present], weights[present]
    state = int(generator.integers(2**31))
    fitted = KMeans(segments, n_init=starts, random_state=state).fit(rows, sample_weight=counts)
    middle = np.average(rows, axis=0, weights=counts)
    total = float(((rows - middle) ** 2).sum(axis=1) @ counts)
    explained = 1 - float(fitted.inertia_) / total
    return Partition("k-means", fitted.cluster_centers_, None, explained)


def _start(
    coded: FloatArray, segments: int, weights: FloatArray, generator: np.random.Generator
) -> np.ndarray:
    """Segment of the nearest of some customers drawn far apart."""
    from sklearn.cluster import kmeans_plusplus

    present = np.flatnonzero(weights)
    state = int(generator.integers(2**31))
    centres, _ = kmeans_plusplus(
        coded[present], segments, sample_weight=weights[present], random_state=state
    )
    return (2 * coded @ centres.T - (centres**2).sum(axis=1)).argmax(axis=1)
