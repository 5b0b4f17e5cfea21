"""How reproducible segments are: two samples, two partitions, one question.

Fit says how close segments lie to the data, and grows with their number; it does not say whether
another sample would give them again.  Here customers are drawn with replacement, segments are
fitted on every draw, and all customers are placed in them.  :func:`rand_index` compares the two
partitions of a pair of draws as a whole (adjusted Rand index, 1 the same, 0 chance);
:func:`jaccard` compares each segment with the most similar one of another partition.

Sources: Hubert & Arabie (1985); Hennig, "Cluster-wise assessment of cluster stability",
Computational Statistics & Data Analysis 52 (2007); Dolnicar & Leisch, "Evaluation of structure and
reproducibility of cluster solutions using the bootstrap", Marketing Letters 21 (2010).
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.bootstrap import bootstrap_counts
from keycustomer.stats.samples import FloatArray

STABLE_RAND = 0.8
"""Adjusted Rand index between two samples from which a number of segments counts as stable."""

STABLE, UNSTABLE = 0.85, 0.75
"""Jaccard similarity from which a segment is stable, and below which it is not (Hennig 2007)."""


def cross_table(one: np.ndarray, other: np.ndarray) -> FloatArray:
    """Count customers by their segments in two partitions, labels from 0."""
    shape = int(one.max()) + 1, int(other.max()) + 1
    counts = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(float)


def rand_index(one: np.ndarray, other: np.ndarray) -> float:
    """Give the adjusted Rand index of two partitions of the same customers.

    Parameters
    ----------
    one, other : ndarray of int, shape (customers,)
        Labels from 0.

    Returns
    -------
    float
        1 for the same partition, about 0 for independent ones; 1 when both have one segment only.

    References
    ----------
    Hubert & Arabie (1985), Journal of Classification 2, equation 5.
    """
    table = cross_table(one, other)
    pairs = _pairs(table).sum()
    rows, columns = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    expected = rows * columns / _pairs(table.sum())
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((pairs - expected) / (most - expected))


def _pairs(counts: FloatArray) -> FloatArray:
    return counts * (counts - 1) / 2


def jaccard(segments: np.ndarray, other: np.ndarray) -> FloatArray:
    """Similarity of every segment to the most similar segment of another partition.

    Parameters
    ----------
    segments, other : ndarray of int, shape (customers,)
        Labels from 0.

    Returns
    -------
    ndarray, shape (segments,)
        Customers in both over customers in either, 0..1.
    """
    table = cross_table(segments, other)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    return (table / np.maximum(either, 1)).max(axis=1)


def verdict_of_segment(similarity: float) -> str:
    """Say whether a segment of this mean Jaccard similarity is stable."""
    if similarity >= STABLE:
        return "stable"
    return "not stable" if similarity < UNSTABLE else "doubtful"


def draws_of(customers: int, draws: int, generator: np.random.Generator) -> FloatArray:
    """How often each customer was drawn, shape (draws, customers)."""
    return np.concatenate(list(bootstrap_counts(customers, draws, generator))).astype(float)
