"""What each tool contributes: on average over all orders, alone, and as the last one.

What is a tool worth where others are in use?  :func:`tool_contributions` gives the Shapley value of
every tool (they add up to what all tools bring), beside what it brings alone, with nothing else in
use, and what it adds as the last one.  A tool that adds more as the last one than alone lives on
the others; what a tool brings alone is no measure of what the system would lose without it.

The sharing rests on equal chances of all orders; it is a convention of fairness, and no forecast.

Source: Shapley (1953), see :mod:`keycustomer.strategy.tools.games`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.stats import Estimate
from keycustomer.strategy.tools.company_means import company_mean, interval_columns
from keycustomer.strategy.tools.games import shapley_values
from keycustomer.strategy.tools.subsets import ToolSubsets

PARTS = ("shapley", "alone", "last", "last_less_alone")


@dataclass(frozen=True, eq=False)
class ToolContributions:
    """Contributions of the tools, means over companies with 95 % intervals.

    Attributes
    ----------
    frame : DataFrame
        One row a tool, largest Shapley value first (of churn: largest fall first): tool, shapley,
        alone (against no tool), last (all tools against all but this one) and last_less_alone,
        each with ..._lower and ..._upper; in `unit`.
    companies : DataFrame
        One row a company and tool: company, tool, shapley, alone, last, last_less_alone.
    measure, unit : str
        What is contributed to, and the unit.
    """

    frame: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    measure: str
    unit: str
    notes: tuple[str, ...] = ()
    simulated: bool = True

    def of(self, tool: str, part: str = "shapley") -> Estimate:
        """Contribution of a tool.

        Parameters
        ----------
        tool : str
            One of `simulate.TOOLS`.
        part : {"shapley", "alone", "last", "last_less_alone"}
            Which.

        Raises
        ------
        KeyError
            When there is no such tool or part.
        """
        rows = self.companies[self.companies["tool"] == tool]
        if part not in PARTS or rows.empty:
            raise KeyError(
                f"no {part!r} of {tool!r}; tools: {', '.join(self.frame['tool'])}; parts: "
                f"{', '.join(PARTS)}"
            )
        return company_mean(rows[part].to_numpy(dtype=float), self.unit)

    @property
    def sentence(self) -> str:
        """Name the largest contribution and the tools that live on the others."""
        best = self.frame.iloc[0]
        number = _written(best["shapley"], self.measure)
        depending = self.frame.loc[self.frame["last_less_alone_lower"] > 0, "tool"]
        fading = self.frame.loc[self.frame["last_less_alone_upper"] < 0, "tool"]
        if self.measure == "churn":
            fewer = self.frame.loc[self.frame["shapley_upper"] < 0, "tool"]
            more = self.frame.loc[self.frame["shapley_lower"] > 0, "tool"]
            return (
                f"Churn is lowered by {', '.join(fewer) or 'no tool'}, raised by "
                f"{', '.join(more) or 'none'}; lowered most by {best['tool']}, {number}."
            )
        said = f"{best['tool'].capitalize()} contributes most, {number}"
        if len(depending):
            said += f"; worth more as the last tool than alone: {', '.join(depending)}"
        if len(fading):
            said += f"; worth less: {', '.join(fading)}"
        if len(depending) or len(fading):
            said += f" (each told by its own 95 % interval, {len(self.frame)} of them)"
        return f"{said}."

    def to_frame(self) -> pd.DataFrame:
        """One row a tool."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        digits = ",.5f" if self.measure == "churn" else ",.3f"
        said = f"{self.sentence} In {self.unit}; {'; '.join(self.notes)}."
        return sentence_html(said, self.frame, numbers=digits)


def tool_contributions(subsets: ToolSubsets, measure: str = "profit") -> ToolContributions:
    """Share what all tools bring among them.

    Parameters
    ----------
    subsets : ToolSubsets
        From :func:`keycustomer.strategy.tool_subsets`.
    measure : {"profit", "margin", "revenue", "churn"}
        What is shared: of amounts the gain as a share of the usual amount, of churn the change of
        the monthly rate.

    Raises
    ------
    KeyError
        When there is no such measure.
    """
    gains, unit = subsets.gains(measure), subsets.unit(measure)
    parts = dict(zip(PARTS, _parts(gains, subsets.tools), strict=True))
    frame = pd.DataFrame({"tool": subsets.tools})
    for name, values in parts.items():
        frame = frame.assign(**interval_columns(values, name, unit))
    frame = frame.sort_values("shapley", ascending=measure == "churn", ignore_index=True)
    companies = pd.DataFrame(
        {
            "company": np.repeat(subsets.companies, len(subsets.tools)),
            "tool": np.tile(np.array(subsets.tools, dtype=object), len(gains)),
            **{name: values.ravel() for name, values in parts.items()},
        }
    )
    return ToolContributions(frame, companies, measure, unit, subsets.notes)


def _parts(gains: np.ndarray, tools: tuple[str, ...]) -> list[np.ndarray]:
    """Shapley values, gains alone, as the last one, and the difference, (companies, tools)."""
    single = 1 << np.arange(len(tools))
    known = np.isfinite(gains).all(axis=1)
    shapley = np.full((len(gains), len(tools)), np.nan)
    if known.any():
        shapley[known] = shapley_values(gains[known], tools)
    alone = gains[:, single]
    last = gains[:, -1:] - gains[:, gains.shape[1] - 1 - single]
    return [shapley, alone, last, last - alone]


def _written(value: float, measure: str) -> str:
    if measure == "churn":
        return f"{100 * value:+.2f} percentage points a month"
    return f"{percent(value)} of the usual {measure}"
