"""Predicted holdout purchases, beside what needs no model.

What does each model say that every customer will buy in the holdout period, and what would one
say without a model?  :func:`predict_holdout` gives both, one column each.  The naive baselines:

- same count again: a customer comes as often as in the calibration period, scaled to the length
  of the holdout period;
- same rate: as often per day as since its own first purchase;
- everybody zero: nobody ever comes back.

Perfect foresight, what was really bought, is the end of what any prediction can reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.units import days_in
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.lifetime.validation.holdout import HoldoutSplit


class Forecaster(Protocol):
    """A fitted model of repeat purchases, such as every `TransactionModel`."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def unit(self) -> str:
        """Unit of time of horizons."""

    def expected_purchases(self, horizon: float, customers: pd.DataFrame) -> FloatArray:
        """Purchases expected of each customer in the horizon that follows its T."""


Predictor: TypeAlias = Forecaster | npt.NDArray[Any] | pd.Series
"""A fitted model, or holdout purchases predicted by other means, one number a customer."""

Predictors: TypeAlias = Forecaster | Sequence[Forecaster] | Mapping[str, Predictor]
"""One model, several, or models and predictions by name."""

Kind: TypeAlias = Literal["model", "baseline", "foresight"]

SAME_COUNT, SAME_RATE, NOBODY = "same count again", "same rate", "everybody zero"
FORESIGHT = "perfect foresight"
BASELINES = (SAME_COUNT, SAME_RATE, NOBODY)
"""Names of the naive baselines."""

DIGITS = 1e-9
"""Relative difference of ages that rounding between units of time makes."""


@dataclass(frozen=True, eq=False)
class HoldoutPredictions:
    """Predicted and actual holdout purchases of every customer of a split.

    Attributes
    ----------
    frame : DataFrame
        One row a customer of the split, one column a predictor: purchases in the holdout period.
    kinds : dict of str to str
        Every column's kind: `model`, `baseline` or `foresight`.
    purchases : ndarray, shape (customers,)
        What each customer really bought.
    notes : tuple of str
        What a reader must know of the models.
    """

    frame: pd.DataFrame = field(repr=False)
    kinds: Mapping[str, Kind]
    purchases: FloatArray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> list[str]:
        """Names of the models."""
        return [name for name, kind in self.kinds.items() if kind == "model"]

    def to_frame(self) -> pd.DataFrame:
        """Return the predictions, one column each."""
        return self.frame.copy()


def named_models(models: Predictors) -> dict[str, Predictor]:
    """Models by name; a model alone, or in a sequence, is called as it calls itself.

    Raises
    ------
    ValueError
        When there is none, or two share a name.
    """
    named = _by_name(models)
    if not named:
        raise ValueError("models: at least one fitted model is needed")
    taken = sorted({*named} & {*BASELINES, FORESIGHT})
    if taken:
        raise ValueError(f"models: {taken[0]!r} is the name of a baseline; choose another")
    return named


def _by_name(models: Predictors) -> dict[str, Predictor]:
    if isinstance(models, Mapping):
        return {str(name): model for name, model in models.items()}
    several = isinstance(models, Iterable) and not isinstance(models, (str, pd.DataFrame))
    listed: Iterable[Any] = models if several else [models]  # type: ignore[assignment]
    named: dict[str, Predictor] = {}
    for model in listed:
        name = getattr(model, "model", None)
        if not isinstance(name, str):
            raise TypeError(
                "models: a fitted model, a list of them, or a mapping by name is needed, got "
                f"{type(model).__name__}; predictions by other means need a name: "
                "{'mine': values}"
            )
        if name in named:
            raise ValueError(
                f"models: two are called {name!r}; give them names, for example "
                "{'first': ..., 'second': ...}"
            )
        named[name] = model
    return named


def predict_holdout(models: Predictors, split: HoldoutSplit) -> HoldoutPredictions:
    """Predict every customer's holdout purchases by models, baselines and foresight.

    Parameters
    ----------
    models : model, sequence of models, or mapping
        Models fitted on `split.calibration`.  In a mapping from names, values may also be holdout
        purchases predicted by other means, one number a customer of the split.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.

    Returns
    -------
    HoldoutPredictions

    Raises
    ------
    ValueError
        When a model has seen the holdout period, or predictions do not fit the split's customers.
    """
    columns: dict[str, FloatArray] = {}
    kinds: dict[str, Kind] = {}
    notes = []
    for name, model in named_models(models).items():
        columns[name] = _predicted(name, model, split)
        kinds[name] = "model"
        notes += [f"{name}: {note}" for note in _notes(model, split)]
    columns |= _baselines(split) | {FORESIGHT: split.purchases}
    kinds.update(dict.fromkeys(BASELINES, "baseline"))
    kinds[FORESIGHT] = "foresight"
    return HoldoutPredictions(pd.DataFrame(columns), kinds, split.purchases, tuple(notes))


def _predicted(name: str, model: Predictor, split: HoldoutSplit) -> FloatArray:
    if isinstance(model, (np.ndarray, pd.Series)):
        predicted = np.asarray(model, dtype=np.float64)
    else:
        refuse_foreknowledge(name, model, split)
        predicted = model.expected_purchases(split.horizon(model.unit), split.calibration)
    if predicted.shape != (split.customers,):
        raise ValueError(
            f"models[{name!r}]: one prediction for each of the {split.customers:,} customers of "
            f"split.calibration is needed, in its order; got the shape {predicted.shape}"
        )
    wrong = np.flatnonzero(~(np.isfinite(predicted) & (predicted >= 0)))
    if wrong.size:
        raise ValueError(
            f"models[{name!r}]: {wrong.size:,} predictions are no finite numbers of at least 0, "
            f"first {predicted[wrong[0]]} for customer "
            f"{split.calibration['customer_id'].iloc[wrong[0]]!r}"
        )
    return predicted


def refuse_foreknowledge(name: str, model: Forecaster, split: HoldoutSplit) -> None:
    """Refuse a model fitted on longer histories than the calibration period allows."""
    histories = _histories(model)
    if histories is None:
        return
    oldest = float(histories.T.max()) * days_in(histories.unit)
    if oldest > (split.calibration_days - 1) * (1 + DIGITS):
        raise ValueError(
            f"models[{name!r}] was fitted on histories of up to {oldest:,.0f} days, and the "
            f"calibration period has {split.calibration_days:,}: it has seen the holdout period. "
            "Fit it on split.calibration"
        )


def _histories(model: Predictor) -> Histories | None:
    """Find what a model was fitted on, where it says so."""
    found = getattr(model, "histories", None)
    return found if isinstance(found, Histories) else None


def fitted_on(model: Predictor, split: HoldoutSplit) -> bool | None:
    """Whether a model was fitted on the calibration table of a split; None if it does not say."""
    histories = _histories(model)
    if histories is None:
        return None
    return _alike(histories, read_histories(split.calibration, unit=histories.unit))


def _alike(one: Histories, other: Histories) -> bool:
    pairs = ((getattr(one, name), getattr(other, name)) for name in ("frequency", "weights"))
    times = ((getattr(one, name), getattr(other, name)) for name in ("recency", "T"))
    return (
        one.rows == other.rows
        and all(np.array_equal(*pair) for pair in pairs)
        and all(np.allclose(*pair, rtol=DIGITS, atol=0) for pair in times)
    )


def _notes(model: Predictor, split: HoldoutSplit) -> list[str]:
    limit = getattr(model, "limit", "")
    others = fitted_on(model, split) is False
    said = "fitted on other customers than those of the split's calibration table."
    return [*filter(None, [limit, said if others else ""])]


def _baselines(split: HoldoutSplit) -> dict[str, FloatArray]:
    table, ahead = split.calibration, split.holdout_days
    frequency, age = table["frequency"].to_numpy(np.float64), table["T"].to_numpy(np.float64)
    rate = np.divide(frequency, age, out=np.zeros(len(table)), where=age > 0)
    return {
        SAME_COUNT: frequency * (ahead / split.calibration_days),
        SAME_RATE: rate * ahead,
        NOBODY: np.zeros(len(table)),
    }
