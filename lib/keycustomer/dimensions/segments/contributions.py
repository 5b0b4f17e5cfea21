"""What each kind of variable adds to the segments.

A kind may have weight and still tell nothing: if it is spread alike in all segments, the same
segments would be found without it.  :func:`kind_contributions` holds four readings of each kind
beside each other: the share of the distance it was given, its share of what lies between the
segments, how far the segments change when it is left out, and how many customers would be placed
elsewhere if its values were those of somebody else.

Sources: Hubert & Arabie (1985) for the agreement; Breiman (2001) for permutation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from keycustomer.dimensions.segments.numbers import one_thread
from keycustomer.dimensions.segments.partitions import STARTS, Drawn, Partition, fit_partitions
from keycustomer.dimensions.segments.segmentation import Segmentation
from keycustomer.dimensions.segments.stability import rand_index
from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats.bootstrap import Seed

MEASURED_ON = 5000
"""Customers that contributions are measured on; of a larger base so many are drawn."""

SHUFFLES = 10
"""Times each kind's values are dealt out anew."""


def kind_contributions(
    segmentation: Segmentation, *, shuffles: int = SHUFFLES, seed: Seed = 0
) -> pd.DataFrame:
    """Measure what each kind of variable adds to a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
        From :func:`segment_customers`.
    shuffles : int
        Times the values of a kind are dealt out among the customers.
    seed : int or Generator
        The same seed gives the same figures.

    Returns
    -------
    DataFrame
        One row a kind: ``kind``, ``variables``, ``share_of_distance`` (its weight),
        ``between`` (its share of the variance between segments), ``explained`` (part of its own
        variance that lies between segments, 0..1), ``agreement_without`` (adjusted Rand index of
        the segments found without it; NaN where the others do not tell as many customers apart),
        ``moved`` (share of customers placed elsewhere when its values are dealt out anew).

    Raises
    ------
    ValueError
        When there is one segment only.
    """
    if segmentation.partition.segments < 2:
        raise ValueError("segmentation: with one segment no kind of variable can add anything")
    if isinstance(shuffles, bool) or shuffles != int(shuffles) or shuffles < 1:
        raise ValueError(f"shuffles={shuffles!r}: a whole number of at least 1 is needed")
    generator = np.random.default_rng(seed)
    variables, labels = segmentation.variables, segmentation.labels
    if len(variables) > MEASURED_ON:
        rows = np.sort(generator.choice(len(variables), MEASURED_ON, replace=False))
        variables, labels = variables.take(rows), labels[rows]
    with one_thread():
        return _table(variables, labels, segmentation.partition, int(shuffles), generator)


def _table(
    variables: SegmentVariables,
    labels: np.ndarray,
    rule: Partition,
    shuffles: int,
    generator: np.random.Generator,
) -> pd.DataFrame:
    between, total = _variances(variables, labels)
    rows = []
    for kind in variables.kinds:
        codes = variables.codes_of(kind=kind)
        rows.append(
            {
                "kind": kind,
                "variables": sum(v.kind == kind for v in variables.variables),
                "share_of_distance": variables.weights[kind],
                "between": between[codes].sum() / between.sum(),
                "explained": between[codes].sum() / total[codes].sum(),
                "agreement_without": _without(variables, labels, kind, rule, generator),
                "moved": _moved(variables, codes, rule, shuffles, generator),
            }
        )
    return pd.DataFrame(rows)


def _variances(variables: SegmentVariables, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance of every weighted code between segments, and in all."""
    coded = variables.coded
    coded = coded - coded.mean(axis=0)
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), coded.shape[1]))
    np.add.at(sums, labels, coded)
    means = sums / np.maximum(counts, 1)[:, None]
    return counts @ means**2 / len(coded), (coded**2).mean(axis=0)


def _without(
    variables: SegmentVariables,
    labels: np.ndarray,
    kind: str,
    rule: Partition,
    generator: np.random.Generator,
) -> float:
    if len(variables.kinds) < 2:
        return float("nan")
    others = variables.without(kind)
    if len(np.unique(others.plain, axis=0)) < rule.segments:
        return float("nan")
    drawn = Drawn.of(others, rule.method)
    once = np.ones((1, len(drawn)))
    found = fit_partitions(
        drawn, rule.segments, once, starts=STARTS, generator=generator, fine=True
    )[0]
    return rand_index(labels, found.labels(drawn))


def _moved(
    variables: SegmentVariables,
    codes: np.ndarray,
    rule: Partition,
    shuffles: int,
    generator: np.random.Generator,
) -> float:
    design = None if rule.mixture is None else rule.mixture.design
    own = rule.labels(Drawn.of(variables, rule.method, design))
    shares = []
    for _ in range(shuffles):
        plain = variables.plain.copy()
        plain[:, codes] = plain[np.ix_(generator.permutation(len(plain)), codes)]
        dealt = Drawn.of(replace(variables, plain=plain), rule.method, design)
        shares.append((rule.labels(dealt) != own).mean())
    return float(np.mean(shares))
