"""Why customers leave: reasons that compete for the same customer.

A customer won over by a competitor can no longer close down.  The share that has left for a reason
up to a tenure (its *cumulative incidence*, by Aalen and Johansen) adds the leavers of that reason
among those still there, whatever the others left for; over all reasons it sums to one less the
survival curve.  The usual shortcut, a Kaplan-Meier curve of one reason with the others as if merely
unobserved, answers what would happen if no other reason existed, and always says more.

Hazard ratios by reason (:func:`fit_cox_by_reason`) tell what moves the rate of each: a contract
that keeps price from being a reason may do nothing about firms that close.

Main names: :func:`incidence_by_reason`, :func:`fit_cox_by_reason`.  Sources: Aalen & Johansen
(1978), Scandinavian Journal of Statistics 5, 141-150; Putter, Fiocco & Geskus (2007), Statistics in
Medicine 26, 2389-2430; Marubini & Valsecchi (1995), section 10.3, for the variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.survival.cox import CoxModel, fit_cox
from keycustomer.relationships.survival.groups import group_codes
from keycustomer.relationships.survival.risk_sets import risk_sets
from keycustomer.relationships.survival.spells import NOT_RECORDED, Spells
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

FEWEST = 10
"""Leavers of a reason below which no hazard ratios are estimated for it."""


@dataclass(frozen=True, eq=False)
class ReasonIncidence:
    """Cumulative incidence by reason.

    Attributes
    ----------
    by : str or None
        Column of the groups.
    unit : str
        Unit of time.
    since : float
        Curves are of customers who have stayed until then.
    level : float
        Confidence level of the intervals.
    curves : DataFrame
        One row a group, reason and time of leaving: group, reason, tenure, at_risk, left (for the
        reason), incidence, standard_error, lower, upper, and alone (one less the Kaplan-Meier
        curve of the reason, others taken as unobserved: the shortcut, never less).
    reasons : tuple of str
        Reasons, the most frequent first; those not recorded last.
    notes : tuple of str
        What the reader must know.
    """

    by: str | None
    unit: str
    since: float
    level: float
    curves: pd.DataFrame = field(repr=False)
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the curves."""
        return self.curves.copy()

    def at(self, tenure: float) -> pd.DataFrame:
        """Incidence up to a tenure.

        Returns
        -------
        DataFrame
            One row a group and reason: group, reason, left (up to it), incidence, lower, upper,
            alone; 0 where nobody had left yet.
        """
        past = self.curves[self.curves["tenure"] <= tenure]
        keys = ["group", "reason"]
        left = past.groupby(keys, sort=False)["left"].sum().astype(int)
        last = past.drop_duplicates(keys, keep="last").set_index(keys)
        everything = self.curves[keys].drop_duplicates()
        rows = last[["incidence", "lower", "upper", "alone"]]
        rows.insert(0, "left", left)
        return rows.reindex(pd.MultiIndex.from_frame(everything), fill_value=0.0).reset_index()

    def incidence(self, reason: str, tenure: float, group: str | None = None) -> Estimate:
        """Share that has left for a reason up to a tenure.

        Raises
        ------
        KeyError
            When there is no such reason or group.
        """
        rows = self.at(tenure)
        chosen = rows["group"].iloc[0] if group is None else group
        found = rows[(rows["reason"] == reason) & (rows["group"] == chosen)]
        if found.empty:
            groups = ", ".join(rows["group"].unique())
            raise KeyError(
                f"no reason {reason!r} in group {chosen!r}; reasons: {', '.join(self.reasons)}; "
                f"groups: {groups}"
            )
        row = found.iloc[0]
        customers = self.curves.loc[self.curves["group"] == chosen, "at_risk"].max()
        return Estimate(
            float(row["incidence"]),
            float(row["lower"]),
            float(row["upper"]),
            f"share that left for {reason} within {tenure:g} {self.unit}s",
            int(customers),
            "Aalen-Johansen, interval of log(-log(1 - F))",
            self.level,
        )

    def sentences(self) -> list[str]:
        """Say how often each reason was."""
        counts = self.curves.groupby("reason")["left"].sum()
        told = ", ".join(f"{reason} {counts[reason]:,.0f}" for reason in self.reasons)
        return [f"Reasons of those who left: {told}.", *self.notes]

    def _repr_html_(self) -> str:
        last = self.at(self.curves["tenure"].max())
        last = last.rename(columns={"incidence": "share left", "alone": "share taken alone"})
        return report_html("Why customers leave", self.sentences(), {"Up to the end": last})


def incidence_by_reason(
    spells: Spells, by: str | None = None, *, since: float = 0.0, level: float = 0.95
) -> ReasonIncidence:
    """Estimate what share of customers leaves for which reason.

    Parameters
    ----------
    spells : Spells
        With reasons of those who left; missing ones are a reason of their own, `NOT_RECORDED`.
    by : str, optional
        Column of groups; left out, all customers are one.
    since : float
        Of customers who have stayed so long already.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    ReasonIncidence

    Raises
    ------
    ValueError
        When nobody left after `since`, or no reason is known.
    """
    checked_level(level)
    kept = spells.frame["tenure"] > since
    frame = spells.frame[kept].assign(entry=spells.frame["entry"].clip(lower=since))
    reasons = spells.reasons()[kept]
    order = _reasons(reasons)
    codes, names = group_codes(frame, by)
    parts = [
        _curves(frame[codes == g], reasons[codes == g], order, level).assign(group=name)
        for g, name in enumerate(names)
    ]
    curves = pd.concat(parts, ignore_index=True)
    curves.insert(0, "group", curves.pop("group"))
    unknown = float((reasons.dropna() == NOT_RECORDED).mean())
    notes = spells.notes
    if unknown:
        said = f"For {unknown:.0%} of those who left no reason is recorded; each other share would"
        notes = (*notes, f"{said} be larger if it were.")
    return ReasonIncidence(by, spells.unit, since, level, curves, order, notes)


def _reasons(reasons: pd.Series) -> tuple[str, ...]:
    counts = reasons.dropna().value_counts(sort=False)
    known = counts.drop(NOT_RECORDED, errors="ignore")
    if counts.empty:
        raise ValueError("nobody left: there is no reason to count")
    if known.empty:
        raise ValueError("no reason is recorded for anybody who left; see contracts.reason")
    order = sorted(known.index, key=lambda reason: (-known[reason], str(reason)))
    return (*map(str, order), *([NOT_RECORDED] if NOT_RECORDED in counts.index else []))


def _curves(
    own: pd.DataFrame, reasons: pd.Series, order: Sequence[str], level: float
) -> pd.DataFrame:
    """Cumulative incidence of every reason in one group."""
    entry, tenure = own["entry"].to_numpy(float), own["tenure"].to_numpy(float)
    sets = risk_sets(entry, tenure, own["ended"].to_numpy(bool))
    there, left = sets.at_risk(np.ones(len(own))).round(), sets.ending(np.ones(len(own)))
    with np.errstate(divide="ignore", invalid="ignore"):
        staying = np.cumprod(1 - left / there)
    before = np.append(1.0, staying[:-1])
    parts = []
    for reason in order:
        of = sets.ending((reasons == reason).to_numpy(float))
        share = np.cumsum(before * of / there)
        error = np.sqrt(np.maximum(_variance(share, before, there, left, of), 0))
        lower, upper = _interval(share, error, level)
        rows = {
            "reason": reason,
            "tenure": sets.times,
            "at_risk": there,
            "left": of,
            "incidence": share,
            "standard_error": error,
            "lower": lower,
            "upper": upper,
            "alone": 1 - np.cumprod(1 - of / there),
        }
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def _variance(
    share: FloatArray, before: FloatArray, there: FloatArray, left: FloatArray, of: FloatArray
) -> FloatArray:
    """Variance of a cumulative incidence at every time, by the delta method.

    With F the incidence, S the survival before each time, d leavers and d_k those of the reason of
    n at risk: sum (F(t) - F_i)^2 d/(n(n-d)) + sum S^2 d_k(n-d_k)/n^3 - 2 sum (F(t)-F_i) S d_k/n^2,
    expanded into cumulative sums.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = np.where(there > left, left / (there * (there - left)), 0.0)
    own = before * of / there**2
    square, cross = np.cumsum(risk), np.cumsum(risk * share)
    first = share**2 * square - 2 * share * cross + np.cumsum(risk * share**2)
    second = np.cumsum(before**2 * of * (there - of) / there**3)
    third = share * np.cumsum(own) - np.cumsum(own * share)
    return first + second - 2 * third


def _interval(share: FloatArray, error: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Interval of log(-log(1 - F)); 0 and 1 have none."""
    stay = 1 - share
    with np.errstate(divide="ignore", invalid="ignore"):
        half = ndtri((1 + level) / 2) * error / (stay * np.abs(np.log(stay)))
        lower, upper = 1 - stay ** np.exp(-half), 1 - stay ** np.exp(half)
    none = (share == 0) | (share == 1)
    return np.where(none, share, lower), np.where(none, share, upper)


@dataclass(frozen=True, eq=False)
class CoxByReason:
    """Cox regressions by reason.

    Attributes
    ----------
    models : dict of str to CoxModel
        The model of every reason.
    notes : tuple of str
        Reasons without a model, and why.
    """

    models: dict[str, CoxModel]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Tabulate the effects: reason, left, then the columns of a model's table."""
        parts = [
            model.to_frame().assign(reason=reason, left=model.left)
            for reason, model in self.models.items()
        ]
        table = pd.concat(parts, ignore_index=True)
        front = ["reason", "left"]
        return table[[*front, *[name for name in table.columns if name not in front]]]

    def _repr_html_(self) -> str:
        said = [
            "Each reason by itself: who left for another was under observation until then.",
            *self.notes,
        ]
        table = self.to_frame().rename(columns={"lower": "ratio from", "upper": "ratio to"})
        return report_html("What moves each reason", said, {"Effects": table})


def fit_cox_by_reason(
    spells: Spells,
    covariates: Sequence[str],
    *,
    strata: str | None = None,
    level: float = 0.95,
) -> CoxByReason:
    """Estimate hazard ratios for every reason of leaving.

    Parameters
    ----------
    spells, covariates, strata, level
        As in :func:`keycustomer.relationships.fit_cox`.

    Returns
    -------
    CoxByReason
        Reasons with fewer than `FEWEST` leavers have no model, nor has one whose leavers have a
        level that none of them, or all of them, belong to; the notes say so.

    Raises
    ------
    ValueError
        When no reason is known, or none has a model.
    """
    models, notes = {}, []
    reasons = spells.reasons()
    for reason in _reasons(reasons):
        left = int((reasons == reason).sum())
        if left < FEWEST:
            notes.append(f"{reason}: {left} left for it, too few for hazard ratios.")
            continue
        try:
            models[reason] = fit_cox(
                spells.of_reason(reason), covariates, strata=strata, level=level
            )
        except ValueError as wrong:
            notes.append(f"{reason}: no model; {wrong}")
    if not models:
        raise ValueError(f"no reason has a model: {' '.join(notes)}")
    return CoxByReason(models, tuple(notes))
