"""What the price war truly took in a simulated company: the same company without it.

Question: of the margin lost to own prices, how much is the war?  :func:`true_war` runs a simulated
company again, with the same chance, in a market in which competitors' prices do not fall, managers
do not deepen discounts for it and competitors make no more offers than before, and tells what the
war took: margin rate, customers, profit.

The diagnosis cannot know this: it sees own prices fall for whatever reason (list prices of the
operator erode by a percent a year without any war), and it does not see the customers that the war
took.  All of it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.rendering import made_up_note, percent, report_html
from keycustomer.simulate import Company, Parameters, simulate_company

PEACE = {"prices.war_depth": 0.0, "discounts.war": 0.0, "churn.offers_war": 0.0}
"""Coefficients of a market without a price war."""

YEAR = 12


@dataclass(frozen=True, eq=False)
class TrueWar:
    """What a price war took in a simulated company.

    Attributes
    ----------
    frame : DataFrame
        measure (margin rate of the last year, share of revenue; accounts gone by the end, share;
        profit, EUR an account over the window), without, with, change (by the war).
    simulated : bool
        Always true.
    """

    frame: pd.DataFrame
    simulated: bool = True

    @property
    def lost_margin(self) -> float:
        """Margin rate of the last year that the war took, share of revenue."""
        return -self.of("margin rate")["change"]

    def of(self, measure: str) -> dict[str, float]:
        """Give a measure without and with the war, and its change.

        Raises
        ------
        KeyError
            When there is no such measure.
        """
        own = self.frame[self.frame["measure"] == measure]
        if own.empty:
            raise KeyError(f"no {measure!r}; there is: {', '.join(self.frame['measure'])}")
        return {name: float(own[name].iloc[0]) for name in ("without", "with", "change")}

    @property
    def sentence(self) -> str:
        """The truth in words."""
        gone = self.of("accounts gone")
        return (
            f"In truth the price war took {100 * self.lost_margin:.1f} points of the last year's "
            f"margin rate, and {percent(gone['with'])} of the accounts are gone by the end instead "
            f"of {percent(gone['without'])}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [*made_up_note(True), f"{self.sentence}."]
        return report_html("What the price war took", said, {"With and without": self.frame})


def true_war(
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    parameters: Parameters | None = None,
) -> TrueWar:
    """Tell what the price war takes in a simulated company.

    Parameters
    ----------
    accounts, months, seed
        The company, see :func:`keycustomer.simulate.simulate_company`.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.

    Raises
    ------
    ValueError
        When the window is shorter than a year.
    """
    if months < YEAR:
        raise ValueError(f"months={months!r}: a year is needed for the margin rate of the last one")
    truth = parameters or Parameters()
    war, peace = (
        _measured(simulate_company(accounts, months, seed, parameters=one))
        for one in (truth, truth.but(PEACE))
    )
    rows = [
        {
            "measure": name,
            "without": peace[name],
            "with": war[name],
            "change": war[name] - peace[name],
        }
        for name in war
    ]
    return TrueWar(pd.DataFrame(rows))


def _measured(company: Company) -> dict[str, float]:
    panel, outcome = company.panel, company.outcome
    last = slice(panel.months - YEAR, None)
    revenue, goods = (float(one[last].sum()) for one in (panel.revenue, panel.goods_cost))
    return {
        "margin rate": 1 - goods / revenue,
        "accounts gone": float(1 - outcome.survival.mean()),
        "profit": float(outcome.expected_profit.mean()),
    }
