"""How many segments: not the number that fits best, but one that comes again.

The likelihood of a mixture, its BIC, and the variance between segments go on improving with their
number; only some numbers give the same segments in another sample, and where the customers are one
cloud none may be right.  :func:`segment_numbers` measures, for each number, the fit, the agreement
of segments over pairs of bootstrap samples, the stability of every single segment, and whether the
fit is better than in data without segments.  Its verdicts are Dolnicar and Leisch's three:

* natural: stable, and a better fit than structureless data allow;
* reproducible: stable, but a cloud without segments would do as well (cuts through a continuum);
* constructive: neither; another sample gives other segments.

The test against structureless data holds for all numbers together (Westfall & Young 1993): of the
standardised fits of the real data and the structureless ones the largest of each are compared.

Sources: Dolnicar & Leisch (2010), Marketing Letters 21; Hennig (2007); Schwarz (1978) for BIC.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.segments.partitions import (
    STARTS,
    Drawn,
    Partition,
    check_different,
    check_method,
    fit_partitions,
)
from keycustomer.dimensions.segments.stability import (
    STABLE_RAND,
    UNSTABLE,
    draws_of,
    jaccard,
    rand_index,
    verdict_of_segment,
)
from keycustomer.dimensions.segments.structureless import structureless
from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

LARGEST = {"k-means": 2000, "mixture": 1000, "latent class": 1500}
"""Customers that stability is measured on; of a larger base so many are drawn."""

BY_CHANCE = 10
"""Sets of structureless data whose stability is measured, with a pair of samples each."""

QUICK_STARTS = 5
"""Starts of a fit that is one of many."""

ERROR = 0.05
"""Chance of seeing structure, at any number of segments, where there is none."""

NATURAL, REPRODUCIBLE, CONSTRUCTIVE = "natural", "reproducible", "constructive"


@dataclass(frozen=True, eq=False)
class SegmentNumbers:
    """Numbers of segments, their fit and their stability.

    Attributes
    ----------
    method : str
        How segments were found.
    frame : DataFrame
        One row a number: ``segments``, ``fit`` (share of the variance between segments, or
        log-likelihood), ``bic`` (NaN for k-means), ``rand`` (median adjusted Rand index over pairs
        of samples), ``lower``, ``upper`` (their central 95 %), ``structureless_rand`` (the same in
        data without segments, ten sets of them), ``excess`` (standard deviations by which the fit
        gains more on a single segment than in structureless data), ``chance`` (chance of so large
        an excess, at any number, without segments), ``weakest`` (Jaccard similarity of the least
        stable segment), ``smallest`` (share of the customers in the smallest segment), ``verdict``.
    each : DataFrame
        One row a segment of each number: ``segments``, ``segment`` (1 the largest), ``share``,
        ``jaccard``, ``lower``, ``upper``, ``verdict``.
    suggested : int
        Largest natural number; 1 where there is none: no structure was found.
    pairs, references : int
        Pairs of samples, and sets of structureless data.
    customers, measured_on : int
        Customers, and how many of them stability was measured on.
    """

    method: str
    frame: pd.DataFrame = field(repr=False)
    each: pd.DataFrame = field(repr=False)
    suggested: int
    pairs: int
    references: int
    customers: int
    measured_on: int

    @property
    def stable(self) -> list[int]:
        """Numbers that are stable, natural or not."""
        return self.frame.loc[self.frame["verdict"] != CONSTRUCTIVE, "segments"].tolist()

    @property
    def best_fit(self) -> int:
        """Number that fit alone would choose: by BIC, or for k-means the largest."""
        bic = self.frame["bic"].to_numpy()
        place = len(bic) - 1 if np.isnan(bic).any() else int(bic.argmin())
        return int(self.frame["segments"].iloc[place])

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        numbers = _said(self.stable)
        if self.suggested > 1:
            return (
                f"{self.suggested} segments are natural: another sample gives them again, and data "
                f"without segments do not fit as well. Stable numbers: {numbers}"
            )
        if self.stable:
            return (
                f"No structure: {numbers} segments come again in another sample, but a single "
                "cloud of customers, cut as well, would give them too"
            )
        return "No structure: no number of segments comes again in another sample"

    @property
    def sample_note(self) -> str:
        """On how many customers stability was measured."""
        if self.measured_on == self.customers:
            return f"Measured on all {self.customers:,} customers"
        return (
            f"Measured on {self.measured_on:,} of {self.customers:,} customers, drawn by chance: "
            "segments of the whole base are at least as stable"
        )

    def of(self, segments: int) -> pd.Series:
        """Row of a number of segments.

        Raises
        ------
        KeyError
            When the number was not tried.
        """
        row = self.frame[self.frame["segments"] == segments]
        if row.empty:
            tried = ", ".join(map(str, self.frame["segments"]))
            raise KeyError(f"{segments} segments were not tried; there are {tried}")
        return row.iloc[0]

    def estimate(self, segments: int) -> Estimate:
        """Stability of a number of segments, with the spread over pairs of samples."""
        row = self.of(segments)
        how = f"central 95 % of {self.pairs} pairs of bootstrap samples of {self.method}"
        numbers = float(row["rand"]), float(row["lower"]), float(row["upper"])
        return Estimate(*numbers, "adjusted Rand index", self.measured_on, how)

    def to_frame(self) -> pd.DataFrame:
        """One row a number of segments, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.dropna(axis=1, how="all")
        table = shown.to_html(index=False, float_format="{:,.3f}".format)
        said = (f"{self.sentence}.", f"{self.sample_note}; {self.method}.")
        return "".join(f"<p>{html.escape(one)}</p>" for one in said) + table


def _said(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def segment_numbers(
    variables: SegmentVariables,
    numbers: Sequence[int] = range(2, 9),
    *,
    method: str = "k-means",
    pairs: int = 25,
    references: int = 39,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> SegmentNumbers:
    """Measure fit and stability of several numbers of segments.

    Parameters
    ----------
    variables : SegmentVariables
        From :func:`read_variables`.
    numbers : sequence of int
        Numbers of segments to try, 2 or more.
    method : {"k-means", "mixture", "latent class"}
        How segments are found.  A latent class analysis takes numbers of few values as categories,
        and cuts others at their quarters.
    pairs : int
        Pairs of bootstrap samples.
    references : int
        Sets of structureless data, 19 or more for a test at 5 %; more see fainter structure.
    seed : int or Generator
        The same seed gives the same numbers.
    progress : callable, optional
        Called as ``progress(done, all)`` after every number.

    Returns
    -------
    SegmentNumbers

    Raises
    ------
    ValueError
        When an argument makes no sense, or there are too few customers for so many segments.
    """
    tried = _checked(variables, numbers, method, pairs, references)
    generator = np.random.default_rng(seed)
    sample = variables
    if len(variables) > (largest := LARGEST[method]):
        sample = variables.take(np.sort(generator.choice(len(variables), largest, replace=False)))
    study = _Study.of(sample, method, pairs, references, generator)
    rows, each, fits = [], [], []
    with one_thread():
        for done, segments in enumerate(tried, 1):
            row, own, fit = study.measure(segments)
            rows.append(row)
            each.append(own)
            fits.append(fit)
            if progress is not None:
                progress(done, len(tried))
    frame = pd.DataFrame(rows)
    frame["excess"], frame["chance"] = _excess(np.array(fits))
    frame["verdict"] = [
        _verdict(*row) for row in zip(frame["rand"], frame["weakest"], frame["chance"], strict=True)
    ]
    natural = frame.loc[frame["verdict"] == NATURAL, "segments"]
    suggested = int(natural.max()) if len(natural) else 1
    return SegmentNumbers(
        method, frame, pd.concat(each, ignore_index=True), suggested,
        pairs, references, len(variables), len(sample),
    )  # fmt: skip


def one_thread() -> Any:
    """Keep linear algebra and k-means to one thread: work this small only waits for others."""
    # The limit holds for libraries that are loaded already, and this one brings its own threads.
    import sklearn.cluster  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _checked(
    variables: SegmentVariables, numbers: Sequence[int], method: str, pairs: int, references: int
) -> list[int]:
    check_method(variables, method)
    tried = sorted(set(numbers))
    most = len(variables) // 5
    wrong = [n for n in tried if isinstance(n, bool) or n != int(n) or not 2 <= n <= most]
    if wrong or not tried:
        raise ValueError(
            f"numbers={list(numbers)!r}: whole numbers from 2 to {most} are needed with "
            f"{len(variables):,} customers (five a segment)"
        )
    check_different(variables, max(tried))
    for name, value, least in (("pairs", pairs, 2), ("references", references, 19)):
        if isinstance(value, bool) or value != int(value) or value < least:
            raise ValueError(f"{name}={value!r}: a whole number of at least {least} is needed")
    return [int(n) for n in tried]


@dataclass(frozen=True, eq=False)
class _Study:
    """The customers, the draws of them, and the structureless data, the same for every number."""

    drawn: Drawn
    weights: FloatArray
    without: list[Drawn]
    generator: np.random.Generator

    @classmethod
    def of(
        cls,
        sample: SegmentVariables,
        method: str,
        pairs: int,
        references: int,
        generator: np.random.Generator,
    ) -> _Study:
        drawn = Drawn.of(sample, method)
        weights = draws_of(len(sample), 2 * pairs, generator)
        source = structureless(sample, generator)
        without = [
            Drawn.of(replace(sample, plain=source.draw(generator)), method, drawn.design)
            for _ in range(references)
        ]
        return cls(drawn, weights, without, generator)

    def fit(
        self, drawn: Drawn, segments: int, weights: FloatArray | None = None
    ) -> list[Partition]:
        """Fit quickly; without weights, every customer once."""
        once = np.ones((1, len(drawn))) if weights is None else weights
        return fit_partitions(drawn, segments, once, starts=QUICK_STARTS, generator=self.generator)

    def measure(self, segments: int) -> tuple[dict[str, Any], pd.DataFrame, FloatArray]:
        """Row of a number, its segments, and its fits: real data first, then structureless."""
        once = np.ones((1, len(self.drawn)))
        best = fit_partitions(
            self.drawn, segments, once, starts=STARTS, generator=self.generator, fine=True
        )[0]
        labels = [one.labels(self.drawn) for one in self.fit(self.drawn, segments, self.weights)]
        own = _each_segment(best.labels(self.drawn), labels, segments)
        row = {
            "segments": segments,
            "fit": best.fit,
            "bic": _bic(best, self.drawn),
            **_agreement(labels),
            "structureless_rand": self._by_chance(segments),
            "weakest": own["jaccard"].min(),
            "smallest": own["share"].min(),
        }
        fits = [self.fit(one, segments)[0].fit for one in (self.drawn, *self.without)]
        return row, own, np.array(fits) - self.unsegmented

    @cached_property
    def unsegmented(self) -> FloatArray:
        """Fit of a single segment in every set: what segments gain is counted from there."""
        if self.drawn.design is None:
            return np.zeros(1 + len(self.without))
        return np.array([self.fit(one, 1)[0].fit for one in (self.drawn, *self.without)])

    def _by_chance(self, segments: int) -> float:
        """Median agreement of segments in structureless data, a pair of samples in each set."""
        pairs = []
        for place, drawn in enumerate(self.without[:BY_CHANCE]):
            first = 2 * place % len(self.weights)
            weights = self.weights[first : first + 2]
            one, other = (p.labels(drawn) for p in self.fit(drawn, segments, weights))
            pairs.append(rand_index(one, other))
        return float(np.median(pairs))


def _agreement(labels: list[np.ndarray]) -> dict[str, float]:
    pairs = [rand_index(a, b) for a, b in zip(labels[::2], labels[1::2], strict=True)]
    lower, middle, upper = np.quantile(pairs, [0.025, 0.5, 0.975])
    return {"rand": float(middle), "lower": float(lower), "upper": float(upper)}


def _each_segment(own: np.ndarray, draws: list[np.ndarray], segments: int) -> pd.DataFrame:
    """Share and stability of every segment, the largest first."""
    counts = np.bincount(own, minlength=segments)
    values = np.stack([_padded(jaccard(own, other), segments) for other in draws])
    order = np.argsort(-counts, kind="stable")
    mean = values.mean(axis=0)[order]
    lower, upper = np.quantile(values, [0.025, 0.975], axis=0)[:, order]
    return pd.DataFrame(
        {
            "segments": segments,
            "segment": np.arange(1, segments + 1),
            "share": counts[order] / counts.sum(),
            "jaccard": mean,
            "lower": lower,
            "upper": upper,
            "verdict": [verdict_of_segment(value) for value in mean],
        }
    )


def _padded(values: FloatArray, length: int) -> FloatArray:
    """Give segments nobody was placed in a similarity of 0."""
    return np.pad(values, (0, length - values.size))


def _bic(partition: Partition, drawn: Drawn) -> float:
    if partition.mixture is None:
        return float("nan")
    count = partition.mixture.design.parameters(partition.segments)
    return float(count * np.log(len(drawn)) - 2 * partition.fit)


def _excess(fits: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Standardised fit of the real data, and its chance among the largest of each set.

    `fits` has the shape (numbers, sets), the real data first.  All sets take part in mean and
    spread, so that without structure the real data are one of them like any other.
    """
    spread = np.maximum(fits.std(axis=1, keepdims=True), 1e-12)
    standardised = (fits - fits.mean(axis=1, keepdims=True)) / spread
    largest = standardised.max(axis=0)[1:]
    real = standardised[:, 0]
    others = fits[:, 1:]
    excess = (fits[:, 0] - others.mean(axis=1)) / np.maximum(others.std(axis=1, ddof=1), 1e-12)
    chance = (1 + (largest[None, :] >= real[:, None]).sum(axis=1)) / fits.shape[1]
    return excess, chance


def _verdict(rand: float, weakest: float, chance: float) -> str:
    if rand < STABLE_RAND or weakest < UNSTABLE:
        return CONSTRUCTIVE
    return NATURAL if chance <= ERROR else REPRODUCIBLE
