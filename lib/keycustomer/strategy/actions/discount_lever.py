"""More or less discount for an account, never below the floor over its unit cost.

Each account's own elasticity of usage is drawn towards that of all as far as its months do not tell
it (:func:`keycustomer.pricing.customer_elasticities`, on changes from month to month, competitors'
prices held fixed).  The response of leaving to the price is known for all together only
(:func:`keycustomer.pricing.customers_at_prices`: list prices, managers' habits and cost shocks);
where a base does not tell what that needs, :func:`keycustomer.pricing.retention_response` serves.
An account leaves in answer to the price in proportion to how its usage answers: this is stated, not
estimated, and it is what keeps a plan from raising the price where it hurts most.

A dearer price keeps nobody and sells no more: draws of the responses have that sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow
from keycustomer.strategy.actions.draws import draws_above_zero
from keycustomer.strategy.actions.levers import Doing, Lever, Rows
from keycustomer.strategy.actions.shifts import Shift
from keycustomer.strategy.actions.source import Source
from keycustomer.strategy.actions.vocabulary import ACTIONS

if TYPE_CHECKING:
    from keycustomer.pricing import PricePanel

LEAST_STEP = 0.005
"""Change of a discount below which it is none."""


@dataclass(frozen=True, eq=False)
class PriceDraws:
    """Responses to the price, drawn.

    Attributes
    ----------
    response : ndarray, shape (draws,)
        Log-odds of leaving per log price, of all together, 0 or above.
    elasticity : ndarray, shape (n,)
        Of each account's usage, 0 or below.
    error : ndarray, shape (n,)
        Its standard error.
    noise : ndarray, shape (draws, n)
        Standard normal numbers that the elasticities are drawn with.
    assumption : str
        What must be true.
    """

    response: FloatArray
    elasticity: FloatArray = field(repr=False)
    error: FloatArray = field(repr=False)
    noise: FloatArray = field(repr=False)
    assumption: str

    def of(self, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Draw response and elasticity of some accounts, each (draws, rows, 1)."""
        drawn = self.elasticity[rows] + self.error[rows] * self.noise[:, rows]
        own = np.minimum(drawn, 0.0)
        common = float(self.elasticity.mean())
        share = own / common if common < 0 else np.ones_like(own)
        return (self.response[:, None] * share)[:, :, None], own[:, :, None]


def price_draws(
    source: Source,
    months: CustomerMonths,
    now: AccountsNow,
    draws: int,
    generator: np.random.Generator,
) -> PriceDraws:
    """Estimate what the price does to leaving and usage.

    Raises
    ------
    ValueError
        When discounts are not known, or neither is identified.
    """
    from keycustomer.pricing import account_panel

    panel = account_panel(source)
    if "discount" not in panel.frame or panel.frame["discount"].isna().all():
        raise ValueError("discounts are not known (transactions.discount)")
    told, how = _response(source, panel, months)
    response = draws_above_zero(*told, draws, generator)
    elasticity, error = _elasticities(panel, now)
    noise = generator.standard_normal((draws, len(elasticity)))
    return PriceDraws(
        response,
        elasticity,
        error,
        noise,
        f"{how}, and this account leaves in answer to the price in proportion to how its usage "
        "answers.",
    )


def _response(
    source: Source, panel: PricePanel, months: CustomerMonths
) -> tuple[tuple[float, float], str]:
    """Log-odds of leaving per log price with its error, and what they rest on."""
    from keycustomer.pricing import retention_response
    from keycustomer.pricing.optimal.customers_today import retention_at_prices

    try:
        found = retention_at_prices(panel, months)
    except ValueError:
        told = retention_response(source).frame.set_index("term").loc["log price"]
        numbers = float(told["log_odds"]), float(told["standard_error"])
        return numbers, "Managers' habits and cost shocks move leaving through the discount alone"
    how = "List prices, cost shocks and managers' habits do not answer to who is about to leave"
    return (found.estimate, found.standard_error), how


def _elasticities(panel: PricePanel, now: AccountsNow) -> tuple[FloatArray, FloatArray]:
    """Elasticity of each account, drawn towards that of all, and its error."""
    from keycustomer.pricing import customer_elasticities

    rivals = "competitor_price" in panel.frame and panel.frame["competitor_price"].notna().all()
    held = ("competitor_price",) if rivals else ()
    found = customer_elasticities(panel, tier=None, controls=held, differences=True)
    table = found.frame.set_index("customer")[["elasticity", "standard_error"]]
    own = table.reindex(now.frame.index)
    filled = own.fillna(table.mean()).to_numpy(dtype=np.float64)
    return np.minimum(filled[:, 0], 0.0), filled[:, 1]


def permitted_discount(now: AccountsNow, floor: float) -> FloatArray:
    """Largest discount that leaves the floor over unit cost, share of list price, shape (n,)."""
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
    # nothing paid, or a list value of refunds: no price to change
    fine &= ((now.column("revenue") > 0) & (now.column("list_value") > 0))[:, None]
    # of several steps that all leave no discount one is enough
    fine[:, :-1] &= ~((new[:, :-1] == 0) & (new[:, 1:] == 0))

    def shift(rows: Rows, k: int) -> Shift:
        ratio = ((1 - new[rows, k]) / (1 - today[rows]))[:, None]
        log = np.log(ratio)
        response, elasticity = drawn.of(rows)
        return Shift(odds=response * log, price=ratio, usage=np.exp(elasticity * log))

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
