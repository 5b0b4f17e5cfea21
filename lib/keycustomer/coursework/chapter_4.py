"""Reference answers of the exercises of chapter 4, with the slips they are known for.

What do the exercises on prices ask?  What weeks without sales do to an elasticity, how much is
given away below the list, a price from what respondents say, the price that brings most, and whom
to give a discount.  Traps name the slip that leads to a wrong answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.coursework.made_up import (
    DISCOUNT_AT_RISK,
    SOLD,
    UNIT_COST_ASKED,
    asked_prices,
    offered_discount,
    twelve_weeks,
)
from keycustomer.coursework.registry import CaseData, exercise


@exercise("4.1", "choice")
def without_empty_weeks(case: CaseData) -> str:
    """Say what leaving out the weeks without sales does to the elasticity."""
    weeks = twelve_weeks()
    sold = weeks[weeks["quantity"] > 0]
    with_all = _slope(np.log(weeks.groupby("price")["quantity"].mean()))
    without = _slope(np.log(sold["quantity"]).groupby(sold["price"]).mean())
    return "weaker" if abs(without) < abs(with_all) else "stronger"


@without_empty_weeks.trap(
    "count the weeks that are left at either price: from which are they gone?"
)
def _the_same(case: CaseData) -> str:
    return "the same"


@exercise("4.2", "share")
def given_away(case: CaseData) -> float:
    """Give the discounts of all order lines over their value at list prices."""
    lines = _lines(case)
    return float(lines["discount"].sum() / (lines["revenue"] + lines["discount"]).sum())


@given_away.trap("that is over what was paid; a discount is a share of the list price")
def _over_paid(case: CaseData) -> float:
    lines = _lines(case)
    return float(lines["discount"].sum() / lines["revenue"].sum())


@given_away.trap("that is the mean over lines, in which a small one counts as much as a large one")
def _mean_over_lines(case: CaseData) -> float:
    lines = _lines(case)
    listed = lines["revenue"] + lines["discount"]
    return float((lines["discount"] / listed)[listed > 0].mean())


@exercise("4.3", "amount")
def asked_price(case: CaseData) -> float:
    """Give the price of the largest profit among those that were asked."""
    return _best_price(UNIT_COST_ASKED)


@asked_price.trap("at that price most money comes in; the units sold have to be made")
def _largest_revenue(case: CaseData) -> float:
    return _best_price(0.0)


@asked_price.trap("who would pay more buys at a lower price too: add up from the top")
def _not_added_up(case: CaseData) -> float:
    asked = asked_prices()
    profit = (asked["price"] - UNIT_COST_ASKED) * asked["respondents"]
    return float(asked["price"].iloc[profit.argmax()])


@exercise("4.4", "amount")
def price_of_largest_profit(case: CaseData) -> float:
    """Give the price at which a product of constant elasticity brings most."""
    elasticity = SOLD["elasticity"]
    return SOLD["unit_cost"] * elasticity / (1 + elasticity)


@price_of_largest_profit.trap("one over the elasticity is a share of the price, not of the cost")
def _markup_on_cost(case: CaseData) -> float:
    return SOLD["unit_cost"] * (1 + 1 / -SOLD["elasticity"])


@price_of_largest_profit.trap("that is the elasticity times the cost; put the price down on paper")
def _times_cost(case: CaseData) -> float:
    return SOLD["unit_cost"] * -SOLD["elasticity"]


@exercise("4.5", "choice")
def whom_to_discount(case: CaseData) -> str:
    """Name the customer of whom the discount brings most."""
    four = offered_discount()
    stays = 1 - four["risk"] + four["uplift"]
    given = stays * DISCOUNT_AT_RISK * four["revenue"]
    return str((four["uplift"] * four["value"] - given).idxmax())


@whom_to_discount.trap("it is most at risk; will the discount keep it?")
def _most_at_risk(case: CaseData) -> str:
    return str(offered_discount()["risk"].idxmax())


@whom_to_discount.trap("it would most likely have stayed, and takes the discount all the same")
def _cost_forgotten(case: CaseData) -> str:
    four = offered_discount()
    return str((four["uplift"] * four["value"]).idxmax())


@whom_to_discount.trap("the discount moves it most; what is it worth when it stays?")
def _most_moved(case: CaseData) -> str:
    return str(offered_discount()["uplift"].idxmax())


def _slope(log_quantity: pd.Series) -> float:
    """Elasticity between the two prices that index the mean log quantities."""
    low, high = log_quantity.index.astype(float)
    return float((log_quantity.iloc[1] - log_quantity.iloc[0]) / np.log(high / low))


def _best_price(unit_cost: float) -> float:
    """Price of the largest profit among those that were asked."""
    asked = asked_prices()
    buyers = asked["respondents"][::-1].cumsum()[::-1]
    profit = (asked["price"] - unit_cost) * buyers
    return float(asked["price"].iloc[profit.argmax()])


def _lines(case: CaseData) -> pd.DataFrame:
    """Revenue and discount of every order line, as numbers."""
    if not case.base.has("transactions", "discount"):
        raise ValueError(
            f"{case.base.title} knows no discounts; answer this exercise on the case telecom or "
            "complete_journey"
        )
    lines = case.base.query("select revenue, discount from transactions where quantity > 0")
    return lines.astype(float).fillna(0.0)
