"""Where the interplay of the tools comes from: built into the simulator, and what is left without.

Is "a system, not a sum" found, or put in?  In the simulated operator the tools meet by rules that
somebody wrote: value is known and risk sensed as well as the archive is kept, a closer level is
felt as far as it is delivered, contacts sell and please, who is kept goes on buying.
:func:`interplay_origin` computes :func:`keycustomer.strategy.system_minus_sum` again in companies
in which these links are cut, one by one and all at once, with the same random numbers, and tells by
how much it falls.  What is left when all are cut comes from multiplication alone.

So the verdict on T7 is one on this simulator.  A firm would have to try, see
:func:`keycustomer.strategy.tool_experiment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.simulate import TOOLS, BackOffice, Parameters
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.company_means import company_mean, company_notes, interval_columns
from keycustomer.strategy.tools.subsets import (
    EVERYBODY,
    policy_totals,
    simulated_policies,
    subset_policies,
)

AS_IT_IS, ALL = "as it is", "all of these"

LINKS: dict[str, dict[str, Any]] = {
    "archive kept anyway": {"service.archive": BackOffice().archive},
    "levels delivered anyway": {"service.delivery": BackOffice().delivery},
    "contacts move nobody": {
        "service.contact_social": 0.0,
        "service.contact_functional": 0.0,
        "demand.adoption_contact": 0.0,
    },
    "nothing new taken up": {"demand.adoption": 0.0},
    "nobody leaves": {"churn.scale": 0.0},
    "good service softens no price": {"churn.differentiation": 0.0},
}
"""Links by which tools meet, as the coefficients (`Parameters.but`) that cut them."""

UNIT = "share of the profit of business as usual"


@dataclass(frozen=True, eq=False)
class InterplayOrigin:
    """What the tools bring beyond the sum of their single gains, with links cut.

    Attributes
    ----------
    frame : DataFrame
        One row a company as it is, with a link cut, and with all cut: without (which link),
        together (gain of all tools) and apart (sum of single gains), beyond (the difference) with
        beyond_lower and beyond_upper, fall (by how much `beyond` falls against companies as they
        are, company by company) with fall_lower and fall_upper; shares of the usual profit, which
        is that under the same coefficients.
    companies : DataFrame
        One row a link and company: without, company, beyond.
    links : dict of str to dict
        Coefficients that cut each link.
    """

    frame: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    links: dict[str, dict[str, Any]] = field(repr=False)
    notes: tuple[str, ...] = ()
    simulated: bool = True

    def of(self, without: str = ALL) -> Estimate:
        """Take the sum of single gains off what all bring, with a link cut.

        Parameters
        ----------
        without : str
            A link, "as it is" for none, "all of these" for all.

        Raises
        ------
        KeyError
            When there is no such link.
        """
        return company_mean(self._beyond(without), UNIT)

    def fall(self, without: str = ALL) -> Estimate:
        """By how much it falls when a link is cut, company by company.

        Parameters
        ----------
        without : str
            As in :meth:`of`.
        """
        return company_mean(self._beyond(AS_IT_IS) - self._beyond(without), UNIT)

    def _beyond(self, without: str) -> FloatArray:
        rows = self.companies[self.companies["without"] == without]
        if rows.empty:
            raise KeyError(
                f"no link {without!r}; there is: {', '.join(map(repr, self.frame['without']))}"
            )
        return rows["beyond"].to_numpy(dtype=float)

    @property
    def sentence(self) -> str:
        """What is left with all links cut, and which link matters most."""
        whole, left = self.of(AS_IT_IS), self.of(ALL)
        single = self.frame[~self.frame["without"].isin([AS_IT_IS, ALL])]
        if single["fall"].isna().any():
            return "The profit of business as usual is not positive in every company: no shares."
        most = single.iloc[int(single["fall"].argmax())]
        return (
            f"Together the tools bring {whole.as_percent()} of the usual profit beyond the sum of "
            f"each alone; with all {len(single)} links cut, {left.as_percent()}. Most is lost with "
            f"{most['without']!r}, {percent(most['fall'])}. The interplay was written into the "
            "simulator: the verdict is one on this made-up company."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a link."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        return sentence_html(
            f"{self.sentence} {'; '.join(self.notes)}.", self.frame, numbers=",.3f"
        )


def interplay_origin(
    companies: int = 20,
    accounts: int = 300,
    months: int = 36,
    first_seed: int = 1,
    *,
    links: Mapping[str, Mapping[str, Any]] | None = None,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> InterplayOrigin:
    """Tell how much of the interplay of the tools is left when the links between them are cut.

    Parameters
    ----------
    companies, accounts, months, first_seed, parameters
        The companies, see :func:`keycustomer.strategy.tool_subsets`.
    links : mapping of str to mapping, optional
        Coefficients to change, by the name of what they cut; left out, `LINKS`.
    progress : callable, optional
        Called with runs done and in all, once the work has taken two seconds.

    Raises
    ------
    KeyError
        When a coefficient does not exist.
    ValueError
        When there is no company or no link.
    """
    cut = {name: dict(changes) for name, changes in (LINKS if links is None else links).items()}
    if not cut or {AS_IT_IS, ALL} & set(cut):
        raise ValueError(f"links: give at least one, named other than {AS_IT_IS!r} and {ALL!r}")
    together = {name: value for changes in cut.values() for name, value in changes.items()}
    base = parameters or Parameters()
    policies = subset_policies([0, *(1 << n for n in range(len(TOOLS))), EVERYBODY])
    gains: dict[str, FloatArray] = {}
    variants: dict[str, dict[str, Any]] = {AS_IT_IS: {}} | cut | {ALL: together}
    for number, (name, changes) in enumerate(variants.items()):
        compared = simulated_policies(
            policies,
            companies,
            accounts,
            months,
            first_seed,
            base.but(changes),
            _part(progress, number, len(variants)),
        )
        gains[name] = np.array([_gains(policy_totals(one)["profit"]) for one in compared])
    seeds = range(first_seed, first_seed + companies)
    return _origin(gains, list(seeds), cut)


def _part(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """Report one of several equal parts of the work."""
    if progress is None:
        return None
    return lambda done, whole: progress(number * whole + done, parts * whole)


def _gains(profit: pd.Series) -> FloatArray:
    """Gains of the single tools and of all, as shares of the usual profit, shape (7,)."""
    worth = profit.to_numpy(dtype=float)
    return np.asarray((worth[1:] - worth[0]) / (worth[0] if worth[0] > 0 else np.nan))


def _origin(
    gains: dict[str, FloatArray], seeds: list[int], links: dict[str, dict[str, Any]]
) -> InterplayOrigin:
    """Put the result together from gains by link, shape (companies, 7) each."""
    beyond = {name: one[:, -1] - one[:, :-1].sum(axis=1) for name, one in gains.items()}
    stacked = np.column_stack(list(beyond.values()))
    frame = pd.DataFrame(
        {
            "without": list(gains),
            "together": [float(one[:, -1].mean()) for one in gains.values()],
            "apart": [float(one[:, :-1].sum(axis=1).mean()) for one in gains.values()],
            **interval_columns(stacked, "beyond", UNIT),
            **interval_columns(stacked[:, :1] - stacked, "fall", UNIT),
        }
    )
    companies = pd.DataFrame(
        {
            "without": np.repeat(list(gains), len(seeds)),
            "company": np.tile(seeds, len(gains)),
            "beyond": stacked.T.ravel(),
        }
    )
    return InterplayOrigin(frame, companies, links, tuple(company_notes(len(seeds))))
