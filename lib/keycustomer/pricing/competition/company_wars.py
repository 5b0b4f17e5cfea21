"""A competitors' price war on the simulated operator, with and without better service.

Question: rivals cut their prices; what does it cost us if we go on as today, hold our list prices
or follow them down, and does better service help (T4)?  :func:`war_with_service` runs the same
company, with the same chance, at peace and in the war, served as today and better, for each reply.

Two things must be kept apart.  Who is served well leaves less, war or no war, so that a war takes
less from a company that serves well even where service does nothing about price.  That is not a
lower price sensitivity.  Sensitivity is by how much the war raises the log-odds of leaving, of the
same accounts in the same months: only this tells whether buyers mind the price less.

All of it is simulated; what is told is the truth of the company, not an estimate from its tables.

Source: Law, "Simulation Modeling and Analysis" (2015), section 11.2, for common random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.simulate import (
    BackOffice,
    Company,
    Parameters,
    Policy,
    PricingRule,
    simulate_company,
)

Array = npt.NDArray[Any]

Service: TypeAlias = Policy | Callable[[Company], Policy]
"""Better service: a policy, or one made for a company as it is today."""

NO_WAR = {"prices.war_depth": 0.0, "churn.offers_war": 0.0, "discounts.war": 0.0}
"""Coefficients of a company at peace: no fall of prices, no offers and no discounts for it."""

TODAY, HOLD, FOLLOW = "as today", "hold prices", "follow"

REPLIES: dict[str, float | None] = {TODAY: None, HOLD: 0.0, FOLLOW: 1.0}
"""Share of the rivals' fall of prices that the own list follows, by reply."""

USUAL, BETTER = "as today", "better"
"""How accounts are served."""


@dataclass(frozen=True, eq=False)
class WarWithService:
    """A price war on a simulated company, by reply and service.

    Attributes
    ----------
    frame : DataFrame
        A row a reply and service: reply, service ("as today" or "better"), profit_at_peace,
        profit_in_war, loss (expected profit over the window, and what the war takes of it,
        currency), loss_share (of the profit at peace; NaN where that is not above 0),
        margin_loss_share (the same of the margin before cost to serve), last_year_in_war (profit
        of the last twelve months: what a reply leaves behind), survival_at_peace,
        survival_in_war (mean probability to be a customer after the window), sensitivity (rise of
        the log-odds of leaving by the war, mean over the same account-months).
    accounts, months, seed : int
        The company.
    service : str
        What better service is.
    """

    frame: pd.DataFrame
    accounts: int
    months: int
    seed: int
    service: str

    def row(self, reply: str = HOLD, service: str = USUAL) -> pd.Series:
        """Give the row of a reply and service.

        Raises
        ------
        KeyError
            When there is none.
        """
        chosen = self.frame[(self.frame["reply"] == reply) & (self.frame["service"] == service)]
        if chosen.empty:
            told = ", ".join(map(repr, self.frame["reply"].drop_duplicates()))
            raise KeyError(f"no row of reply {reply!r} and service {service!r}; replies: {told}")
        return chosen.iloc[0]

    def sensitivity_shift(self, reply: str = HOLD) -> float:
        """Tell by what share better service lowers the sensitivity to the war.

        NaN where the war does not raise leaving: there is no sensitivity to lower.
        """
        before = float(self.row(reply)["sensitivity"])
        after = float(self.row(reply, BETTER)["sensitivity"])
        return 1 - after / before if before > 0 else float("nan")

    @property
    def best_reply(self) -> str:
        """Reply with the largest profit in the war over the window, served as today.

        Who holds its prices keeps its margin and loses customers, who are missing after the
        window too; `last_year_in_war` and `survival_in_war` tell what is left.
        """
        usual = self.frame[self.frame["service"] == USUAL]
        return str(usual["reply"].iloc[int(usual["profit_in_war"].argmax())])

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        best = self.row(self.best_reply)
        said = (
            f"Simulated: {self.accounts:,} accounts, {self.months} months. Served as today, the "
            f"cheapest reply to the price war is {self.best_reply!r}: it costs "
            f"{best['loss']:,.0f}, {percent(best['loss_share'])} of the profit at peace, and "
            f"{percent(best['survival_in_war'])} of the accounts are customers at the end, "
            f"{percent(best['survival_at_peace'])} at peace. Better service: {self.service}."
        )
        return sentence_html(said, self.frame, numbers=",.4g")


def war_with_service(
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    start: str = "2023-01",
    service: Service | None = None,
    replies: Sequence[str] = tuple(REPLIES),
    parameters: Parameters | None = None,
) -> WarWithService:
    """Tell what a price war costs a simulated company, by reply and service.

    Parameters
    ----------
    accounts, months, seed, start
        The company, see :func:`keycustomer.simulate.simulate_company`.
    service : Policy or callable, optional
        Better service: a policy, or a function that makes one for the company as it is today; left
        out, :func:`one_level_closer`.
    replies : sequence of str
        Out of "as today" (list prices follow late and part of the way), "hold prices" and
        "follow".
    parameters : Parameters, optional
        True coefficients; left out, those of the course.

    Raises
    ------
    ValueError
        When a reply is unknown, the service sets prices, or the window ends before the war.
    """
    unknown = [reply for reply in replies if reply not in REPLIES]
    if unknown or not replies:
        raise ValueError(f"replies={tuple(replies)!r}: choose from {', '.join(map(repr, REPLIES))}")
    war = parameters or Parameters()
    if not months > war.prices.war_starts:
        raise ValueError(
            f"months={months}: the price war begins after {war.prices.war_starts} months; take a "
            "longer window, or parameters with an earlier war (prices.war_starts)"
        )
    size: dict[str, Any] = {"accounts": accounts, "months": months, "seed": seed, "start": start}
    better = _better(simulate_company(**size, parameters=war), service)
    rows = [row for reply in replies for row in _rows(size, war, better, reply)]
    return WarWithService(pd.DataFrame(rows), accounts, months, seed, better.name)


def one_level_closer(company: Company) -> Policy:
    """Give every account one relationship level more than today, delivered as promised."""
    levels = np.minimum(company.accounts.level + 1, 4)
    return Policy("one level closer, delivered", levels=levels, back_office=BackOffice())


def _better(company: Company, service: Service | None) -> Policy:
    given = one_level_closer if service is None else service
    policy = given if isinstance(given, Policy) else given(company)
    if policy.pricing is not None or np.any(policy.discount) or policy.list_price:
        raise ValueError(
            f"service={policy.name!r} sets prices too: leave pricing, discount and list_price out, "
            "so that service alone differs"
        )
    return policy


def _rows(
    size: dict[str, Any], war: Parameters, better: Policy, reply: str
) -> list[dict[str, Any]]:
    """Rows of one reply: served as today, and better."""
    peace = war.but(NO_WAR)
    runs = {
        name: [
            simulate_company(**size, policy=_replying(policy, reply), parameters=one)
            for one in (peace, war)
        ]
        for name, policy in ((USUAL, Policy()), (BETTER, better))
    }
    there = np.all([run.panel.active for pair in runs.values() for run in pair], axis=0)
    there[: war.prices.war_starts] = False
    return [
        {"reply": reply, "service": name} | _figures(calm, fought, there)
        for name, (calm, fought) in runs.items()
    ]


def _replying(policy: Policy, reply: str) -> Policy:
    """Policy with a reply to the war added; discounts stay as today, but not below cost."""
    following = REPLIES[reply]
    if following is None:
        return policy
    names = [one for one in Policy.__dataclass_fields__ if one != "pricing"]
    rule = PricingRule("habit", floor=0.0, following=following)
    return Policy(**{name: getattr(policy, name) for name in names}, pricing=rule)


def _figures(calm: Company, fought: Company, there: Array) -> dict[str, float]:
    profits = [float(one.outcome.expected_profit.sum()) for one in (calm, fought)]
    margins = [float(one.outcome.expected_margin.sum()) for one in (calm, fought)]
    stay = [float(one.outcome.survival.mean()) for one in (calm, fought)]
    return {
        "profit_at_peace": profits[0],
        "profit_in_war": profits[1],
        "loss": profits[0] - profits[1],
        "loss_share": 1 - profits[1] / profits[0] if profits[0] > 0 else float("nan"),
        "last_year_in_war": float(fought.outcome.expected_last_year.sum()),
        "margin_loss_share": 1 - margins[1] / margins[0],
        "survival_at_peace": stay[0],
        "survival_in_war": stay[1],
        "sensitivity": _log_odds(fought, there) - _log_odds(calm, there),
    }


def _log_odds(company: Company, there: Array) -> float:
    """Mean log-odds to leave over some account-months; NaN where there are none."""
    hazard = company.panel.hazard[there].astype(float)
    if not hazard.size:
        return float("nan")
    return float(np.mean(np.log(hazard / (1 - hazard))))
