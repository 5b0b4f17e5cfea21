"""A made-up trial with known effects: who is likely to leave need not be who can be kept.

:func:`simulate_trial` makes customers with a risk to leave, a response to the offer, and a tie
between the two.  With ``tie`` below zero the customers at highest risk are lost causes, or are even
reminded by the offer that they could leave; then an order by churn risk is worse than choosing at
random, although the risk is known perfectly.  With ``tie`` above zero it is a good order.  Data
alone cannot tell in advance which of the two a firm has; a trial can.

The idea is that of two field experiments by Ascarza (2018), Journal of Marketing Research 55(1),
80-98; the numbers here are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.trial import Trial, read_trial
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

FEATURES = ("usage_fall", "complaints", "price_interest", "tenure", "spend")
"""What the made-up firm knows of a customer, standard normal but for complaints and spend."""

BASE, RISK_SPREAD = 1.6, 1.1
"""Log-odds to stay without the offer: their middle, and how far risk spreads them."""

EFFECT, RESPONSE_SPREAD = 0.25, 0.8
"""What the offer adds to the log-odds to stay: the middle, and its spread over customers."""


@dataclass(frozen=True, eq=False)
class KnownTrial:
    """A made-up trial and its truth, n customers.

    Attributes
    ----------
    trial : Trial
        What the firm sees.
    frame : DataFrame
        The same as a table: features, value, offer (bool), stayed (0 or 1).
    true_risk : ndarray, shape (n,)
        Probability to leave without the offer.
    true_uplift : ndarray, shape (n,)
        Probability to stay with the offer less that without.
    true_gain : ndarray, shape (n,)
        What the offer would earn, its costs taken off, currency.
    """

    trial: Trial
    frame: pd.DataFrame = field(repr=False)
    true_risk: FloatArray = field(repr=False)
    true_uplift: FloatArray = field(repr=False)
    true_gain: FloatArray = field(repr=False)


def simulate_trial(
    customers: int = 4_000,
    seed: Seed = 1,
    *,
    tie: float = -0.8,
    contact_cost: float = 2.0,
    offer_cost: float = 8.0,
    by_lot: bool = True,
) -> KnownTrial:
    """Make up a trial of a retention offer with known effects.

    Parameters
    ----------
    customers : int
        Customers, half of them with the offer.
    seed : int or Generator
        Seed of everything random.
    tie : float
        Correlation of the risk to leave with the response to the offer, -1..1.
    contact_cost, offer_cost : float
        Cost of making the offer, and of the offer to who stays with it, currency.
    by_lot : bool
        Whether lots decided who got the offer; left out, managers gave it to the risky and the
        large, and the trial does not tell with what probability.

    Returns
    -------
    KnownTrial

    Raises
    ------
    ValueError
        When the tie is no correlation, or there are too few customers.
    """
    n = whole_number(customers, "customers", of="customers", least=100)
    if not -1 <= tie <= 1:
        raise ValueError(f"tie={tie!r} must be a correlation, -1 to 1")
    generator = np.random.default_rng(seed)
    frame = _customers(n, generator)
    risk, response = _traits(frame, tie)
    stay = expit(BASE - RISK_SPREAD * risk)
    stay_with = expit(BASE - RISK_SPREAD * risk + EFFECT + RESPONSE_SPREAD * response)
    chance = np.full(n, 0.5) if by_lot else expit(0.6 * risk + 0.4 * np.log(frame["spend"]))
    frame["offer"] = generator.random(n) < chance
    drawn = generator.random(n)
    frame["stayed"] = (drawn < np.where(frame["offer"], stay_with, stay)).astype(int)
    trial = read_trial(
        frame,
        treated="offer",
        outcome="stayed",
        features=FEATURES,
        value="value",
        contact_cost=contact_cost,
        offer_cost=offer_cost,
        accepted="stayed",
        propensity=0.5 if by_lot else None,
    )
    gain = (stay_with - stay) * frame["value"].to_numpy() - contact_cost - offer_cost * stay_with
    return KnownTrial(trial, frame, 1 - stay, stay_with - stay, gain)


def _customers(n: int, generator: np.random.Generator) -> pd.DataFrame:
    """Features and value of made-up customers."""
    spend = np.exp(0.8 * generator.standard_normal(n))
    frame = pd.DataFrame(
        {
            "usage_fall": generator.standard_normal(n),
            "complaints": generator.poisson(1.0, n),
            "price_interest": generator.standard_normal(n),
            "tenure": generator.standard_normal(n),
            "spend": spend,
        },
        index=pd.RangeIndex(1, n + 1, name="customer_id"),
    )
    return frame.assign(value=200 * spend)


def _traits(frame: pd.DataFrame, tie: float) -> tuple[FloatArray, FloatArray]:
    """Risk and response, standardised, with the wanted correlation."""
    risk = 0.8 * frame["usage_fall"].to_numpy() + 0.6 * (frame["complaints"].to_numpy() - 1.0)
    own = frame["price_interest"].to_numpy()
    return risk, tie * risk + np.sqrt(1 - tie**2) * own
