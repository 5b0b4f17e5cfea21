"""True coefficients of the simulated operator's process, each with its unit and its reason.

What is true in the simulated company?  `Parameters` holds every coefficient of the
data-generating process by subject; :meth:`Parameters.to_frame` lists them, and
:meth:`Parameters.but` gives a company in which some are different.  The values are chosen so that
the moments are those of a regional operator's business customers (monthly churn of 1 to 1.5 %,
two thirds of revenue from a fifth of the accounts, gross margin about 40 %), not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.simulate.vocabulary import (
    ATTRIBUTES,
    CATEGORIES,
    CHANNELS,
    DIMENSIONS,
    INDUSTRIES,
    LEVELS,
    OWNERSHIPS,
    REGIONS,
    SEGMENTS,
)

_SHARE = (0.0, 1.0)
_POSITIVE = (0.0, np.inf)


def _true(
    value: Any,
    unit: str,
    reason: str,
    *,
    by: tuple[str, ...] = (),
    within: tuple[float, float] = (-np.inf, np.inf),
) -> Any:
    """Field of one coefficient (or of one by each word of `by`), with its unit and reason."""
    return field(
        default=value, metadata={"unit": unit, "reason": reason, "by": by, "within": within}
    )


@dataclass(frozen=True)
class FirmParameters:
    """Who the accounts are."""

    industry: tuple[float, ...] = _true(
        (0.20, 0.19, 0.13, 0.09, 0.09, 0.05, 0.08, 0.17),
        "share",
        "a mixed regional economy",
        by=INDUSTRIES,
        within=_SHARE,
    )
    region: tuple[float, ...] = _true(
        (0.18, 0.22, 0.30, 0.18, 0.12),
        "share",
        "the capital has most firms",
        by=REGIONS,
        within=_SHARE,
    )
    ownership: tuple[float, ...] = _true(
        (0.62, 0.22, 0.06, 0.10), "share", "most firms are small", by=OWNERSHIPS, within=_SHARE
    )
    employees_median: float = _true(22.0, "people", "business customers", within=_POSITIVE)
    employees_spread: float = _true(1.25, "sd of log", "firm sizes are skewed", within=_POSITIVE)
    potential_median: float = _true(
        900.0, "currency a month", "spend with all products, median firm", within=_POSITIVE
    )
    potential_spread: float = _true(
        0.75, "sd of log", "body of the size distribution", within=_POSITIVE
    )
    tail_share: float = _true(0.12, "share", "accounts in the heavy tail", within=_SHARE)
    tail_exponent: float = _true(
        1.3, "Pareto exponent", "firm sizes have tails near 1", within=(0.2, np.inf)
    )
    tail_limit: float = _true(
        2e-4, "share", "the rarest size; bounds the largest at 140 times the tail's", within=_SHARE
    )
    size_by_employees: float = _true(
        0.75, "correlation", "staff tells size, not all", within=(-1, 1)
    )
    product_spread: float = _true(0.45, "sd of log", "firms differ in what they use")
    tenure_mean: float = _true(46.0, "months", "mean age of a relationship", within=(1.0, np.inf))
    joining: float = _true(
        0.006, "share a month", "half of those who leave are replaced", within=_SHARE
    )
    growth_mean: float = _true(0.0015, "log points a month", "1.8 % a year")
    growth_spread: float = _true(0.004, "sd of log points a month", "some grow, some shrink")
    managed: float = _true(0.62, "share", "accounts with an own manager", within=_SHARE)
    represented: float = _true(
        0.38, "share", "accounts an agent claims, managed or not", within=_SHARE
    )
    flag_base: float = _true(-2.0, "log-odds", "about one account in seven is called key")
    flag_size: float = _true(0.35, "log-odds per sd", "by habit: hardly by size")
    flag_prominence: float = _true(1.2, "log-odds per sd", "well-known names are called key")
    level_prominence: float = _true(0.45, "sd per sd", "habit serves who is known")
    level_flag: float = _true(0.60, "sd", "a flag brings some service")
    level_size: float = _true(0.12, "sd per sd", "service hardly follows value (T8)")


@dataclass(frozen=True)
class NeedParameters:
    """What the accounts weigh, and how they react to prices."""

    segment_base: tuple[float, ...] = _true(
        (0.40, 0.15, -0.20, -0.35), "log-odds", "reliability seekers are most frequent", by=SEGMENTS
    )
    segment_trait: float = _true(1.15, "log-odds per sd", "traits tell segments, not all")
    segment_industry: float = _true(0.6, "log-odds", "industries differ in their needs")
    segment_size: float = _true(0.45, "log-odds per sd of log size", "large ones are partners")
    weights_reliability: tuple[float, ...] = _true(
        (0.48, 0.18, 0.08, 0.06, 0.24), "sd per sd", "reliability first", by=DIMENSIONS
    )
    weights_price: tuple[float, ...] = _true(
        (0.26, 0.12, 0.05, 0.05, 0.52), "sd per sd", "sacrifice first", by=DIMENSIONS
    )
    weights_partners: tuple[float, ...] = _true(
        (0.26, 0.13, 0.40, 0.14, 0.20), "sd per sd", "the relationship first", by=DIMENSIONS
    )
    weights_innovators: tuple[float, ...] = _true(
        (0.24, 0.22, 0.12, 0.40, 0.18), "sd per sd", "experience first", by=DIMENSIONS
    )
    weights_spread: float = _true(
        0.06, "sd per sd", "accounts of a segment still differ", within=_POSITIVE
    )
    weights_drift: tuple[float, ...] = _true(
        (-0.05, 0.03, 0.00, 0.04, 0.05),
        "sd per sd and year",
        "needs change (V6): quality is taken for granted, price and experience gain",
        by=DIMENSIONS,
    )
    elasticity: tuple[float, ...] = _true(
        (-0.55, -1.70, -0.70, -0.95),
        "elasticity",
        "usage of business lines is mostly inelastic; the price-driven react",
        by=SEGMENTS,
        within=(-np.inf, 0.0),
    )
    elasticity_size: float = _true(0.10, "log per sd of log size", "large ones buy harder")
    elasticity_spread: float = _true(0.22, "sd of log", "accounts of a segment still differ")
    cross_elasticity: float = _true(
        0.35, "share of own", "part of the demand goes to and fro", within=_POSITIVE
    )
    discount_response: tuple[float, ...] = _true(
        (2.4, 6.5, 3.0, 3.4), "log-odds per log price", "price moves who leaves", by=SEGMENTS
    )
    discount_response_size: float = _true(0.15, "log per sd of log size", "large ones compare")
    level_response: tuple[float, ...] = _true(
        (1.05, 0.60, 1.55, 1.00),
        "factor",
        "service moves partners, hardly the price-driven",
        by=SEGMENTS,
        within=_POSITIVE,
    )
    level_response_spread: float = _true(0.35, "sd of log", "accounts of a segment still differ")
    demanding_spread: float = _true(0.50, "sd of log", "some accounts ask for far more")


@dataclass(frozen=True)
class DemandParameters:
    """How much is used, month by month, and what is taken up next."""

    season: float = _true(0.30, "factor", "strength of all seasons; 0 for none", within=(0.0, 0.9))
    shock_persistence: float = _true(0.85, "autocorrelation", "business cycles last", within=_SHARE)
    shock_spread: float = _true(0.16, "sd of log", "lasting spread of the shock", within=_POSITIVE)
    noise: float = _true(0.07, "sd of log", "usage of a month", within=_POSITIVE)
    adoption: float = _true(0.7, "factor", "all take-up; 0 for none", within=_POSITIVE)
    adoption_innovation: float = _true(0.35, "log per sd", "innovators take up first")
    adoption_contact: float = _true(0.28, "log per log contacts", "contacts sell")
    adoption_satisfaction: float = _true(0.20, "log per sd", "the satisfied buy more")


@dataclass(frozen=True)
class PriceParameters:
    """Prices of the market."""

    war_starts: int = _true(12, "month", "the price war comes in the second year")
    war_lasts: int = _true(9, "months", "until it has gone all the way", within=(1, np.inf))
    war_depth: tuple[float, ...] = _true(
        (0.22, 0.20, 0.12, 0.14, 0.08),
        "share",
        "fall of competitors' prices, deepest in voice",
        by=CATEGORIES,
        within=(0.0, 0.9),
    )
    competitor_start: float = _true(1.02, "relative price", "competitors were a little dearer")
    following: float = _true(0.45, "share", "own list follows part of the way", within=_SHARE)
    following_lag: int = _true(3, "months", "list prices follow late", within=_POSITIVE)
    drift: float = _true(-0.0008, "log points a month", "list prices erode by 1 % a year")
    cost_drift: float = _true(-0.0015, "log points a month", "technology gets cheaper")
    cost_shock: float = _true(0.05, "sd of log", "wholesale cost by region and month")
    cost_persistence: float = _true(0.70, "autocorrelation", "wholesale terms last", within=_SHARE)


@dataclass(frozen=True)
class DiscountParameters:
    """Discounts as they are given today: endogenously."""

    base: float = _true(0.055, "share", "everybody gets some")
    size: float = _true(0.026, "share per sd of log size", "large ones negotiate")
    weak_demand: float = _true(-0.06, "share per log demand", "given when demand is weak")
    sensed_risk: float = _true(0.022, "share per sd", "given where the manager senses risk")
    sensing_noise: float = _true(1.2, "sd", "managers sense badly", within=_POSITIVE)
    war: float = _true(0.065, "share", "deepens in the price war")
    cost: float = _true(-0.20, "share per log cost", "tighter when cost is up: instrument")
    habit: float = _true(0.022, "sd of share", "managers' habits differ: instrument")
    noise: float = _true(0.012, "sd of share", "what is left", within=_POSITIVE)
    limit: float = _true(0.40, "share", "nobody gets more", within=_SHARE)


@dataclass(frozen=True)
class ServiceParameters:
    """Relationship levels, contacts and complaints."""

    level_functional: tuple[float, ...] = _true(
        (-0.25, -0.08, 0.10, 0.26, 0.38), "sd", "better care, diminishing", by=LEVELS
    )
    level_convenience: tuple[float, ...] = _true(
        (-0.10, 0.00, 0.08, 0.14, 0.18), "sd", "a known person to call", by=LEVELS
    )
    level_social: tuple[float, ...] = _true(
        (-0.40, -0.24, -0.04, 0.22, 0.46), "sd", "recognition grows with closeness", by=LEVELS
    )
    level_experiential: tuple[float, ...] = _true(
        (-0.10, -0.04, 0.03, 0.14, 0.34), "sd", "partnership customises", by=LEVELS
    )
    level_hazard: tuple[float, ...] = _true(
        (0.25, 0.10, -0.10, -0.32, -0.55), "log-odds", "joint processes bind (R7)", by=LEVELS
    )
    level_complaints: tuple[float, ...] = _true(
        (0.10, 0.05, 0.00, -0.10, -0.18), "log", "problems are seen earlier", by=LEVELS
    )
    visits: tuple[float, ...] = _true(
        (0.02, 0.04, 0.12, 0.35, 0.90), "a month", "plan by level", by=LEVELS, within=_POSITIVE
    )
    calls: tuple[float, ...] = _true(
        (0.10, 0.25, 0.60, 1.10, 1.80), "a month", "plan by level", by=LEVELS, within=_POSITIVE
    )
    delivery: float = _true(
        0.70, "share", "of the level that is promised reaches the customer", within=_SHARE
    )
    contact_memory: float = _true(0.80, "share a month", "a contact is remembered", within=_SHARE)
    call_worth: float = _true(0.30, "visits", "a call does less than a visit", within=_POSITIVE)
    contact_social: float = _true(0.30, "sd per log", "diminishing: log(1 + contacts in memory)")
    contact_functional: float = _true(0.08, "sd per log", "needs are understood")
    contact_worth: tuple[float, ...] = _true(
        (0.70, 0.55, 1.00, 1.00),
        "factor",
        "the own manager's contact does most, the agent's least",
        by=CHANNELS,
        within=_POSITIVE,
    )
    complaints: float = _true(0.075, "a month", "at median size and care", within=_POSITIVE)
    complaints_size: float = _true(0.35, "log per sd of log size", "more lines, more trouble")
    complaints_archive: float = _true(
        0.60, "log", "wrong bills and lost orders, per share of the archive that is missing"
    )
    first_contact: float = _true(0.30, "log-odds", "57 % resolved at the first contact")
    first_contact_level: float = _true(0.10, "log-odds per level", "a known person")
    resolution_days: float = _true(11.0, "days", "median of the others", within=_POSITIVE)
    resolution_spread: float = _true(0.75, "sd of log", "some drag on", within=_POSITIVE)
    unresolved_after: float = _true(
        14.0, "days", "resolved later counts as unresolved at month's end", within=_POSITIVE
    )
    repeat: float = _true(0.45, "probability", "the unresolved complain again", within=_SHARE)
    complaint_memory: float = _true(0.75, "share a month", "trouble is remembered", within=_SHARE)
    complaint_functional: float = _true(-0.45, "sd per complaint", "resolved ones hurt half")
    complaint_effort: float = _true(0.40, "sd per complaint", "trouble costs effort")
    recovery: float = _true(0.55, "share", "of the harm is undone at first contact", within=_SHARE)
    conflict_effort: float = _true(0.30, "sd", "two people, two answers")
    archive: float = _true(0.55, "share", "of what the account file should hold", within=_SHARE)
    attribute_gain: tuple[float, ...] = _true(
        (0.50, 0.42, 0.30, 0.32, 0.44, 0.30, 0.42, 0.40, 0.22, 0.34, 0.42, 0.22),
        "sd of the dimension per sd",
        "three attributes make a dimension, with overlap",
        by=tuple(ATTRIBUTES),
    )


@dataclass(frozen=True)
class ValueParameters:
    """Perceived value, satisfaction, loyalty: linear, so that population paths are known.

    satisfaction = sum of weight x value - weight x sacrifice + residual;
    loyalty = satisfaction and two dimensions by fixed coefficients + residual.
    """

    outlook_spread: float = _true(0.80, "sd", "lasting differences between accounts")
    halo: float = _true(0.35, "correlation", "who likes one dimension likes the others")
    sacrifice_halo: float = _true(-0.30, "sd per sd", "who likes the offer minds its price less")
    mood_spread: float = _true(0.50, "sd", "passing differences")
    mood_persistence: float = _true(0.70, "autocorrelation", "passing slowly", within=_SHARE)
    price_sacrifice: float = _true(2.2, "sd per log price", "dearer than competitors is felt")
    satisfaction_residual: float = _true(0.50, "sd", "what the dimensions do not tell")
    loyalty_satisfaction: float = _true(0.60, "sd per sd", "satisfaction makes loyalty (V3)")
    loyalty_social: float = _true(0.15, "sd per sd", "belonging, beyond satisfaction")
    loyalty_experiential: float = _true(0.10, "sd per sd", "identity, beyond satisfaction")
    loyalty_residual: float = _true(0.60, "sd", "what is left")
    residual_lasting: float = _true(
        0.60, "share of variance", "residuals belong to the account", within=_SHARE
    )


@dataclass(frozen=True)
class ChurnParameters:
    """Monthly probability to leave: scale / (1 + exp(-log-odds))."""

    scale: float = _true(1.0, "probability", "0 and nobody leaves", within=_SHARE)
    base: float = _true(-3.50, "log-odds", "calibrated to 1.25 % a month")
    loyalty: float = _true(-0.75, "log-odds per sd", "the loyal stay")
    contract: float = _true(-1.60, "log-odds", "contracts hold")
    renewal: float = _true(1.00, "log-odds", "the hump of the last month of a contract")
    tenure: float = _true(-0.22, "log-odds per log year", "the old stay")
    size: float = _true(0.60, "log-odds per sd of log size", "large ones put lines out to tender")
    products: float = _true(-0.10, "log-odds per product beyond the first", "switching costs (R7)")
    offer: float = _true(1.60, "log-odds", "a competitor's offer tempts")
    unresolved: float = _true(0.90, "log-odds per complaint", "unresolved trouble drives away")
    conflict: float = _true(0.20, "log-odds", "agent and manager at odds")
    differentiation: float = _true(
        0.35, "log per sd", "the better served mind a dearer offer less (T4)"
    )
    offers: float = _true(-3.0, "log-odds", "offers at median size, before the war")
    offers_size: float = _true(1.0, "log-odds per sd of log size", "aimed at large accounts")
    offers_war: float = _true(0.70, "log-odds", "more in the price war")
    offers_contract: float = _true(-0.70, "log-odds", "who is bound is asked less")


@dataclass(frozen=True)
class CostParameters:
    """What it costs to serve."""

    level: tuple[float, ...] = _true(
        (2.0, 6.0, 20.0, 72.0, 250.0),
        "currency a month",
        "staff time",
        by=LEVELS,
        within=_POSITIVE,
    )
    level_size: float = _true(
        0.30, "log per sd of log size", "the same level is more work at a large account"
    )
    visit: float = _true(90.0, "currency", "half a day", within=_POSITIVE)
    call: float = _true(9.0, "currency", "ten minutes and notes", within=_POSITIVE)
    complaint: float = _true(45.0, "currency", "taking it up", within=_POSITIVE)
    complaint_day: float = _true(6.0, "currency a day", "chasing it", within=_POSITIVE)
    service_share: float = _true(
        0.055, "share of revenue", "help desk and field service, times how demanding"
    )
    commission: float = _true(0.05, "share of revenue", "agent's commission", within=_SHARE)
    bonus: float = _true(0.015, "share of revenue", "manager's variable pay", within=_SHARE)
    dossier: float = _true(2.0, "currency a month", "keeping an account's dossier")
    service: float = _true(1.5, "currency a month", "running the service with measures")
    service_complaint: float = _true(12.0, "currency", "a complaint process costs a little more")
    pricing: float = _true(1.0, "currency a month", "approving discounts")
    back_office: float = _true(2.0, "currency a month", "keeping the archive")
    quality: float = _true(0.003, "share of revenue per sd", "raising one attribute")


@dataclass(frozen=True)
class Parameters:
    """All true coefficients of the simulated operator, by subject.

    Raises
    ------
    ValueError
        When a value is no finite number, out of its range, or there are too many or too few
        of a kind; all complaints at once.
    """

    firms: FirmParameters = FirmParameters()
    needs: NeedParameters = NeedParameters()
    demand: DemandParameters = DemandParameters()
    prices: PriceParameters = PriceParameters()
    discounts: DiscountParameters = DiscountParameters()
    service: ServiceParameters = ServiceParameters()
    value: ValueParameters = ValueParameters()
    churn: ChurnParameters = ChurnParameters()
    costs: CostParameters = CostParameters()

    def __post_init__(self) -> None:
        """Check all coefficients and complain about all of them at once."""
        complaints = [
            f"{subject}.{one.name}={getattr(group, one.name)!r} {wrong}"
            for subject, group in self._groups().items()
            for one in fields(group)
            if (wrong := _complaint(one, getattr(group, one.name)))
        ]
        if complaints:
            raise ValueError("; ".join(complaints))

    def _groups(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def names(self) -> list[str]:
        """Names of all coefficients, "subject.name"."""
        return [f"{s}.{one.name}" for s, group in self._groups().items() for one in fields(group)]

    def but(self, changes: Mapping[str, Any]) -> Parameters:
        """Give parameters that differ in some coefficients.

        Parameters
        ----------
        changes : mapping of str to value
            New values by "subject.name", such as ``{"churn.scale": 0}``; a single number for a
            coefficient that has several is taken for all of them.

        Raises
        ------
        KeyError
            When there is no such coefficient, with the nearest names.
        ValueError
            When a value is not allowed.
        """
        unknown = [name for name in changes if name not in self.names()]
        if unknown:
            near = get_close_matches(unknown[0], self.names(), 3, 0.3)
            raise KeyError(
                f"no coefficient {unknown[0]!r}; near it: {', '.join(near) or 'none'}; "
                "Parameters().to_frame() lists them all"
            )
        changed = {}
        for subject, group in self._groups().items():
            new = {
                n.partition(".")[2]: v for n, v in changes.items() if n.startswith(subject + ".")
            }
            changed[subject] = replace(group, **{n: _alike(group, n, v) for n, v in new.items()})
        return Parameters(**changed)

    def to_frame(self) -> pd.DataFrame:
        """List all coefficients.

        Returns
        -------
        DataFrame
            Columns parameter ("subject.name"), of (which segment, level ..., "" for one number),
            value, unit, reason.
        """
        rows = [
            {"parameter": f"{subject}.{one.name}", "of": word, "value": float(number)}
            | {name: one.metadata[name] for name in ("unit", "reason")}
            for subject, group in self._groups().items()
            for one in fields(group)
            for word, number in _by_word(one, getattr(group, one.name))
        ]
        return pd.DataFrame(rows)


def _by_word(one: Field[Any], value: Any) -> list[tuple[str, float]]:
    words = one.metadata["by"]
    return list(zip(words, value, strict=True)) if words else [("", value)]


def _alike(group: Any, name: str, value: Any) -> Any:
    """Value in the form the coefficient has: one number, or a tuple of numbers."""
    before = getattr(group, name)
    if not isinstance(before, tuple):
        return value
    return (value,) * len(before) if np.ndim(value) == 0 else tuple(value)


def _complaint(one: Field[Any], value: Any) -> str | None:
    """Say what is wrong with a coefficient, None if nothing."""
    words = one.metadata["by"]
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        return "is no number"
    if numbers.shape != (max(len(words), 1),):
        return f"must be {len(words) or 'one'} number{'s: ' if words else ''}{', '.join(words)}"
    low, high = one.metadata["within"]
    if not np.isfinite(numbers).all() or (numbers < low).any() or (numbers > high).any():
        bounds = "" if np.isinf([low, high]).all() else f" from {low:g} to {high:g}"
        return f"must be finite{bounds} ({one.metadata['unit']})"
    if one.name in ("industry", "region", "ownership") and abs(numbers.sum() - 1) > 1e-9:
        return f"must add up to 1, not {numbers.sum():g}"
    return None
