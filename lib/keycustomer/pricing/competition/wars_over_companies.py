"""Better service and the sensitivity to a price war, over many simulated companies (T4).

Question: does better service make buyers mind a price war less, not in one company but in most?
:func:`judge_wars` fights the same war on companies with different seeds, served as today and
better, and gives verdicts by rules that were fixed before: the claim is supported when the 95 %
interval of the mean over companies lies wholly above 0, not supported when it lies at or below 0,
undecided otherwise.

The verdict on T4 is on the sensitivity, not on the loss: in a company in which service does
nothing about price (``Parameters().but({"churn.differentiation": 0})``) the war still takes less
margin from who serves better, since fewer leave anyway, and that must not count as support.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.competition.company_wars import (
    BETTER,
    HOLD,
    USUAL,
    Service,
    war_with_service,
)
from keycustomer.relationships.many_companies import FEWEST, mean_over_companies
from keycustomer.simulate import Parameters
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet
from keycustomer.stats.estimate import verdict_above


@dataclass(frozen=True, eq=False)
class WarsOverCompanies:
    """The same price war on many simulated companies, served as today and better.

    Attributes
    ----------
    frame : DataFrame
        A row a company: company (its seed), then for today's and for better service
        sensitivity_... (rise of the log-odds of leaving by the war), loss_... (profit the war
        takes, currency an account), margin_loss_share_... (share of margin), each ending in
        usual and better; profit_gain_at_peace and profit_gain_in_war (what better service adds
        to the profit, currency an account).
    reply : str
        How the companies reply.
    service : str
        What better service is.
    accounts, months : int
        Size of each company.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    reply: str
    service: str
    accounts: int
    months: int
    notes: tuple[str, ...] = ()

    @property
    def companies(self) -> int:
        """Number of companies."""
        return len(self.frame)

    def sensitivity_lowered(self, *, draws: int = 1000, seed: Seed = 0) -> Estimate:
        """By how much better service lowers the war's effect on the log-odds of leaving."""
        lowered = self.frame["sensitivity_usual"] - self.frame["sensitivity_better"]
        return _mean(lowered, "log-odds", draws, seed)

    def share_lowered(self, *, draws: int = 1000, seed: Seed = 0) -> Estimate:
        """Tell the same as a share of the sensitivity of today, mean over companies."""
        ratio = self.frame["sensitivity_better"] / self.frame["sensitivity_usual"]
        return _mean(1 - ratio, "share of sensitivity", draws, seed)

    def loss_saved(self, *, draws: int = 1000, seed: Seed = 0) -> Estimate:
        """How much less profit the war takes where service is better, currency an account."""
        saved = self.frame["loss_usual"] - self.frame["loss_better"]
        return _mean(saved, "currency an account", draws, seed)

    def profit_gain(self, *, draws: int = 1000, seed: Seed = 0) -> Estimate:
        """Tell what better service adds to the profit in the war, less its cost, an account."""
        return _mean(self.frame["profit_gain_in_war"], "currency an account", draws, seed)

    @property
    def verdict(self) -> str:
        """Whether better service lowers price sensitivity: supported, not supported, undecided."""
        return verdict_above(self.sensitivity_lowered(), 0.0)

    @property
    def saving_verdict(self) -> str:
        """Whether the war takes less profit where service is better."""
        return verdict_above(self.loss_saved(), 0.0)

    @property
    def paying_verdict(self) -> str:
        """Whether better service pays in the war, its cost taken off."""
        return verdict_above(self.profit_gain(), 0.0)

    def summary(self) -> pd.DataFrame:
        """Sum up: claim, estimate, lower, upper, unit, verdict."""
        rows = [
            ("better service lowers sensitivity", self.sensitivity_lowered(), self.verdict),
            ("the war takes less profit", self.loss_saved(), self.saving_verdict),
            ("better service pays in the war", self.profit_gain(), self.paying_verdict),
        ]
        told = [
            {
                "claim": claim,
                "estimate": one.estimate,
                "lower": one.lower,
                "upper": one.upper,
                "unit": one.unit,
                "verdict": verdict,
            }
            for claim, one, verdict in rows
        ]
        return pd.DataFrame(told)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts and "
            f"{self.months} months, reply {self.reply!r}, better service: {self.service}. It "
            f"lowers the sensitivity to the price war by {self.share_lowered().as_percent()}: "
            f"{self.verdict}. {' '.join(self.notes)}"
        )
        return sentence_html(said, self.summary(), numbers=",.4g")


def judge_wars(
    companies: int = 20,
    accounts: int = 300,
    months: int = 36,
    first_seed: int = 1,
    *,
    reply: str = HOLD,
    service: Service | None = None,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> WarsOverCompanies:
    """Fight the same price war on many simulated companies.

    Parameters
    ----------
    companies : int
        How many, at least 2; their seeds follow one another.
    accounts, months, first_seed : int
        Size of each, and the first seed.
    reply : {"as today", "hold prices", "follow"}
        How they reply.  Only who holds its price is dearer than its rivals, so that there is
        something to mind.
    service : Policy or callable, optional
        Better service, see :func:`war_with_service`.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with companies done and in all.

    Raises
    ------
    ValueError
        When there are too few companies, or an argument of a war makes no sense.
    """
    companies = whole_number(companies, "companies", of="companies", least=2)
    report, rows, better = after_quiet(progress), [], ""
    for done in range(companies):
        seed = first_seed + done
        war = war_with_service(
            accounts, months, seed, service=service, replies=[reply], parameters=parameters
        )
        better = war.service
        told = _row(war.row(reply, USUAL), war.row(reply, BETTER), accounts)
        rows.append({"company": seed} | told)
        report(done + 1, companies)
    few = f"Fewer than {FEWEST} companies: too few for a verdict to rest on."
    notes = (few,) if companies < FEWEST else ()
    return WarsOverCompanies(pd.DataFrame(rows), reply, better, accounts, months, notes)


def _row(usual: pd.Series, better: pd.Series, accounts: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, row in (("usual", usual), ("better", better)):
        figures[f"sensitivity_{name}"] = row["sensitivity"]
        figures[f"loss_{name}"] = row["loss"] / accounts
        figures[f"margin_loss_share_{name}"] = row["margin_loss_share"]
    for state in ("at_peace", "in_war"):
        gain = better[f"profit_{state}"] - usual[f"profit_{state}"]
        figures[f"profit_gain_{state}"] = gain / accounts
    return figures


def _mean(column: pd.Series, unit: str, draws: int, seed: Seed) -> Estimate:
    return mean_over_companies(column.to_numpy(dtype=float), unit, draws=draws, seed=seed)
