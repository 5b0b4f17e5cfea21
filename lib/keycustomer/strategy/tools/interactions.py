"""Which tools work together, pair by pair.

Does a tool bring more where another is in use?  :func:`tool_interactions` gives the Shapley
interaction index of every pair over companies: above 0 the two complement each other, averaged over
what else is in use, below 0 they replace each other.  Six tools make fifteen pairs: at 95 % each,
0.75 of fifteen pairs without interaction would look as if they had one, so that a pair is called by
an interval wide enough for all fifteen together (Bonferroni), with its own interval beside it.

Sources: Grabisch & Roubens (1999), International Journal of Game Theory 28, 547-565; Dunn (1961),
Journal of the American Statistical Association 56, 52-64, for intervals that hold together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.stats import Estimate
from keycustomer.strategy.tools.company_means import company_mean, interval_columns
from keycustomer.strategy.tools.games import interaction_index
from keycustomer.strategy.tools.subsets import ToolSubsets

COMPLEMENT, REPLACE, OPEN = "complement", "replace each other", "open"
"""What a pair is called: its joint interval above 0, below 0, or on both sides."""

LEVEL = 0.95
"""Confidence of a pair's own interval, and of all joint intervals together."""


@dataclass(frozen=True, eq=False)
class ToolInteractions:
    """Interaction of every pair of tools, means over companies.

    Attributes
    ----------
    frame : DataFrame
        One row a pair, largest index first: pair ("a + b"), first, second, index with index_lower
        and index_upper (95 % for this pair alone), joint_lower and joint_upper (95 % for all pairs
        together), relation ("complement", "replace each other", "open", by the joint interval);
        in `unit`.
    companies : DataFrame
        One row a company and pair: company, pair, index.
    tools : tuple of str
        The tools, in their order.
    measure, unit : str
        What the tools work on, and the unit.
    chance_findings : float
        Pairs that would be expected to look as if they interacted, by their own intervals, if none
        did.
    """

    frame: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    tools: tuple[str, ...]
    measure: str
    unit: str
    chance_findings: float
    notes: tuple[str, ...] = ()
    simulated: bool = True

    def of(self, first: str, second: str) -> Estimate:
        """Interaction of two tools, in either order.

        Raises
        ------
        KeyError
            When there is no such pair.
        """
        for row in self.frame.to_dict("records"):
            if {row["first"], row["second"]} == {first, second}:
                rows = self.companies[self.companies["pair"] == row["pair"]]
                return company_mean(rows["index"].to_numpy(dtype=float), self.unit)
        raise KeyError(
            f"no pair of {first!r} and {second!r}; pairs: {', '.join(self.frame['pair'])}"
        )

    def matrix(self) -> pd.DataFrame:
        """Index by the two tools, symmetric, NaN on the diagonal."""
        table = pd.DataFrame(np.nan, index=list(self.tools), columns=list(self.tools))
        for row in self.frame.to_dict("records"):
            table.loc[row["first"], row["second"]] = row["index"]
            table.loc[row["second"], row["first"]] = row["index"]
        return table

    @property
    def sentence(self) -> str:
        """Count the pairs that interact, and name the strongest."""
        counts = self.frame["relation"].value_counts()
        if self.frame["index"].isna().any():
            return f"Interactions of {len(self.frame)} pairs are not known: no usual profit."
        strongest = self.frame.iloc[int(self.frame["index"].abs().argmax())]
        size = (
            f"{100 * strongest['index']:+.3f} points a month"
            if self.measure == "churn"
            else f"{percent(strongest['index'])} of the usual {self.measure}"
        )
        return (
            f"Of {len(self.frame)} pairs {counts.get(COMPLEMENT, 0)} complement each other, "
            f"{counts.get(REPLACE, 0)} replace each other and {counts.get(OPEN, 0)} are open, told "
            f"by intervals that hold for all pairs together; strongest: {strongest['pair']} "
            f"({size}). By their own intervals {self.chance_findings:.2g} pairs would be expected "
            "to stand out if none interacted."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a pair."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        digits = ",.6f" if self.measure == "churn" else ",.4f"
        said = f"{self.sentence} In {self.unit}; {'; '.join(self.notes)}."
        return sentence_html(said, self.frame.drop(columns=["first", "second"]), numbers=digits)


def tool_interactions(subsets: ToolSubsets, measure: str = "profit") -> ToolInteractions:
    """Tell which pairs of tools bring more, or less, together than each for itself.

    Parameters
    ----------
    subsets : ToolSubsets
        From :func:`keycustomer.strategy.tool_subsets`.
    measure : {"profit", "margin", "revenue", "churn"}
        What they work on; an index above 0 raises it, which is good for amounts and bad for churn.

    Raises
    ------
    KeyError
        When there is no such measure.
    """
    tools, unit = subsets.tools, subsets.unit(measure)
    pairs = list(combinations(range(len(tools)), 2))
    index = _pair_values(subsets.gains(measure), tools, pairs)
    joint_level = 1 - (1 - LEVEL) / len(pairs)
    joint = interval_columns(index, "joint", unit, level=joint_level)
    frame = pd.DataFrame(
        {
            "pair": [f"{tools[a]} + {tools[b]}" for a, b in pairs],
            "first": [tools[a] for a, _ in pairs],
            "second": [tools[b] for _, b in pairs],
            **interval_columns(index, "index", unit),
            "joint_lower": joint["joint_lower"],
            "joint_upper": joint["joint_upper"],
        }
    )
    frame["relation"] = np.select(
        [frame["joint_lower"] > 0, frame["joint_upper"] < 0], [COMPLEMENT, REPLACE], OPEN
    )
    companies = pd.DataFrame(
        {
            "company": np.repeat(subsets.companies, len(pairs)),
            "pair": np.tile(frame["pair"].to_numpy(dtype=object), len(index)),
            "index": index.ravel(),
        }
    )
    frame = frame.sort_values("index", ascending=False, ignore_index=True)
    expected = (1 - LEVEL) * len(pairs)
    return ToolInteractions(frame, companies, tools, measure, unit, expected, subsets.notes)


def _pair_values(
    gains: np.ndarray, tools: tuple[str, ...], pairs: list[tuple[int, int]]
) -> np.ndarray:
    """Index of every pair, shape (companies, pairs); NaN in companies without shares."""
    known = np.isfinite(gains).all(axis=1)
    values = np.full((len(gains), len(pairs)), np.nan)
    if known.any():
        table = interaction_index(gains[known], tools)
        values[known] = np.column_stack([table[:, a, b] for a, b in pairs])
    return values
