"""Plans of discounts judged by the truth, over many simulated companies.

Question: does "uplift x value" keep more profit than "most at risk first, deepest discount", when
both only know what a pilot told?  :func:`judge_discounts` runs the pilot in each company, makes the
plans for the customers who were not in it, and counts what each truly gains against giving no
discount: the same customers meeting the same chance.

The rule, fixed beforehand: the claim is supported where the interval of the mean difference over
companies lies wholly above zero, not supported where it lies wholly at or below.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.discounts.allocation import (
    RISK,
    UPLIFT,
    allocate_discounts,
    discount_plans,
)
from keycustomer.pricing.discounts.pilot import (
    DiscountPilot,
    DiscountPilotSettings,
    discount_pilot,
)
from keycustomer.relationships.many_companies import FEWEST, mean_over_companies
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, after_quiet

TODAY, BEST = "today's habit", "true optimum"

UNIT = "currency a customer"


@dataclass(frozen=True, eq=False)
class JudgedDiscounts:
    """Plans of discounts in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and plan: company (its seed), customers, plan, budget (a customer),
        discounted (customers), promised (expected gain by the pilot), gain (true), spent (true
        discount handed out), all currency a customer; attained (gain as a share of the optimum's),
        below_floor (customers whose price is below the floor price).
    pilots : DataFrame
        One row a company: company, log_price, standard_error, elasticity.
    settings : DiscountPilotSettings
        The company and the pilot.
    budget_share : float
        Budget as a share of the yearly list value.
    """

    frame: pd.DataFrame
    pilots: pd.DataFrame = field(repr=False)
    settings: DiscountPilotSettings
    budget_share: float

    @property
    def companies(self) -> int:
        """Number of companies."""
        return len(self.pilots)

    @property
    def plans(self) -> tuple[str, ...]:
        """Names of the plans."""
        return tuple(self.frame["plan"].drop_duplicates())

    def gains(self, plan: str) -> pd.Series:
        """Give the true gain of a plan by company, currency a customer.

        Raises
        ------
        KeyError
            When there is no such plan.
        """
        if plan not in self.plans:
            raise KeyError(f"no plan {plan!r}; there is: {', '.join(map(repr, self.plans))}")
        return self.frame[self.frame["plan"] == plan].set_index("company")["gain"]

    def gains_per_spent(self, plan: str) -> float:
        """Give the true gain of a plan over what it truly hands out; NaN where nothing is."""
        self.gains(plan)
        own = self.frame[self.frame["plan"] == plan]
        spent = float(own["spent"].sum())
        return float(own["gain"].sum()) / spent if spent > 0 else np.nan

    def gap(self, plan: str = UPLIFT, other: str = RISK) -> Estimate:
        """Mean over companies of what a plan truly gains more than another, currency a customer."""
        return mean_over_companies((self.gains(plan) - self.gains(other)).to_numpy(), UNIT)

    def verdict(self, plan: str = UPLIFT, other: str = RISK) -> str:
        """Verdict on the claim that a plan truly gains more than another."""
        return verdict_above(self.gap(plan, other), 0.0)

    def to_frame(self) -> pd.DataFrame:
        """One row a plan over companies.

        Returns
        -------
        DataFrame
            plan; discounted (mean share of the customers); promised, gain, spent (means, currency a
            customer); lower, upper (95 % interval of the mean gain); gain_per_spent; attained
            (summed gain over the summed optimum); over_risk (companies in which it gains more than
            "most at risk first"); losses (companies in which it loses money); below_floor.
        """
        rows = []
        risk = self.gains(RISK)
        best = self.gains(BEST)
        for plan in self.plans:
            own = self.frame[self.frame["plan"] == plan]
            gain = self.gains(plan)
            mean = mean_over_companies(gain.to_numpy(), UNIT)
            rows.append(
                {
                    "plan": plan,
                    "discounted": float((own["discounted"] / own["customers"]).mean()),
                    "promised": float(own["promised"].mean()),
                    "gain": mean.estimate,
                    "lower": mean.lower,
                    "upper": mean.upper,
                    "spent": float(own["spent"].mean()),
                    "gain_per_spent": self.gains_per_spent(plan),
                    "attained": float(gain.sum() / best.sum()) if best.sum() > 0 else np.nan,
                    "over_risk": int((gain > risk).sum()),
                    "losses": int((gain < 0).sum()),
                    "below_floor": int(own["below_floor"].sum()),
                }
            )
        return pd.DataFrame(rows)

    def measures(self) -> pd.DataFrame:
        """Give the measure `discount_policy_value`: measure, group, estimate, lower, upper."""
        told = self.to_frame().rename(columns={"plan": "group", "gain": "estimate"})
        told.insert(0, "measure", "discount_policy_value")
        return told[["measure", "group", "estimate", "lower", "upper"]]

    def _repr_html_(self) -> str:
        said = [
            f"Simulated: {self.companies} companies of {self.settings.accounts:,} accounts; a "
            f"budget of {self.budget_share:.1%} of list value; true gains against no discount, "
            "currency a customer and year.",
            f"{UPLIFT} gains {self.gap()} more than {RISK}: {self.verdict()}.",
        ]
        table = self.to_frame().rename(columns={"lower": "gain from", "upper": "gain to"})
        return report_html("Discounts for accounts at risk, judged", said, {"Plans": table})


def judge_discounts(
    settings: DiscountPilotSettings | None = None,
    *,
    companies: int = FEWEST,
    first_seed: int = 501,
    budget_share: float = 0.03,
    progress: Progress | None = None,
) -> JudgedDiscounts:
    """Judge plans of discounts by the truth in many simulated companies.

    Parameters
    ----------
    settings : DiscountPilotSettings, optional
        The company and the pilot that plans are made from; left out, 1,000 accounts.
    companies : int
        How many; their seeds follow one another.
    first_seed : int
        Seed of the first.
    budget_share : float
        What discounts may cost, as a share of the yearly list value of the customers.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there is no company, or the budget is no share.

    Notes
    -----
    A company of 1,000 accounts takes about a second.  Plans keep to the budget even if all who
    get a discount stay; `spent` is what they truly hand out.
    """
    number = whole_number(companies, "companies", of="companies", least=1)
    if not 0 <= budget_share <= 1:
        raise ValueError(f"budget_share={budget_share!r}: a share of list value, 0 to 1, is needed")
    chosen = settings or DiscountPilotSettings()
    report = after_quiet(progress)
    rows: list[dict[str, Any]] = []
    pilots = []
    for done in range(number):
        pilot = discount_pilot(first_seed + done, chosen)
        pilots.append({"company": pilot.seed, **pilot.response.to_dict()})
        rows += _judged(pilot, budget_share)
        report(done + 1, number)
    return JudgedDiscounts(pd.DataFrame(rows), pd.DataFrame(pilots), chosen, budget_share)


def _judged(pilot: DiscountPilot, budget_share: float) -> list[dict[str, Any]]:
    """Make the plans in one company and count what they truly bring."""
    n = len(pilot.truth)
    budget = budget_share * float(pilot.customers["list_value"].sum())
    plans = discount_plans(pilot.options, budget)
    best = allocate_discounts(pilot.truth, budget)
    head = {"company": pilot.seed, "customers": n, "budget": budget / n}
    rows = []
    for name, plan in [*plans.items(), (BEST, best)]:
        gain, spent = pilot.truth.totals(plan.codes)
        given = np.flatnonzero(plan.codes)
        below = ~pilot.truth.allowed[given, plan.codes[given] - 1]
        row = {"plan": name, "discounted": plan.discounted, "promised": plan.gain / n}
        row |= {"gain": gain / n, "spent": spent / n, "attained": _share(gain, best.gain)}
        rows.append(head | row | {"below_floor": int(below.sum())})
    gain, spent = pilot.habit
    row = {"plan": TODAY, "discounted": n, "promised": np.nan, "gain": gain / n}
    row |= {"spent": spent / n, "attained": _share(gain, best.gain), "below_floor": 0}
    return [*rows, head | row]


def _share(gain: float, best: float) -> float:
    return gain / best if best > 0 else np.nan
