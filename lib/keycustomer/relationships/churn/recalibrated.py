"""Correcting the probabilities of a model that ranks well and is wrong about the level.

:func:`recalibrate` learns the correction on rows the model was not fitted on; a `Recalibration`
applies it.  Methods: `shift` moves all log-odds by one number; `logistic` also stretches them;
`isotonic` lets the data draw any rising curve and needs many events.

Sources: Cox (1958), Biometrika 45, and Platt (1999) for the logistic correction; Zadrozny & Elkan
(2002), KDD, for the isotonic one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.relationships.churn.checks import events_of, need_columns_of
from keycustomer.relationships.churn.logistic import fit_logistic
from keycustomer.stats.regressions.links import logit
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.relationships.churn.model import ChurnModel
    from keycustomer.relationships.churn.table import ChurnTable

Method: TypeAlias = Literal["shift", "logistic", "isotonic"]

FEWEST_EVENTS = 10
"""Fewer events than this cannot correct anything."""


@dataclass(frozen=True, eq=False)
class Recalibration:
    """Correction of probabilities.

    Attributes
    ----------
    method : {"shift", "logistic", "isotonic"}
        Form of the correction.
    intercept, slope : float
        Corrected log-odds = intercept + slope x log-odds; NaN for isotonic.
    given, corrected : ndarray
        Knots of the isotonic curve, empty otherwise.
    """

    method: Method
    intercept: float
    slope: float
    given: FloatArray
    corrected: FloatArray

    def apply(self, probability: FloatArray) -> FloatArray:
        """Correct probabilities."""
        if self.method == "isotonic":
            return np.interp(probability, self.given, self.corrected)
        return expit(self.intercept + self.slope * logit(probability))


def recalibrate(
    model: ChurnModel, rows: ChurnTable | pd.DataFrame, *, method: Method = "logistic"
) -> ChurnModel:
    """Correct a model's probabilities by rows it has not seen.

    Parameters
    ----------
    model : ChurnModel
        A fitted model; an earlier correction is replaced.
    rows : ChurnTable or DataFrame
        Rows with the model's event and features, of other customers or a later time.
    method : {"shift", "logistic", "isotonic"}
        Form of the correction.

    Returns
    -------
    ChurnModel
        The same model with the correction.

    Raises
    ------
    ValueError
        When the method is unknown, or fewer than ten rows ended, or did not end, in leaving.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else rows.frame
    need_columns_of(frame, [model.event, *model.features], "rows")
    left = events_of(frame, model.event)
    if min(left.sum(), (~left).sum()) < FEWEST_EVENTS:
        raise ValueError(
            f"rows: {int(left.sum()):,} of {len(left):,} ended in leaving; at least "
            f"{FEWEST_EVENTS} that did and that did not are needed to correct probabilities"
        )
    plain = replace(model, recalibration=None)
    chance = plain.predict(frame).to_numpy(float)
    return replace(model, recalibration=learn_recalibration(chance, left, method))


def learn_recalibration(
    probability: FloatArray, left: npt.NDArray[np.bool_], method: Method
) -> Recalibration:
    """Learn a correction from probabilities and what happened."""
    none = np.empty(0)
    odds = logit(probability)
    if method == "shift":
        beta = fit_logistic(np.empty((len(odds), 0)), left, offset=odds)
        return Recalibration(method, float(beta[0]), 1.0, none, none)
    if method == "logistic":
        beta = fit_logistic(odds[:, None], left)
        return Recalibration(method, float(beta[0]), float(beta[1]), none, none)
    if method != "isotonic":
        raise ValueError(f"method={method!r}: allowed are 'shift', 'logistic' and 'isotonic'")
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(probability, left.astype(float))
    return Recalibration(
        method, np.nan, np.nan, np.asarray(curve.X_thresholds_), np.asarray(curve.y_thresholds_)
    )
