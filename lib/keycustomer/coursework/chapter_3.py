"""Reference answers of the exercises of chapter 3, with the slips they are known for.

What do the exercises on relationship levels ask?  The price of the last unit of a budget, the
monthly rate of leaving, a selection of levels by hand, what to spend on winning a customer, and
whom to make an offer.  Traps name the slip that leads to a wrong answer.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd

from keycustomer.coursework.made_up import BUDGET_OF_SIX, LIFETIME_VALUE, at_risk, six_customers
from keycustomer.coursework.registry import CaseData, exercise
from keycustomer.relationships import customer_months, select_levels


@exercise("3.1", "choice")
def price_of_the_last_unit(case: CaseData) -> str:
    """Say what the shadow price does when the budget grows."""
    value, cost = _matrices()
    prices = [
        select_levels(value, cost, share * BUDGET_OF_SIX).shadow_price for share in (0.5, 1, 1.5)
    ]
    falls = all(after <= before for before, after in pairwise(prices))
    return "falls" if falls and prices[-1] < prices[0] else "rises"


@price_of_the_last_unit.trap("the best use of money is made first; what is left brings less")
def _stays(case: CaseData) -> str:
    return "stays"


@exercise("3.2", "share")
def monthly_churn(case: CaseData) -> float:
    """Give customers who left over all months in which customers were there."""
    left, months, _ = _left_and_months(case)
    return left / months


@monthly_churn.trap("that is the share who left at any time; divide by months, not by customers")
def _share_who_left(case: CaseData) -> float:
    left, _, customers = _left_and_months(case)
    return left / customers


@monthly_churn.trap("those who left at any time, over as many months as the window has")
def _share_over_window(case: CaseData) -> float:
    left, months, customers = _left_and_months(case)
    return left / customers / (months / customers + 1)


@exercise("3.3", "choice")
def level_of_c(case: CaseData) -> str:
    """Give the level of customer C in the best selection."""
    value, cost = _matrices()
    chosen = select_levels(value, cost, BUDGET_OF_SIX, method="exact")
    return str(value.columns[chosen.codes()["C"]])


@level_of_c.trap("that is what the largest first leave for it; compare what a unit of cost brings")
def _largest_first(case: CaseData) -> str:
    value, cost = _matrices()
    left = BUDGET_OF_SIX - cost["basic"].sum()
    for customer in value["basic"].sort_values(ascending=False).index:
        extra = cost.loc[customer] - cost.at[customer, "basic"]
        level = str(extra[extra <= left].index[-1])
        left -= extra[level]
        if customer == "C":
            return level
    return "basic"


@exercise("3.4", "amount")
def spending_to_win(case: CaseData) -> float:
    """Give the spending at which the last customer won costs what it is worth."""
    ceiling, k = _response(case)
    return max(math.log(ceiling * k * LIFETIME_VALUE) / k, 0.0)


@spending_to_win.trap("there the average customer won costs what it is worth; take the last one")
def _average_cost(case: CaseData) -> float:
    ceiling, k = _response(case)
    low, high = spending_to_win.reference(case), ceiling * LIFETIME_VALUE
    for _ in range(200):
        middle = (low + high) / 2
        worth = ceiling * (1 - math.exp(-k * middle)) * LIFETIME_VALUE > middle
        low, high = (middle, high) if worth else (low, middle)
    return low


@exercise("3.5", "choice")
def whom_to_offer(case: CaseData) -> str:
    """Name the customer of whom an offer brings most."""
    four = at_risk()
    return str((four["uplift"] * four["value"] - four["cost"]).idxmax())


@whom_to_offer.trap("it is most at risk; will the offer keep it?")
def _most_at_risk(case: CaseData) -> str:
    return str(at_risk()["risk"].idxmax())


@whom_to_offer.trap("it would lose you most, and stays without an offer too")
def _most_valuable(case: CaseData) -> str:
    return str(at_risk()["value"].idxmax())


@whom_to_offer.trap("the offer moves it most; what is it worth when it stays?")
def _most_moved(case: CaseData) -> str:
    return str(at_risk()["uplift"].idxmax())


def _matrices() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Value and cost of the six customers, a row a customer and a column a level."""
    table = six_customers()
    value = table.pivot(index="customer", columns="level", values="value")
    cost = table.pivot(index="customer", columns="level", values="cost")
    order = table["level"].drop_duplicates().tolist()
    return value[order], cost[order]


def _response(case: CaseData) -> tuple[float, float]:
    """Ceiling and speed of the response to spending, from the parameters."""
    spending, rate, ceiling = case.parameters["winning"]
    return ceiling, -math.log(1 - rate / ceiling) / spending


def _left_and_months(case: CaseData) -> tuple[float, float, float]:
    """Count customers who left, months in which customers were there, and customers."""
    if not case.base.has("contracts"):
        raise ValueError(
            f"{case.base.title} has no table contracts, so that nobody is seen to leave; answer "
            "this exercise on the case telecom or wa_churn"
        )
    contracts = case.base.query("from contracts")
    if "start" not in contracts.columns:
        return (
            float(contracts["ended"].sum()),
            float(contracts["tenure"].sum()),
            float(len(contracts)),
        )
    months = customer_months(case.base).frame
    return float(months["left"].sum()), float(len(months)), float(months["customer_id"].nunique())
