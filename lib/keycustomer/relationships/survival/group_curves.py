"""Survival curves by group: what share of customers stays how long.

The estimate of Kaplan and Meier: at every tenure at which somebody left, those count who were under
observation then, whether they had been seen from the start or came with years behind them (left
truncation).  Intervals are those of log(-log S), which stay between 0 and 1.  The *restricted mean*
is the mean tenure up to a limit, the area under the curve: unlike the median it needs no curve that
falls below one half.

Main name: :func:`survival_by`.  For whole renewals of contracts seen from their start see
:func:`keycustomer.lifetime.survival_curve`.

Sources: Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457-481;
Klein & Moeschberger, "Survival Analysis" (2003), sections 4.3 to 4.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.survival.groups import group_codes
from keycustomer.relationships.survival.log_rank import LogRank, log_rank
from keycustomer.relationships.survival.risk_sets import risk_sets
from keycustomer.relationships.survival.spells import Spells
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

FEW = 10
"""A curve made from fewer customers at risk says little, and the result says so."""


@dataclass(frozen=True, eq=False)
class SurvivalByGroup:
    """Survival curves of groups.

    Attributes
    ----------
    by : str or None
        Column of the groups.
    unit : str
        Unit of time.
    since, until : float
        Curves are of customers who have stayed until `since`; means count up to `until`.
    level : float
        Confidence level of the intervals.
    curves : DataFrame
        One row a group and time: group, tenure, at_risk, left, survival, standard_error
        (Greenwood), lower, upper; the first row of a group is `since`, where survival is 1.
    groups : DataFrame
        One row a group: group, customers, left, median, median_lower, median_upper (missing where
        the curve does not fall so far), mean, mean_lower, mean_upper (restricted to `until`).
    test : LogRank or None
        Whether the groups differ; None for one group.
    notes : tuple of str
        What the reader must know.
    """

    by: str | None
    unit: str
    since: float
    until: float
    level: float
    curves: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame
    test: LogRank | None = field(repr=False)
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the curves."""
        return self.curves.copy()

    def survival(self, group: str, tenure: float) -> Estimate:
        """Share of a group's customers who stay at least so long.

        Raises
        ------
        KeyError
            When there is no such group.
        """
        if group not in set(self.groups["group"]):
            raise KeyError(f"no group {group!r}; there is: {', '.join(self.groups['group'])}")
        own = self.curves[self.curves["group"] == group]
        reached = own[own["tenure"] <= tenure].iloc[-1]
        customers = int(self.groups.loc[self.groups["group"] == group, "customers"].sum())
        lower, upper = (1.0, 1.0) if reached["survival"] == 1 else reached[["lower", "upper"]]
        return Estimate(
            float(reached["survival"]),
            float(lower),
            float(upper),
            f"share of customers after {tenure:g} {self.unit}s",
            customers,
            "Kaplan-Meier, interval of log(-log S)",
            self.level,
        )

    def sentences(self) -> list[str]:
        """Say what was found."""
        stays = [
            f"{row.group}: of {row.customers:,} customers {row.left:,} left; mean stay up to "
            f"{self.until:g} {self.unit}s {row.mean:.1f} [{row.mean_lower:.1f}, "
            f"{row.mean_upper:.1f}]."
            for row in self.groups.itertuples()
        ]
        return [*stays, *([self.test.sentence()] if self.test else []), *self.notes]

    def _repr_html_(self) -> str:
        return report_html("Who stays how long", self.sentences(), {})


def survival_by(
    spells: Spells,
    by: str | None = None,
    *,
    since: float = 0.0,
    until: float | None = None,
    level: float = 0.95,
) -> SurvivalByGroup:
    """Estimate survival curves of groups.

    Parameters
    ----------
    spells : Spells
        See :func:`keycustomer.relationships.read_spells`.
    by : str, optional
        Column of the groups; left out, all customers are one.
    since : float
        Curves of customers who have stayed so long already, in the spells' unit.
    until : float, optional
        Limit of the restricted means; left out, the longest tenure that at least `FEW` customers
        of every group reach.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    SurvivalByGroup

    Raises
    ------
    ValueError
        When there is no such column, nobody stayed so long, or `until` does not follow `since`.
    """
    checked_level(level)
    frame = _staying(spells.frame, since)
    codes, names = group_codes(frame, by)
    parts = [_curve(frame[codes == g], since, level) for g in range(len(names))]
    limit = _reach(frame, codes) if until is None else float(until)
    if not limit > since:
        raise ValueError(f"until={limit:g} must lie after since={since:g}")
    rows = [
        {"group": name} | _summary(part, frame[codes == g], limit, level)
        for g, (name, part) in enumerate(zip(names, parts, strict=True))
    ]
    for name, part in zip(names, parts, strict=True):
        part.insert(0, "group", name)
    compared = len(names) > 1 and bool(frame["ended"].any())
    test = log_rank(Spells(frame), by) if by and compared else None
    curves = pd.concat(parts, ignore_index=True)
    notes = (*spells.notes, *_warnings(curves, limit, spells.unit))
    return SurvivalByGroup(
        by, spells.unit, since, limit, level, curves, pd.DataFrame(rows), test, notes
    )


def _staying(frame: pd.DataFrame, since: float) -> pd.DataFrame:
    """Spells of those who have stayed so long, seen from then on."""
    if not (math.isfinite(since) and since >= 0):
        raise ValueError(f"since={since!r} must be a tenure of at least 0")
    kept = frame[frame["tenure"] > since]
    if kept.empty:
        longest = frame["tenure"].max()
        raise ValueError(f"since={since:g}: nobody was seen after it; the longest is {longest:g}")
    return kept.assign(entry=kept["entry"].clip(lower=since))


def _reach(frame: pd.DataFrame, codes: np.ndarray) -> float:
    """Longest tenure that at least `FEW` customers of every group reach, all of a smaller group."""
    last = [np.sort(frame.loc[codes == g, "tenure"].to_numpy()) for g in np.unique(codes)]
    return float(min(tenure[-min(FEW, tenure.size)] for tenure in last))


def _curve(own: pd.DataFrame, since: float, level: float) -> pd.DataFrame:
    """Kaplan and Meier's estimate of one group, from `since` on."""
    entry, tenure = own["entry"].to_numpy(float), own["tenure"].to_numpy(float)
    sets = risk_sets(entry, tenure, own["ended"].to_numpy(bool))
    one = np.ones(len(own))
    there, left = sets.at_risk(one).round(), sets.ending(one)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - left / there)
        spread = np.cumsum(left / (there * (there - left)))
        half = ndtri((1 + level) / 2) * np.sqrt(spread) / np.abs(np.log(survival))
        lower, upper = survival ** np.exp(half), survival ** np.exp(-half)
        error = survival * np.sqrt(spread)
    rows = {
        "tenure": np.append(since, sets.times),
        "at_risk": np.append(float((entry <= since).sum()), there),
        "left": np.append(0.0, left),
        "survival": np.append(1.0, survival),
        "standard_error": np.append(0.0, error),
        "lower": np.append(1.0, lower),
        "upper": np.append(1.0, upper),
    }
    return pd.DataFrame(rows)


def _summary(
    curve: pd.DataFrame, own: pd.DataFrame, until: float, level: float
) -> dict[str, float]:
    mean, error = _restricted_mean(curve, until)
    half = ndtri((1 + level) / 2) * error
    return {
        "customers": int(own["customer_id"].nunique()),
        "left": int(own["ended"].sum()),
        "median": _fallen_to_half(curve, "survival"),
        "median_lower": _fallen_to_half(curve, "lower"),
        "median_upper": _fallen_to_half(curve, "upper"),
        "mean": mean,
        "mean_lower": mean - half,
        "mean_upper": mean + half,
    }


def _fallen_to_half(curve: pd.DataFrame, column: str) -> float:
    """First tenure at which a curve, or an end of its interval, lies at or below one half."""
    fallen = curve[column] <= 0.5
    return float(curve.loc[fallen, "tenure"].iloc[0]) if fallen.any() else math.nan


def _restricted_mean(curve: pd.DataFrame, until: float) -> tuple[float, float]:
    """Area under the curve up to a limit, and its standard error."""
    part = curve[curve["tenure"] <= until]
    width = np.diff(np.append(part["tenure"].to_numpy(), until))
    area = part["survival"].to_numpy() * width
    to_come: FloatArray = np.cumsum(area[::-1])[::-1]
    there, left = part["at_risk"].to_numpy(), part["left"].to_numpy()
    staying = there > left  # after all have left nothing is to come, and nothing uncertain
    share = left[staying] / (there[staying] * (there[staying] - left[staying]))
    start = float(part["tenure"].iloc[0])
    error = math.sqrt(float((to_come[staying] ** 2 * share).sum()))
    return start + float(area.sum()), error


def _warnings(curves: pd.DataFrame, until: float, unit: str) -> list[str]:
    """Name groups whose curve falls where hardly anybody was at risk."""
    thin = curves[(curves["left"] > 0) & (curves["at_risk"] < FEW) & (curves["tenure"] <= until)]
    said = []
    for group, rows in thin.groupby("group", sort=False):
        first = rows.iloc[0]
        said.append(
            f"{group}: only {first['at_risk']:.0f} customers were at risk at {first['tenure']:g} "
            f"{unit}s, where the curve falls; see `since` and `until`."
        )
    return said
