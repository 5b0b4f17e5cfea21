"""Linear instrumental variables with absorbed effects: one step (2SLS) and two steps (GMM).

:func:`absorb` takes out effects (by turns, until nothing moves), :func:`linear_gmm` estimates and
gives robust or clustered errors, :func:`first_stage` says whether the instruments move the price at
all.  Errors carry no correction for small samples, as in the literature on demand of markets.

Sources: Hansen (1982), Econometrica 50, 1029-1054; Montiel Olea & Pflueger (2013), Journal of
Business & Economic Statistics 31, 358-369 (effective F).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from keycustomer.stats.regressions.instruments import WEAK_F, effective_f, joint_f
from keycustomer.stats.samples import FloatArray

ABSORBED = 1e-12
"""Effects are out when one more round moves no value by more than this share of its spread."""

MOST_ROUNDS = 10_000

OWN_SHARE = 1e-8
"""Share of a column's length that must be left once effects and the other columns are out."""


@dataclass(frozen=True, eq=False)
class LinearFit:
    """An estimate by linear instrumental variables.

    Attributes
    ----------
    coefficients : ndarray, shape (k,)
        By column of the regressors.
    covariance : ndarray, shape (k, k)
        Theirs.
    residual : ndarray, shape (rows,)
        What is left of the outcome, effects taken out.
    objective : float
        Hansen's J, rows times the weighted moments; 0 where exactly identified.
    """

    coefficients: FloatArray
    covariance: FloatArray = field(repr=False)
    residual: FloatArray = field(repr=False)
    objective: float


@dataclass(frozen=True)
class FirstStage:
    """Whether the instruments move the price.

    Attributes
    ----------
    f : float
        Wald F of the excluded instruments, with the errors of the model.
    effective_f : float
        Montiel Olea & Pflueger's.
    partial_r2 : float
        Share of the price left by the other regressors and effects that instruments explain.
    instruments : int
        Number of excluded instruments.
    """

    f: float
    effective_f: float
    partial_r2: float
    instruments: int

    @property
    def weak(self) -> bool:
        """Whether the effective F is below 10."""
        return not self.effective_f >= WEAK_F

    @property
    def sentence(self) -> str:
        """How strong the instruments are, in words."""
        many = "instrument" if self.instruments == 1 else "instruments"
        word = "weak: do not trust the errors" if self.weak else "not weak"
        return (
            f"{self.instruments} {many}, effective F {self.effective_f:.1f} (below 10 counts as "
            f"weak), explaining {100 * self.partial_r2:.1f} % of what is left of the price: {word}"
        )


def absorb(columns: FloatArray, effects: Sequence[np.ndarray]) -> FloatArray:
    """Take effects out of columns, to the last digits that :func:`check_rank` looks at.

    :func:`keycustomer.stats.regressions.absorbing.sweep` stops earlier, as millions of rows need.

    Parameters
    ----------
    columns : ndarray, shape (rows, k)
        What they are taken out of.
    effects : sequence of ndarray of int, shape (rows,)
        Group of each row, from 0 on, for every effect.

    Returns
    -------
    ndarray, shape (rows, k)

    Raises
    ------
    ValueError
        When the effects do not come out within `MOST_ROUNDS` rounds.
    """
    left = np.array(columns, dtype=float)
    scale = np.maximum(np.abs(left).max(axis=0, initial=0), np.finfo(float).tiny)
    for _ in range(MOST_ROUNDS if effects else 0):
        moved = np.zeros(left.shape[1])
        for group in effects:
            sizes = np.bincount(group)
            means = np.column_stack(
                [np.bincount(group, weights=one) / np.maximum(sizes, 1) for one in left.T]
            )
            left -= means[group]
            moved = np.maximum(moved, np.abs(means).max(axis=0) / scale)
        if len(effects) == 1 or (moved < ABSORBED).all():
            return left
    if effects:
        raise ValueError(
            f"the effects are not out after {MOST_ROUNDS:,} rounds: some groups are hardly "
            "connected with the others; give fewer effects"
        )
    return left


def check_rank(columns: FloatArray, before: FloatArray, names: Sequence[str], role: str) -> None:
    """Refuse columns that effects or the columns before them tell already.

    Parameters
    ----------
    columns : ndarray, shape (rows, k)
        Effects taken out.
    before : ndarray, shape (rows, k)
        The same columns as they came.
    names : sequence of str
        Their names.
    role : str
        What they are, in the message.

    Raises
    ------
    ValueError
        When a column adds nothing; the message names it.
    """
    kept: list[FloatArray] = []
    for place, name in enumerate(names):
        own = columns[:, place]
        for one in kept:
            own = own - one * (one @ own)
        size = np.linalg.norm(own)
        if size <= OWN_SHARE * max(np.linalg.norm(before[:, place]), np.finfo(float).tiny):
            raise ValueError(
                f"{role} {name!r} does not vary beyond the effects and {list(names[:place])}: it "
                "cannot be told apart from them; leave it out, or leave out the effect"
            )
        kept.append(own / size)


def check_instruments(
    instruments: FloatArray, before: FloatArray, others: FloatArray, names: Sequence[str]
) -> None:
    """Refuse instruments of which effects and the other regressors leave nothing.

    Parameters
    ----------
    instruments : ndarray, shape (rows, m)
        Effects taken out.
    before : ndarray, shape (rows, m)
        The same as they came.
    others : ndarray, shape (rows, k)
        Regressors that are their own instruments, effects taken out.
    names : sequence of str
        Names of the instruments.

    Raises
    ------
    ValueError
        With the first such instrument.
    """
    own = np.linalg.norm(_left(instruments, others), axis=0)
    for name, size, whole in zip(names, own, np.linalg.norm(before, axis=0), strict=True):
        if size <= OWN_SHARE * max(whole, np.finfo(float).tiny):
            raise ValueError(
                f"instrument {name!r} does not vary beyond the effects and the characteristics: it "
                "moves no price that they leave; leave it out, or leave out the effect"
            )


def linear_gmm(
    outcome: FloatArray,
    regressors: FloatArray,
    instruments: FloatArray,
    *,
    steps: int = 1,
    cluster: np.ndarray | None = None,
    errors: Literal["robust", "plain"] = "robust",
) -> LinearFit:
    """Estimate a linear equation with instruments.

    Parameters
    ----------
    outcome : ndarray, shape (rows,)
        Effects taken out.
    regressors : ndarray, shape (rows, k)
        Exogenous and endogenous ones, effects taken out.
    instruments : ndarray, shape (rows, m)
        Exogenous regressors and excluded instruments, effects taken out.
    steps : {1, 2}
        One is 2SLS; two weights the moments by their precision (efficient GMM).
    cluster : ndarray of int, shape (rows,), optional
        Group of each row; left out, errors are robust to unequal spread only.
    errors : {"robust", "plain"}
        Plain errors take all rows for equally spread; not with clusters.

    Returns
    -------
    LinearFit

    Raises
    ------
    ValueError
        When there are no more rows than coefficients, or the instruments do not tell the
        regressors apart.
    """
    n = len(outcome)
    if n <= regressors.shape[1]:
        raise ValueError(
            f"{n:,} rows cannot tell {regressors.shape[1]} coefficients with their errors; give "
            "more markets or products, or fewer characteristics"
        )
    units = _units(regressors)
    regressors, instruments = regressors / units, instruments / _units(instruments)
    cross, aim = instruments.T @ regressors / n, instruments.T @ outcome / n
    weight = np.linalg.pinv(instruments.T @ instruments / n, hermitian=True)
    fitted = _minimum(cross, aim, weight)
    for _ in range(steps - 1):
        moments = _moment_spread(instruments, outcome - regressors @ fitted, cluster, errors, True)
        weight = np.linalg.pinv(moments, hermitian=True)
        fitted = _minimum(cross, aim, weight)
    residual = outcome - regressors @ fitted
    spread = _moment_spread(instruments, residual, cluster, errors, False)
    bread = np.linalg.inv(cross.T @ weight @ cross)
    meat = cross.T @ weight @ spread @ weight @ cross
    gap = instruments.T @ residual / n
    covariance = bread @ meat @ bread / n / np.outer(units, units)
    return LinearFit(fitted / units, covariance, residual, float(n * gap @ weight @ gap))


def first_stage(
    price: FloatArray,
    exogenous: FloatArray,
    excluded: FloatArray,
    *,
    cluster: np.ndarray | None = None,
) -> FirstStage:
    """Regress the price on the instruments.

    Parameters
    ----------
    price : ndarray, shape (rows,)
        Effects taken out, as from all others.
    exogenous : ndarray, shape (rows, k)
        Other regressors.
    excluded : ndarray, shape (rows, m)
        Excluded instruments.
    cluster : ndarray of int, shape (rows,), optional
        Group of each row.
    """
    n, count = len(price), excluded.shape[1]
    own = _left(np.column_stack([price, excluded]), exogenous)
    left = own[:, 0]
    basis = np.linalg.svd(own[:, 1:] / np.sqrt(n), full_matrices=False)
    kept = basis.S > OWN_SHARE * basis.S.max()
    z = basis.U[:, kept] * np.sqrt(n)
    slope = z.T @ left / n
    spread = _moment_spread(z, left - z @ slope, cluster, "robust", False) / n
    f, effective = joint_f(slope, spread), effective_f(slope, spread)
    return FirstStage(f, effective, float(slope @ slope * n / (left @ left)), count)


def _units(columns: FloatArray) -> FloatArray:
    """Power of two near the size of each column: units must not decide which digits are kept."""
    size = np.sqrt((columns**2).mean(axis=0))
    return np.exp2(np.round(np.log2(np.where(size > 0, size, 1.0))))


def _minimum(cross: FloatArray, aim: FloatArray, weight: Any) -> FloatArray:
    hill = cross.T @ weight @ cross
    if np.linalg.matrix_rank(hill, hermitian=True) < len(hill):
        raise ValueError(
            "the instruments do not tell the price, the shares within nests and the "
            "characteristics apart: together they move fewer of them than there are; give other "
            "instruments or fewer regressors"
        )
    return np.asarray(np.linalg.solve(hill, cross.T @ weight @ aim))


def _moment_spread(
    instruments: FloatArray,
    residual: FloatArray,
    cluster: np.ndarray | None,
    errors: Literal["robust", "plain"],
    centred: bool,
) -> FloatArray:
    """Covariance of the moments; centred (as for the weights of the second step) or not."""
    n = len(residual)
    if cluster is None and errors == "plain":
        return instruments.T @ instruments / n * float(residual @ residual / n)
    moments = instruments * residual[:, None]
    if centred:
        moments = moments - moments.mean(axis=0)
    if cluster is not None:
        moments = np.column_stack([np.bincount(cluster, weights=one) for one in moments.T])
    return moments.T @ moments / n


def _left(columns: FloatArray, others: FloatArray) -> FloatArray:
    if not others.shape[1]:
        return columns
    scaled = others / _units(others)
    return np.asarray(columns - scaled @ np.linalg.lstsq(scaled, columns, rcond=None)[0])
