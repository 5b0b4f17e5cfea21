"""What levels of attributes are worth in money, by group, with sums and differences of worths.

:class:`WillingnessToPay` is the result of :func:`keycustomer.pricing.willingness_to_pay`: a row a
level, the single worth as an estimate (:meth:`WillingnessToPay.of`), several levels together
(:meth:`WillingnessToPay.total`) and two groups against each other
(:meth:`WillingnessToPay.difference`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.choice.group_rows import rows_of_group
from keycustomer.pricing.choice.logit import EVERYBODY, interval_quantile
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Method = Literal["delta", "krinsky-robb", "fieller"]

PER_UNIT = "one more"
"""Level of attributes that are numbers."""


def _told(worth: float) -> str:
    """Write a worth to the cent, or to three digits where it is a part of a cent."""
    return f"{worth:.3g}" if 0 < abs(worth) < 0.01 else f"{worth:,.2f}"


@dataclass(frozen=True, eq=False)
class WillingnessToPay:
    """What levels of attributes are worth.

    Attributes
    ----------
    frame : DataFrame
        One row a group, attribute and level: ``group``, ``attribute``, ``level`` (or "one more"
        of a number), ``reference``, ``willingness_to_pay`` (currency, or NaN in a group whose
        price coefficient is not negative), ``standard_error`` (delta method), ``lower``, ``upper``,
        ``respondents``, ``tasks``.
    covariances : dict of str to ndarray
        Covariance of the willingness to pay of each group, delta method, in the order of its rows.
    method : {"delta", "krinsky-robb", "fieller"}
        How the intervals were made.
    level : float
        Level of the intervals.
    currency : str
        Currency; empty where not known.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    covariances: dict[str, FloatArray] = field(repr=False)
    method: Method
    level: float
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups, all respondents first."""
        return tuple(self.frame["group"].unique())

    @property
    def sentence(self) -> str:
        """The largest worth of all respondents in words."""
        return self.sentence_of(self.groups[0])

    def sentence_of(self, group: str) -> str:
        """Tell the largest worth of a group in words."""
        rows = self.of_group(group).dropna(subset="willingness_to_pay")
        made_up = "Simulated: " if self.simulated else ""
        whose = "" if group == EVERYBODY else f"{group}, "
        if rows.empty:
            return f"{made_up}{whose}no willingness to pay."
        top = rows.iloc[int(rows["willingness_to_pay"].abs().to_numpy().argmax())]
        worth = f"{_told(top['willingness_to_pay'])} {self.currency}".strip()
        name = str(top["attribute"]).replace("_", " ")
        what = f"one more of {name}" if top["level"] == PER_UNIT else f"{top['level']} ({name})"
        bounded = math.isfinite(top["lower"]) and math.isfinite(top["upper"])
        ends = f"[{_told(top['lower'])}, {_told(top['upper'])}]" if bounded else "without bounds"
        return f"{made_up}{whose}{what} moves willingness to pay most: {worth} {ends}."

    def of_group(self, group: str) -> pd.DataFrame:
        """Rows of one group.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        return rows_of_group(self.frame, group)

    def of(self, attribute: str, level: str | None = None, group: str = EVERYBODY) -> Estimate:
        """Willingness to pay for one level as an estimate.

        Parameters
        ----------
        attribute : str
            Attribute.
        level : str, optional
            Level; may be left out where the attribute has one row.
        group : str
            Group.

        Raises
        ------
        ValueError
            When there is no such row, or more than one.
        """
        row = self.of_group(group).iloc[self._row(attribute, level, group)]
        return Estimate(
            float(row["willingness_to_pay"]),
            float(row["lower"]),
            float(row["upper"]),
            self.currency or "currency",
            int(row["respondents"]),
            f"logit, {self.method}, {row['respondents']:,} respondents",
            self.level,
        )

    def difference(
        self, attribute: str, level: str | None = None, *, group: str, than: str
    ) -> Estimate:
        """By how much one group is willing to pay more than another, delta method.

        Parameters
        ----------
        attribute, level
            As in :meth:`of`.
        group, than : str
            Groups of different respondents.

        Raises
        ------
        ValueError
            When a group is not there, or is that of all respondents, which holds the other.
        """
        if EVERYBODY in (group, than) or group == than:
            raise ValueError(
                f"difference compares two groups of different respondents, got {group!r} and "
                f"{than!r}; there are {', '.join(map(repr, self.groups[1:])) or 'none: give by='}"
            )
        parts = [self._moments(attribute, level, one) for one in (group, than)]
        gap = parts[0][0] - parts[1][0]
        respondents = parts[0][2] + parts[1][2]
        reach = interval_quantile(self.level, respondents - 1) * (parts[0][1] + parts[1][1]) ** 0.5
        how = f"logit by group, delta, {respondents:,} respondents"
        unit = self.currency or "currency"
        return Estimate(gap, gap - reach, gap + reach, unit, respondents, how, self.level)

    def total(self, levels: Sequence[tuple[str, str]], group: str = EVERYBODY) -> Estimate:
        """Willingness to pay for several levels together, delta method.

        Parameters
        ----------
        levels : sequence of (attribute, level)
            One level of each attribute.
        group : str
            Group.
        """
        rows = self.of_group(group)
        places = [self._row(attribute, level, group) for attribute, level in levels]
        weights = np.bincount(places, minlength=len(rows)).astype(float)
        worth = float(weights @ rows["willingness_to_pay"].to_numpy())
        respondents = int(rows["respondents"].iloc[0])
        error = float(np.sqrt(weights @ self.covariances[group] @ weights))
        reach = interval_quantile(self.level, respondents) * error
        how = f"logit, delta, {respondents:,} respondents"
        unit = self.currency or "currency"
        return Estimate(worth, worth - reach, worth + reach, unit, respondents, how, self.level)

    def _row(self, attribute: str, level: str | None, group: str) -> int:
        rows = self.of_group(group)
        found = (rows["attribute"] == attribute) & (level is None or rows["level"] == level)
        if found.sum() != 1:
            there = ", ".join(
                f"{a}: {b}" for a, b in zip(rows["attribute"], rows["level"], strict=True)
            )
            raise ValueError(
                f"{attribute!r} with level {level!r} is in {found.sum()} rows; there are {there}"
            )
        return int(np.flatnonzero(found)[0])

    def _moments(self, attribute: str, level: str | None, group: str) -> tuple[float, float, int]:
        place = self._row(attribute, level, group)
        row = self.of_group(group).iloc[place]
        variance = float(self.covariances[group][place, place])
        return float(row["willingness_to_pay"]), variance, int(row["respondents"])

    def to_frame(self) -> pd.DataFrame:
        """One row a group, attribute and level."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.rename(columns={"lower": "from", "upper": "to"})
        title = f"Willingness to pay{f', {self.currency}' if self.currency else ''}"
        return report_html(title, [self.sentence, *self.notes], {"By attribute": shown})
