"""More or less discount for an account, never below the floor over its unit cost.

The response of leaving to the price and the elasticity of usage are the chapter's
(:func:`keycustomer.pricing.customers_at_prices`, from list prices, managers' habits and cost
shocks); where the base does not tell what that needs, :func:`keycustomer.pricing.retention_response`
with usage that stays as it is.  A dearer price keeps nobody: draws of the response lie above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow
from keycustomer.strategy.actions.draws import draws_above_zero
from keycustomer.strategy.actions.levers import Doing, Lever, Rows
from keycustomer.strategy.actions.shifts import Shift
from keycustomer.strategy.actions.source import Source
from keycustomer.strategy.actions.vocabulary import ACTIONS

LEAST_STEP = 0.005
"""Change of a discount below which it is none."""


@dataclass(frozen=True, eq=False)
class PriceDraws:
    """Responses to the price, drawn.

    Attributes
    ----------
    response : ndarray, shape (draws,)
        Log-odds of leaving per log price.
    elasticity : ndarray, shape (draws,)
        Of usage, 0 or below.
    assumption : str
        What must be true.
    """

    response: FloatArray
    elasticity: FloatArray
    assumption: str


def price_draws(
    source: Source, months: CustomerMonths, draws: int, generator: np.random.Generator
) -> PriceDraws:
    """Estimate what the price does to leaving and usage.

    Raises
    ------
    ValueError
        When neither is identified.
    """
    from keycustomer.pricing import customers_at_prices, retention_response

    everybody = pd.Series("all", pd.Index(months.frame["customer_id"].unique()), name="tier")
    try:
        found = customers_at_prices(source, everybody, months=months)
    except ValueError:
        frame = retention_response(source).frame.set_index("term")
        told = frame.loc["log price"]
        return PriceDraws(
            draws_above_zero(told["log_odds"], told["standard_error"], draws, generator),
            np.zeros(draws),
            "Managers' habits and cost shocks move leaving through the discount alone, and usage "
            "does not answer to the price.",
        )
    response, elasticity = found.retention_response, found.own_price_elasticity
    return PriceDraws(
        draws_above_zero(response.estimate, response.standard_error, draws, generator),
        -draws_above_zero(-elasticity.estimate, elasticity.standard_error, draws, generator),
        "List prices, cost shocks and managers' habits do not answer to who is about to leave, and "
        "what holds for all on average holds for this account.",
    )


def permitted_discount(now: AccountsNow, floor: float) -> FloatArray:
    """Largest discount that leaves the floor over unit cost, share of the list price, shape (n,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unit_cost = now.column("goods") / now.column("list_value")
    return np.asarray(1 - (1 + floor) * unit_cost, dtype=np.float64)


def discount_lever(
    now: AccountsNow, drawn: PriceDraws, steps: tuple[float, ...], floor: float
) -> Lever:
    """Weigh changes of the discount.

    Parameters
    ----------
    now : AccountsNow
        The accounts.
    drawn : PriceDraws
        Responses to the price.
    steps : tuple of float
        Changes of the discount, share of the list price; one that would leave less than none
        leaves none.
    floor : float
        Least margin over unit cost, share of it.
    """
    today = now.column("discount")
    most = permitted_discount(now, floor)
    step = np.array(sorted(steps))
    new = np.maximum(today[:, None] + step, 0.0)
    change = new - today[:, None]
    fine = np.isfinite(new) & (np.abs(change) >= LEAST_STEP)
    fine &= (step < 0) == (change < 0)
    deeper = change > 0
    fine &= ~deeper | (new <= most[:, None])
    # of several steps that all leave no discount one is enough
    fine[:, :-1] &= ~((new[:, :-1] == 0) & (new[:, 1:] == 0))

    def shift(rows: Rows, k: int) -> Shift:
        ratio = ((1 - new[rows, k]) / (1 - today[rows]))[:, None]
        log = np.log(ratio)
        return Shift(
            odds=drawn.response[:, None, None] * log,
            price=ratio,
            usage=np.exp(drawn.elasticity[:, None, None] * log),
        )

    def told(row: int, k: int) -> str:
        way = "less" if change[row, k] < 0 else "more"
        points = abs(100 * change[row, k])
        return f"{100 * new[row, k]:.1f} % ({points:.0f} points {way})"

    return Lever(
        ACTIONS[1],
        tuple(f"{100 * one:+.0f} points" for one in step),
        fine,
        [f"{100 * one:.1f} %" if np.isfinite(one) else "not known" for one in today],
        told,
        shift,
        lambda row, k: Doing(discount=float(change[row, k])),
        drawn.assumption,
    )
