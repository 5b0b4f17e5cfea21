"""What one package is worth more than another, in money, as a ratio of coefficients.

:func:`package_gap` gives the weights of the coefficients in the difference of two packages' utility
and :func:`price_weights` those of the price, as the mean over respondents; :func:`worth_ratios`
makes them into worths with a joint covariance.

Source: Train (2009), section 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keycustomer.pricing.choice.logit import LogitModel, interval_quantile
from keycustomer.pricing.choice.offer_rows import Values, offer_rows
from keycustomer.pricing.choice.ratios import Ratios
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Package = Mapping[str, object]


def plain_package(model: LogitModel) -> dict[str, object]:
    """Package with the reference of every attribute, numbers at their mean, at a price of 0."""
    frame = model.data.frame
    offered = frame[~frame["is_none"]]
    plain: dict[str, object] = {model.price: 0.0}
    for name in model.attributes:
        own = model.coding.levels.get(name)
        plain[name] = own[0] if own else float(offered[name].mean())
    return plain | {"alternative": model.coding.levels["alternative"][0]}


def package_gap(
    model: LogitModel, package: Package, other: Package, at: Values | None = None
) -> FloatArray:
    """Weights of the coefficients in what a package has over another, shape (coefficients,).

    Parameters
    ----------
    model : LogitModel
        Fitted model.
    package, other : mapping of str to number or str
        Attributes that differ from the plain package.
    at : mapping of str to number or str, optional
        Values of the respondents' columns in interactions; left out, as among the respondents.
    """
    plain = plain_package(model)
    table = pd.DataFrame([plain | dict(package), plain | dict(other)], index=["one", "other"])
    rows = offer_rows(model, table, none=False, at=at)
    mean = np.einsum("kor,k->or", rows.design, rows.weights)
    return np.asarray(mean[0] - mean[1])


def price_weights(model: LogitModel, at: Values | None = None) -> FloatArray:
    """Weights of the coefficients in what a unit of price takes away, shape (coefficients,)."""
    return -package_gap(model, {model.price: 1.0}, {model.price: 0.0}, at)


def none_weights(model: LogitModel, at: Values | None = None) -> FloatArray:
    """Weights of the coefficients in the plain package, free of charge, over taking none."""
    plain = pd.DataFrame([plain_package(model)], index=["plain"])
    rows = offer_rows(model, plain, at=at)
    mean = np.einsum("kor,k->or", rows.design, rows.weights)
    return np.asarray(mean[0] - mean[1])


def worth_ratios(
    model: LogitModel, tops: Sequence[FloatArray], bottoms: Sequence[FloatArray]
) -> Ratios:
    """Ratios of combinations of a model's coefficients."""
    return Ratios(
        np.array(tops),
        np.array(bottoms),
        model.coefficients.to_numpy(),
        model.covariance.to_numpy(),
    )


def reach_of(model: LogitModel, level: float) -> float:
    """Give standard errors on each side of an interval: t by respondents where these cluster."""
    return interval_quantile(level, model.respondents if model.errors == "clustered" else 0)


def delta_estimate(
    model: LogitModel, ratios: Ratios, weights: FloatArray, level: float, unit: str
) -> Estimate:
    """Combine ratios, with the delta-method interval."""
    value = float(weights @ ratios.values)
    reach = reach_of(model, level) * float(np.sqrt(weights @ ratios.joint_covariance @ weights))
    how = f"logit, delta, {model.respondents:,} respondents"
    return Estimate(value, value - reach, value + reach, unit, model.respondents, how, level)
