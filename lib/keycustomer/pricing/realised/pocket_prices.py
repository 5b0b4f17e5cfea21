"""The pocket-price band: how far apart customers' prices lie, and how little size explains of it.

Question: do large customers pay less because they are large?  Customers get different discounts and
rebates off one list.  :func:`pocket_price_band` tells how far their pocket prices lie apart, and
which share of the variance their size explains: what size does not explain was given away for other
reasons, and is where price management begins.

Source: Marn & Rosiello (1992), Harvard Business Review 70(5), 84-94.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.pricing.realised.waterfall import PriceWaterfall
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

FEWEST = 10
"""Customers below which a band is no band."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of customers that are told; the outer ones make the width of the band."""


@dataclass(frozen=True, eq=False)
class PocketPriceBand:
    """How far customers' pocket prices lie apart.

    Attributes
    ----------
    frame : DataFrame
        One row a customer: customer_id, group, list_value (currency), pocket_share (pocket value
        as a share of the list value), expected_share (for a customer of this size).
    quantiles : DataFrame
        quantile (of customers), pocket_share.
    width : Estimate
        Distance between the 5 % and the 95 % quantile, share of the list value.
    explained_by_size : Estimate
        Share of the variance between customers that their list value explains (a parabola in its
        logarithm; adjusted for its two coefficients).
    currency : str
        Unit of amounts.
    simulated : bool
        Whether the data are made up.
    level : float
        Level of the intervals.
    """

    frame: pd.DataFrame = field(repr=False)
    quantiles: pd.DataFrame
    width: Estimate
    explained_by_size: Estimate
    currency: str
    simulated: bool
    level: float

    @property
    def sentence(self) -> str:
        """The result in words."""
        low, high = self.quantiles["pocket_share"].iloc[[0, -1]]
        return (
            f"Nine of ten customers pay between {percent(low)} and {percent(high)} of the list "
            f"price; their size explains {self.explained_by_size.as_percent(0)} of the differences."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            *made_up_note(self.simulated),
            self.sentence,
        ]
        shown = self.quantiles.rename(columns={"quantile": "share of customers below"})
        shown.columns = pd.Index(["share of customers below", "share of the list price paid"])
        return report_html("Pocket-price band", said, {"Quantiles": shown})


def pocket_price_band(
    waterfall: PriceWaterfall,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> PocketPriceBand:
    """Measure how far pocket prices lie apart, and what size has to do with it.

    Parameters
    ----------
    waterfall : PriceWaterfall
        From :func:`price_waterfall`.
    level, draws, seed, progress
        Percentile bootstrap of customers.

    Returns
    -------
    PocketPriceBand

    Raises
    ------
    ValueError
        When there are fewer than 10 customers, or all are of one size.
    """
    checked_level(level)
    customers = waterfall.customers
    size = np.log(customers["list_value"].to_numpy(float))
    paid = (customers["pocket_value"] / customers["list_value"]).to_numpy(float)
    if len(paid) < FEWEST or np.ptp(size) == 0:
        raise ValueError(
            f"{counted(len(paid), 'customer')} of "
            f"{counted(len(np.unique(size)), 'different size')}: at least {FEWEST} of different "
            "sizes are needed for a band"
        )
    scaled = (size - size.mean()) / size.std()
    design = np.column_stack([np.ones_like(scaled), scaled, scaled**2])
    order = np.argsort(paid, kind="stable")

    def measured(weights: FloatArray) -> FloatArray:
        low, high = (_quantile(weights, paid, order, q) for q in (QUANTILES[0], QUANTILES[-1]))
        return np.column_stack([high - low, explained(weights, design, paid)])

    drawn = bootstrap(measured, np.ones(len(paid)), draws=draws, seed=seed, progress=progress)
    point = measured(np.ones((1, len(paid))))[0]
    width, by_size = (
        bootstrap_estimate(float(point[k]), drawn[:, k], unit=unit, n=len(paid), level=level)
        for k, unit in enumerate(("share of the list price", "share of variance"))
    )
    fitted = design @ np.linalg.lstsq(design, paid, rcond=None)[0]
    told = customers[["customer_id", "group", "list_value"]]
    return PocketPriceBand(
        frame=told.assign(pocket_share=paid, expected_share=fitted),
        quantiles=pd.DataFrame(
            {"quantile": QUANTILES, "pocket_share": np.quantile(paid, QUANTILES)}
        ),
        width=width,
        explained_by_size=by_size,
        currency=waterfall.currency,
        simulated=waterfall.simulated,
        level=level,
    )


def _quantile(
    weights: FloatArray, values: FloatArray, order: np.ndarray, share: float
) -> FloatArray:
    """Value below which a share of the weight lies, in every row of weights."""
    sums = np.cumsum(weights[:, order], axis=1)
    place = (sums < share * sums[:, -1:]).sum(axis=1)
    found: FloatArray = values[order][place]
    return found


def explained(weights: FloatArray, design: FloatArray, outcome: FloatArray) -> FloatArray:
    """Give the adjusted share of the variance of an outcome that a design explains.

    Parameters
    ----------
    weights : ndarray, shape (rows, n)
        How often each customer counts.
    design : ndarray, shape (n, k)
        With a constant first.
    outcome : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (rows,)
        At least 0; 0 where the outcome does not vary.
    """
    k = design.shape[1]
    centred = outcome - outcome.mean()
    columns = np.column_stack([design, centred])
    products = (columns[:, :, None] * columns[:, None, :]).reshape(len(outcome), -1)
    moments = (weights @ products).reshape(len(weights), k + 1, k + 1)
    cross, n = moments[:, :k, k], weights.sum(axis=1)
    solved = np.linalg.pinv(moments[:, :k, :k]) @ cross[:, :, None]
    left = moments[:, k, k] - (cross * solved[:, :, 0]).sum(axis=1)
    whole = moments[:, k, k] - moments[:, 0, k] ** 2 / n
    varies = whole > 1e-12 * n
    share = 1 - (left / np.maximum(n - k, 1)) / (np.where(varies, whole, 1.0) / (n - 1))
    return np.where(varies, np.clip(share, 0, 1), 0.0)
