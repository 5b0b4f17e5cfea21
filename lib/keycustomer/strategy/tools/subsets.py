"""The six tools switched on and off: all 64 subsets, over simulated companies.

What does every combination of segmentation, dossier, service, pricing, channel and back office
bring?  :func:`tool_subsets` runs every company under all of them with the same random numbers, from
the first month of the window on, and tells profit, margin, revenue and churn as expected values.
Everything else on tools (:func:`tool_contributions`, :func:`tool_interactions`,
:func:`system_minus_sum`, :func:`introduction_order`) is computed from its result.

The companies are made up: how tools work together is written into the simulator, so that the
figures show what follows from it, not what is true of firms; :func:`interplay_origin` takes it out.

Source: Law, "Simulation Modeling and Analysis" (2015), section 11.2, on common random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.simulate import TOOLS, Parameters, Policy, compare_over_companies, policy_of_tools
from keycustomer.simulate.effects import PolicyComparison
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.coalitions import coalition_members, coalition_names, member_table
from keycustomer.strategy.tools.company_means import company_notes, interval_columns

MEASURES = ("profit", "margin", "revenue", "churn")
"""What subsets are judged by: currency over the window, and customers lost a month (share)."""

EVERYBODY = 2 ** len(TOOLS) - 1
"""Number of the subset of all tools."""


@dataclass(frozen=True, eq=False)
class ToolSubsets:
    """What every subset of the tools brings in every simulated company.

    Attributes
    ----------
    frame : DataFrame
        One row a company and subset, all 64 of them: company (its seed), subset (tools joined by
        " + ", or "none"), tools (how many), a column of bool a tool, profit, margin (before cost
        to serve) and revenue (expected, currency over the window), churn (expected leavers per
        month as a customer, share), profit_gain (share of the profit of business as usual; NaN
        where that is not positive).
    accounts, months : int
        Size and window of each company.
    tools : tuple of str
        The tools, in the order of the columns.
    notes : tuple of str
        What the figures are of.
    """

    frame: pd.DataFrame = field(repr=False)
    accounts: int
    months: int
    tools: tuple[str, ...] = TOOLS
    notes: tuple[str, ...] = ()
    simulated: bool = True

    @property
    def companies(self) -> list[int]:
        """Seeds of the companies."""
        return self.frame["company"].drop_duplicates().tolist()

    def worths(self, measure: str = "profit") -> FloatArray:
        """Give a measure by company and subset, shape (companies, 64), in the order of numbers.

        Parameters
        ----------
        measure : {"profit", "margin", "revenue", "churn"}
            Currency over the window, or customers lost a month (share).

        Raises
        ------
        KeyError
            When there is no such measure.
        """
        if measure not in MEASURES:
            raise KeyError(f"no measure {measure!r}; there is: {', '.join(MEASURES)}")
        values = self.frame[measure].to_numpy(dtype=float)
        return values.reshape(-1, 2 ** len(self.tools)).copy()

    def gains(self, measure: str = "profit") -> FloatArray:
        """Give what each subset changes against business as usual, shape (companies, 64).

        Parameters
        ----------
        measure : {"profit", "margin", "revenue", "churn"}
            Of amounts the change as a share of the usual amount (NaN in a company where that is
            not positive), of churn the change of the monthly rate.
        """
        worths = self.worths(measure)
        change = worths - worths[:, :1]
        if measure == "churn":
            return change
        usual = np.where(worths[:, :1] > 0, worths[:, :1], np.nan)
        return np.asarray(change / usual)

    def unit(self, measure: str = "profit") -> str:
        """Name the unit of :meth:`gains`."""
        if measure == "churn":
            return "share of customers a month"
        return f"share of the {measure} of business as usual"

    def means(self, measure: str = "profit") -> pd.DataFrame:
        """Mean gain of every subset over companies.

        Returns
        -------
        DataFrame
            One row a subset, largest gain first (churn: largest fall first): subset, tools, gain,
            gain_lower, gain_upper (95 %), churn (mean monthly rate).
        """
        columns = interval_columns(self.gains(measure), "gain", self.unit(measure))
        table = pd.DataFrame(
            {
                "subset": coalition_names(self.tools),
                "tools": member_table(len(self.tools)).sum(axis=1),
                **columns,
                "churn": self.worths("churn").mean(axis=0),
            }
        )
        return table.sort_values("gain", ascending=measure == "churn", ignore_index=True)

    @property
    def sentence(self) -> str:
        """What all tools, the best subset and the best single tool bring."""
        means = self.means()
        if means["gain"].isna().any():
            return "The profit of business as usual is not positive in every company: no shares."
        named = means.set_index("subset")["gain"]
        all_tools = named[coalition_names(self.tools)[-1]]
        single = means[means["tools"] == 1].iloc[0]
        best = means.iloc[0]
        more = (
            "no subset brings more"
            if best["tools"] == len(self.tools)
            else f"the best subset, {best['subset']}, brings {percent(best['gain'])}"
        )
        return (
            f"Over {len(self.companies)} simulated companies all {len(self.tools)} tools change "
            f"profit by {percent(all_tools)} of business as usual, the best single one "
            f"({single['subset']}) by {percent(single['gain'])}; {more}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a company and subset."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"{self.sentence} {'; '.join(self.notes)}."
        return sentence_html(said, self.means().head(10), numbers=",.4f")


def tool_subsets(
    companies: int = 20,
    accounts: int = 300,
    months: int = 36,
    first_seed: int = 1,
    *,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> ToolSubsets:
    """Simulate companies under every subset of the six tools.

    Parameters
    ----------
    companies : int
        How many; their seeds are `first_seed`, `first_seed` + 1, ...
    accounts, months : int
        Size and window of each; the tools hold from the first month on.
    first_seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with runs done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there is no company, or a number makes no sense.
    """
    policies = subset_policies(range(EVERYBODY + 1))
    compared = simulated_policies(
        policies, companies, accounts, months, first_seed, parameters, progress
    )
    frame = pd.concat([_company_rows(one) for one in compared], ignore_index=True)
    notes = company_notes(companies)
    losing = frame.loc[(frame["tools"] == 0) & (frame["profit"] <= 0), "company"]
    if len(losing):
        notes.append(f"{len(losing):,} without profit as usual: no shares there, none over all")
    return ToolSubsets(frame, accounts, months, TOOLS, tuple(notes))


def subset_policies(numbers: range | list[int]) -> dict[str, Policy]:
    """Policies of subsets of the tools by their number, as text."""
    members = coalition_members(TOOLS)
    return {str(number): policy_of_tools(members[number]) for number in numbers}


def simulated_policies(
    policies: dict[str, Policy],
    companies: int,
    accounts: int,
    months: int,
    first_seed: int,
    parameters: Parameters | None,
    progress: Progress | None,
) -> list[PolicyComparison]:
    """Run companies whose seeds follow one another under some policies.

    Raises
    ------
    ValueError
        When there is no company, or a number makes no sense.
    """
    if isinstance(companies, bool) or not isinstance(companies, int) or companies < 1:
        raise ValueError(f"companies={companies!r}: at least 1 must be simulated")
    return compare_over_companies(
        policies,
        range(first_seed, first_seed + companies),
        accounts,
        months,
        parameters=parameters,
        progress=after_quiet(progress),
    )


def policy_totals(compared: PolicyComparison) -> pd.DataFrame:
    """Add up what a company expects, a row a policy: profit, margin, revenue and churn.

    Churn is expected leavers over expected months as a customer, a share a month.
    """
    outcomes = list(compared.outcomes.values())
    totals = {
        name: [float(getattr(one, f"expected_{name}").sum()) for one in outcomes]
        for name in MEASURES[:3]
    }
    leavers = [float((1 - one.survival).sum()) for one in outcomes]
    months = [float(one.expected_months.sum()) for one in outcomes]
    return pd.DataFrame(totals | {"churn": np.divide(leavers, months)})


def _company_rows(compared: PolicyComparison) -> pd.DataFrame:
    """Rows of one company, all subsets in the order of their numbers."""
    members = member_table(len(TOOLS))
    totals = policy_totals(compared)
    usual = totals["profit"].iloc[0]
    gain = (totals["profit"] - usual) / (usual if usual > 0 else np.nan)
    return pd.DataFrame(
        {
            "company": compared.settings.seed,
            "subset": coalition_names(TOOLS),
            "tools": members.sum(axis=1),
            **{tool: members[:, place] for place, tool in enumerate(TOOLS)},
            **{name: totals[name] for name in MEASURES},
            "profit_gain": gain,
        }
    )
