"""Becker, DeGroot & Marschak: a bid that it pays to make honestly.

Question: what is the offer worth to somebody who has to pay?  Each participant names a bid; then a
price is drawn.  Who bid at least that price buys *at the price drawn*, the others do not.  The bid
decides whether one buys, never what one pays, so that bidding one's true worth is best:
:func:`bdm_surplus` gives the expected gain of any bid, beside that of an auction in which one pays
the own bid, where it pays to bid less.  :func:`bdm_demand` takes the bids for a demand curve.

Source: Becker, DeGroot & Marschak (1964), Behavioral Science 9(3), 226-232; on limits (who is not
an expected-utility maximiser) Karni & Safra (1987), Econometrica 55(3), 675-685.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.stated.acceptance import (
    StatedDemand,
    given_numbers,
    stated_demand,
    tested_prices,
)
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

MOST_PRICES = 25
"""Prices at which demand is told where bids name more: the best of many prices is a chance find,
and its bootstrap interval does not hold its level."""


def bdm_demand(
    bids: npt.ArrayLike,
    prices: npt.ArrayLike | None = None,
    *,
    unit_cost: float = 0.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    currency: str = "",
    simulated: bool = False,
    progress: Progress | None = None,
) -> StatedDemand:
    """Demand curve from bids that bind.

    Parameters
    ----------
    bids : array, shape (participants,)
        What each bid, currency; NaN who did not.
    prices : array, optional
        Prices at which demand is told; left out, the bids themselves, or evenly spaced ones where
        there are more than 25 different bids.
    unit_cost, level, draws, seed, currency, simulated, progress
        As in :func:`~keycustomer.pricing.stated.acceptance.gabor_granger`.

    Raises
    ------
    ValueError
        When bids or prices make no sense.
    """
    given = given_numbers(bids, "bids")
    if given.ndim != 1:
        raise ValueError(f"bids must hold one number a participant, got shape {given.shape}")
    silent = np.isnan(given)
    dearest = given[~silent]
    if not (np.isfinite(dearest).all() and (dearest >= 0).all()):
        raise ValueError("bids must be finite amounts of at least 0")
    told = _prices(dearest) if prices is None else tested_prices(prices)
    return stated_demand(
        dearest,
        told,
        method="Becker-DeGroot-Marschak",
        unit_cost=unit_cost,
        weights=None,
        excluded=[("no bid", int(silent.sum()))] if silent.any() else [],
        level=level,
        draws=draws,
        seed=seed,
        currency=currency,
        simulated=simulated,
        progress=progress,
    )


def _prices(bids: FloatArray) -> FloatArray:
    named = np.unique(bids[bids > 0])
    if len(named) <= MOST_PRICES:
        return named
    return np.linspace(named[0], named[-1], MOST_PRICES)


def bdm_surplus(
    bid: npt.ArrayLike,
    willingness_to_pay: npt.ArrayLike,
    *,
    highest: float,
    lowest: float = 0.0,
    pays: Literal["price drawn", "own bid"] = "price drawn",
) -> Any:
    """Give the expected gain from a bid, when the price is drawn evenly between two ends.

    Parameters
    ----------
    bid, willingness_to_pay : array_like
        What is bid, and what the offer is worth to the bidder, currency; broadcast.
    highest, lowest : float
        Ends of the prices drawn.
    pays : {"price drawn", "own bid"}
        What the buyer pays: the price drawn (Becker, DeGroot & Marschak), where the gain is largest
        at the true worth; or the own bid, where it is largest half-way between `lowest` and the
        worth.

    Returns
    -------
    float or ndarray
        Worth less payment where one buys, 0 where not, in expectation; currency.

    Raises
    ------
    ValueError
        When the ends do not rise or `pays` is unknown.

    Examples
    --------
    >>> bdm_surplus(60, 60, highest=100)
    18.0
    """
    if not -np.inf < lowest < highest < np.inf:
        raise ValueError(f"lowest={lowest!r} must lie below highest={highest!r}, both finite")
    if pays not in ("price drawn", "own bid"):
        raise ValueError(f"pays={pays!r} must be 'price drawn' or 'own bid'")
    worth = np.asarray(willingness_to_pay, dtype=float)
    top = np.clip(np.asarray(bid, dtype=float), lowest, highest)
    paid = (top + lowest) / 2 if pays == "price drawn" else np.maximum(bid, top)
    gain = np.asarray((worth - paid) * (top - lowest) / (highest - lowest))
    return gain if gain.ndim else float(gain)
