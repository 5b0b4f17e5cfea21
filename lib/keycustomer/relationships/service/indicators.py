"""Service indicators by tier of customers, and whether service differs by tier at all.

How often is each tier contacted, how fast are its complaints resolved, what does it cost?
:func:`service_indicators` tells the indicators of a service system by tier, with intervals over
customers (`INDICATORS` says what each one is).

"Service hardly differs by tier" (T8) cannot be shown by a test that finds no difference: a small
file finds none.  It needs a margin, stated before any look at the data, within which a difference
counts as hardly any: :data:`MARGINS`.  :func:`tier_differences` compares the first tier with the
last and gives each indicator a verdict: *supported* when its 90 % interval lies within the margin
(two one-sided tests at 5 %), *not supported* when its 95 % interval lies wholly beyond it,
*undecided* otherwise.  Beside it stands the test that no tier differs from any other, by dealing
out the tiers anew among the customers.

T8's verdict rests on what is delivered (`DELIVERED`): supported when all these indicators are, not
supported when one is (its interval widened for their number), else undecided.

Sources: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680, for two
one-sided tests; Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology
9(1), for p-values of permutations; Holm (1979) for several tests.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.relationships.service.complaints import resolution_days
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.stats import Estimate, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed, bootstrap

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Indicator:
    """What a service indicator is: a sum over a sum, of one tier's customers.

    Attributes
    ----------
    meaning : str
        In words, with the unit.
    top, bottom : str
        Columns that are summed and divided.
    factor : float
        What the quotient is multiplied with.
    share : bool
        Whether it is a share, compared by differences; others by ratios.
    """

    meaning: str
    top: str
    bottom: str
    factor: float = 1.0
    share: bool = False


INDICATORS: dict[str, Indicator] = {
    "contacts_a_year": Indicator("contacts a customer and year", "contacts", "months", 12.0),
    "complaints_a_year": Indicator("complaints a customer and year", "complaints", "months", 12.0),
    "first_contact_resolution": Indicator(
        "share of complaints resolved at the first contact", "first", "complaints", share=True
    ),
    "resolved_in_time": Indicator(
        "share of complaints resolved within the days promised", "in_time", "told", share=True
    ),
    "days_to_resolve": Indicator("days to resolve, beyond the first contact", "days", "resolved"),
    "repeat_complaints": Indicator(
        "share of complaints followed by another within a month", "repeated", "followed", share=True
    ),
    "service_cost_a_year": Indicator(
        "cost of contacts a customer and year, currency", "cost", "months", 12.0
    ),
    "service_cost_per_100": Indicator(
        "cost of contacts per 100 of margin", "cost", "margin", 100.0
    ),
}
"""Service indicators by name."""

MARGINS: dict[str, float] = {
    name: (0.10 if one.share else 1.25) for name, one in INDICATORS.items()
}
"""Within these the first and the last tier hardly differ: 10 points of a share, a ratio between
80 and 125 %, the bounds of bioequivalence; stated before any data."""

DELIVERED = ("contacts_a_year", "first_contact_resolution", "days_to_resolve")
"""What the house delivers, on which the verdict on T8 rests."""

REPEAT_DAYS = 30
"""Days within which a further complaint counts as a repetition."""


@dataclass(frozen=True, eq=False)
class ServiceIndicators:
    """Service indicators by tier.

    Attributes
    ----------
    estimates : dict of (str, str) to Estimate
        By indicator and tier; "all" is everybody.
    tiers : tuple of str
        Tiers in their order.
    customers : dict of str to int
        Customers by tier.
    sums : DataFrame
        What is added up, a row a customer with its tier.
    draws : dict of (str, str) to ndarray
        Bootstrap draws of each estimate.
    without_tier : int
        Customers without a tier, counted in "all" only.
    pending : int
        Complaints still open for no longer than promised, of which nothing is told yet.
    currency : str
        Unit of cost.
    """

    estimates: dict[tuple[str, str], Estimate]
    tiers: tuple[str, ...]
    customers: dict[str, int]
    sums: pd.DataFrame = field(repr=False)
    draws: dict[tuple[str, str], Array] = field(repr=False)
    without_tier: int
    pending: int
    currency: str
    simulated: bool
    patience: float

    def of(self, indicator: str, tier: str = "all") -> Estimate:
        """Give one estimate.

        Raises
        ------
        KeyError
            When there is no such indicator or tier.
        """
        if (indicator, tier) not in self.estimates:
            raise KeyError(
                f"no {indicator!r} of tier {tier!r}; indicators: {', '.join(INDICATORS)}; tiers: "
                f"{', '.join(self.tiers)}, all"
            )
        return self.estimates[indicator, tier]

    def to_frame(self) -> pd.DataFrame:
        """List the estimates: indicator, tier, customers, estimate, lower, upper, meaning."""
        rows = [
            {"indicator": name, "tier": tier, "customers": one.n}
            | {"estimate": one.estimate, "lower": one.lower, "upper": one.upper}
            | {"meaning": INDICATORS[name].meaning}
            for (name, tier), one in self.estimates.items()
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        wide = pd.DataFrame(
            [
                {"indicator": INDICATORS[name].meaning}
                | {tier: str(self.estimates[name, tier]) for tier in (*self.tiers, "all")}
                for name in INDICATORS
            ]
        )
        sentences = [
            *made_up_note(self.simulated),
            "Customers by tier: "
            + ", ".join(f"{tier} {n:,}" for tier, n in self.customers.items())
            + f"; {self.without_tier:,} without a tier.",
            f"{self.pending:,} complaints are too new to tell whether they are resolved within "
            f"{self.patience:g} days.",
        ]
        return report_html("Service by tier", sentences, {f"In {self.currency}": wide})


def service_indicators(
    record: ServiceRecord,
    tiers: pd.Series | Mapping[Hashable, object] | None = None,
    *,
    patience: float = 14.0,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ServiceIndicators:
    """Tell the service indicators by tier.

    Parameters
    ----------
    record : ServiceRecord
        From :func:`keycustomer.relationships.read_service`.
    tiers : Series or mapping, customer_id -> tier
        The tiers, in the order of an ordered category, else sorted; left out, everybody is one.
    patience : float
        Days within which a complaint is resolved in time.
    draws, seed, level, progress
        Bootstrap over customers, see :func:`keycustomer.stats.bootstrap`.

    Raises
    ------
    TypeError, ValueError
        When `tiers` is no such series, names a customer twice, or knows none of the customers.
    """
    sums = _customer_sums(record, patience)
    names, codes = tier_codes(tiers, sums["customer_id"])
    columns = sorted({c for one in INDICATORS.values() for c in (one.top, one.bottom)})
    amounts = sums[columns].to_numpy(dtype=float)
    groups = [codes == place for place in range(len(names))] + [np.ones(len(sums), dtype=bool)]
    blocks = np.hstack([np.where(own[:, None], amounts, 0.0) for own in groups])

    def statistic(weights: Array) -> Array:
        return _quotients(weights @ blocks, columns)

    drawn = bootstrap(statistic, np.ones(len(sums)), draws=draws, seed=seed, progress=progress)
    found = statistic(np.ones((1, len(sums))))[0]
    sizes = [int(own.sum()) for own in groups]
    estimates: dict[tuple[str, str], Estimate] = {}
    spread: dict[tuple[str, str], Array] = {}
    keys = [(name, whose) for whose in (*names, "all") for name in INDICATORS]
    for column, (name, whose) in enumerate(keys):
        size = sizes[column // len(INDICATORS)]
        spread[name, whose] = own = drawn[:, column]
        estimates[name, whose] = _estimate(float(found[column]), own, INDICATORS[name], size, level)
    tier = pd.Categorical.from_codes(codes.tolist(), pd.Index(names), ordered=True)
    return ServiceIndicators(
        estimates=estimates,
        tiers=names,
        customers=dict(zip(names, sizes, strict=False)),
        sums=sums.assign(tier=tier),
        draws=spread,
        without_tier=int((codes < 0).sum()),
        pending=int(sums["pending"].sum()),
        currency=record.months.currency,
        simulated=record.months.simulated,
        patience=patience,
    )


def tier_codes(
    tiers: pd.Series | Mapping[Hashable, object] | None, customers: pd.Series
) -> tuple[tuple[str, ...], Array]:
    """Names of the tiers and each customer's place among them, -1 without one."""
    if tiers is None:
        return (), np.full(len(customers), -1)
    if isinstance(tiers, Mapping):
        tiers = pd.Series(dict(tiers), dtype=object)
    if not isinstance(tiers, pd.Series):
        raise TypeError(
            f"tiers must be a Series or mapping customer_id -> tier, got {type(tiers).__name__}; "
            "give for example table.set_index('customer_id')['tier']"
        )
    twice = tiers.index[tiers.index.duplicated()]
    if len(twice):
        raise ValueError(f"tiers: {len(twice):,} customers are named twice, first {twice[0]!r}")
    own = tiers.reindex(pd.Index(customers))
    if own.isna().all():
        raise ValueError(
            f"tiers: none of its {len(tiers):,} customers (first: {list(tiers.index[:3])}) is "
            f"among the record's (first: {list(customers.iloc[:3])}); the index must hold "
            "customer_id"
        )
    if isinstance(tiers.dtype, pd.CategoricalDtype):
        order = [value for value in tiers.cat.categories if (own == value).any()]
    else:
        order = sorted(own.dropna().unique(), key=str)
    codes = own.map({value: place for place, value in enumerate(order)})
    return tuple(str(v) for v in order), codes.astype(float).fillna(-1).to_numpy(dtype=np.int64)


def _customer_sums(record: ServiceRecord, patience: float) -> pd.DataFrame:
    """Add up what the indicators are made of, a row a customer."""
    frame, customer = record.months.frame, record.customer
    contacts = record.contacts
    complaint = contacts["is_complaint"].to_numpy()
    owner = customer[contacts["row"].to_numpy()]
    n = len(record.months.customers)

    def add(rows: Array, weights: Array | None = None) -> Array:
        return np.bincount(rows, weights, minlength=n).astype(float)

    days, seen = resolution_days(record)
    mine = owner[complaint]
    told = (days <= patience) | (seen > patience)
    beyond = days > 0
    repeated, followed = _repeated(record, complaint, mine, seen)
    margin = frame["margin"].to_numpy(dtype=float)
    cost = contacts["cost"].to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"].drop_duplicates().to_numpy(),
            "months": add(customer),
            "contacts": add(owner[contacts["is_contact"].to_numpy()]),
            "complaints": add(mine),
            "first": add(mine[days == 0]),
            "told": add(mine[told]),
            "in_time": add(mine[days <= patience]),
            "resolved": add(mine[beyond]),
            "days": add(mine[beyond], days[beyond]),
            "followed": add(mine[followed]),
            "repeated": add(mine[followed & repeated]),
            "cost": add(owner, cost) if np.isfinite(cost).all() else np.nan,
            "margin": add(customer, margin) if np.isfinite(margin).all() else np.nan,
            "pending": add(mine[~told]),
        }
    )


def _repeated(
    record: ServiceRecord, complaint: Array, owner: Array, seen: Array
) -> tuple[Array, Array]:
    """Whether each complaint was followed by another soon, and could be seen to be."""
    day = pd.to_datetime(record.contacts["date"]).to_numpy()[complaint].astype("datetime64[D]")
    order = np.lexsort((day, owner))
    gap = np.full(len(order), np.inf)
    if len(order) > 1:
        same = owner[order][1:] == owner[order][:-1]
        apart = (day[order][1:] - day[order][:-1]).astype(float)
        gap[:-1] = np.where(same, apart, np.inf)
    soon = np.zeros(len(order), dtype=bool)
    soon[order] = gap <= REPEAT_DAYS
    return soon, seen >= REPEAT_DAYS


def _quotients(totals: Array, columns: list[str]) -> Array:
    """Divide the sums of each tier, shape (rows, tiers * indicators)."""
    place = {name: number for number, name in enumerate(columns)}
    per_tier = totals.reshape(len(totals), -1, len(columns))
    found = []
    for one in INDICATORS.values():
        top, bottom = per_tier[:, :, place[one.top]], per_tier[:, :, place[one.bottom]]
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.where(bottom > 0, one.factor * top / bottom, np.nan))
    return np.stack(found, axis=2).reshape(len(totals), -1)


def _estimate(value: float, draws: Array, one: Indicator, n: int, level: float) -> Estimate:
    known = draws[np.isfinite(draws)]
    if n < 2 or len(known) < len(draws) / 2 or not np.isfinite(value):
        why = "fewer than two customers" if n < 2 else "not defined in most resamples"
        return Estimate.without_interval(value, one.meaning, n, why, level)
    return Estimate(
        value,
        *percentile_interval(known, level),
        one.meaning,
        n,
        f"percentile bootstrap of customers, {len(known):,} draws",
        level,
    )


@dataclass(frozen=True, eq=False)
class TierDifferences:
    """Whether service differs by tier.

    Attributes
    ----------
    frame : DataFrame
        indicator, scale ("ratio" or "difference"), first, last (estimates of these tiers),
        estimate, lower, upper (95 %), equal_lower, equal_upper (90 %, for equivalence),
        margin_lower, margin_upper, p_value and p_holm (no tier differs), verdict ("hardly
        differs": supported, not supported, undecided).
    first, last : str
        Tiers compared.
    verdict : str
        On T8, that service hardly differs by tier.
    """

    frame: pd.DataFrame
    first: str
    last: str
    verdict: str
    simulated: bool

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        sentences = [
            *made_up_note(self.simulated),
            f"Tier {self.first} beside tier {self.last}; T8 (service hardly differs by tier): "
            f"{self.verdict}.",
        ]
        return report_html("Does service differ by tier?", sentences, {"Indicators": self.frame})


def tier_differences(
    indicators: ServiceIndicators,
    *,
    margins: Mapping[str, float] = MARGINS,
    permutations: int = 999,
    seed: Seed = 0,
) -> TierDifferences:
    """Compare the service of the first tier with that of the last.

    Parameters
    ----------
    indicators : ServiceIndicators
        With at least two tiers.
    margins : mapping of str to float
        Within which tiers hardly differ: a ratio above 1, or points of a share.
    permutations : int
        Times the tiers are dealt out anew.
    seed : int or Generator
        Of the dealing.

    Raises
    ------
    ValueError
        When there are fewer than two tiers, or a margin is missing or makes no sense.
    """
    if len(indicators.tiers) < 2:
        raise ValueError(
            f"two tiers are needed to compare, there is {list(indicators.tiers) or 'none'}; give "
            "service_indicators(record, tiers) a tier for each customer"
        )
    _refuse_margins(margins)
    first, last = indicators.tiers[0], indicators.tiers[-1]
    p_values = _permuted(indicators, permutations, seed)
    rows = [
        _difference(indicators, name, first, last, margins[name]) | {"p_value": p_values[name]}
        for name in INDICATORS
    ]
    frame = pd.DataFrame(rows)
    frame["p_holm"] = holm(frame["p_value"].to_numpy())
    verdict = _overall(frame.set_index("indicator"))
    order = [c for c in frame.columns if c not in ("verdict", "wide_lower", "wide_upper")]
    return TierDifferences(frame[[*order, "verdict"]], first, last, verdict, indicators.simulated)


def _refuse_margins(margins: Mapping[str, float]) -> None:
    wrong = []
    for name, one in INDICATORS.items():
        low, high = (0.0, 1.0) if one.share else (1.0, np.inf)
        if name not in margins or not low < margins[name] < high:
            wrong.append(f"{name} ({'points between 0 and 1' if one.share else 'a ratio above 1'})")
    if wrong:
        raise ValueError(f"margins: needed, and missing or out of range, for {', '.join(wrong)}")


def _difference(
    indicators: ServiceIndicators, name: str, first: str, last: str, margin: float
) -> dict[str, Any]:
    share = INDICATORS[name].share
    compare: Callable[[Any, Any], Any] = np.subtract if share else np.divide
    one, other = indicators.of(name, first).estimate, indicators.of(name, last).estimate
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(compare(one, other)) if np.isfinite([one, other]).all() else np.nan
        draws = compare(indicators.draws[name, first], indicators.draws[name, last])
    draws = draws[np.isfinite(draws)]
    bounds = (-margin, margin) if share else (1 / margin, margin)
    known = len(draws) > 0 and np.isfinite(value)
    wide = 1 - 0.05 / len(DELIVERED)
    ends = {p: percentile_interval(draws, p) if known else (np.nan, np.nan) for p in (0.95, 0.9)}
    widest = percentile_interval(draws, wide) if known else (np.nan, np.nan)
    return {
        "indicator": name,
        "scale": "difference" if share else "ratio",
        "first": one,
        "last": other,
        "estimate": value,
        "lower": ends[0.95][0],
        "upper": ends[0.95][1],
        "equal_lower": ends[0.9][0],
        "equal_upper": ends[0.9][1],
        "margin_lower": bounds[0],
        "margin_upper": bounds[1],
        "wide_lower": widest[0],
        "wide_upper": widest[1],
        "verdict": equality_verdict(ends[0.9], ends[0.95], bounds),
    }


def equality_verdict(
    narrow: tuple[float, float], wide: tuple[float, float], bounds: tuple[float, float]
) -> str:
    """Verdict on "hardly differs" from the 90 % and the 95 % interval and the margin."""
    if np.isnan([*narrow, *wide]).any():
        return "undecided"
    if bounds[0] <= narrow[0] and narrow[1] <= bounds[1]:
        return "supported"
    return "not supported" if wide[0] > bounds[1] or wide[1] < bounds[0] else "undecided"


def _overall(said: pd.DataFrame) -> str:
    own = said.loc[list(DELIVERED)]
    if (own["verdict"] == "supported").all():
        return "supported"
    beyond = (own["wide_lower"] > own["margin_upper"]) | (own["wide_upper"] < own["margin_lower"])
    return "not supported" if beyond.any() else "undecided"


def _permuted(indicators: ServiceIndicators, times: int, seed: Seed) -> dict[str, float]:
    """Chance of differences as large, were tiers dealt out among the customers."""
    if times < 1:
        raise ValueError(f"permutations={times!r} must be at least 1")
    own = indicators.sums[indicators.sums["tier"].notna()]
    codes = own["tier"].cat.codes.to_numpy(dtype=np.int64)
    generator = np.random.default_rng(seed)
    found = _spreads(own, codes)
    reached = dict.fromkeys(INDICATORS, 0)
    for _ in range(times):
        for name, value in _spreads(own, generator.permutation(codes)).items():
            reached[name] += not value < found[name] * (1 - 1e-12)
    unknown = [name for name, value in found.items() if np.isnan(value)]
    return {
        name: np.nan if name in unknown else (1 + count) / (1 + times)
        for name, count in reached.items()
    }


def _spreads(own: pd.DataFrame, codes: Array) -> dict[str, float]:
    """Spread of each indicator between the tiers, weighed by what it is a share of."""
    spreads = {}
    for name, one in INDICATORS.items():
        top = np.bincount(codes, own[one.top].to_numpy())
        bottom = np.bincount(codes, own[one.bottom].to_numpy())
        if not (bottom.sum() > 0 and np.isfinite(top.sum())):
            spreads[name] = np.nan
            continue
        mean = top.sum() / bottom.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(bottom > 0, top / bottom - mean, 0.0)
        spreads[name] = float((bottom * apart**2).sum())
    return spreads


def holm(p_values: Array) -> Array:
    """Adjust p-values for their number (Holm 1979); NaN stays.

    Parameters
    ----------
    p_values : ndarray, shape (tests,)
        Their p-values.
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else []
    return adjusted
