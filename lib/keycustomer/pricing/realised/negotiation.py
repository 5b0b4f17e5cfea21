"""What one point of discount costs over the book of accounts, and what it can bring back.

Question: a customer, or all of them, ask for one point more; what does it cost, and how much more
would have to be sold to make up for it?  At an unchanged volume a point of the list price comes out
of the profit in full.  Volume makes up for a cut of the price by the share d only if it grows by

    dq / q = d / (m - d),    m = margin as a share of the price,

and more than all customers seldom buy that much more (:func:`break_even_volume`).
:func:`point_of_discount` tells the loss for the whole book and by tier, the volume that would break
even, and, where an own-price elasticity and the response of leaving to the price are given, how
much of the loss more usage and longer stay bring back.

Amounts are of the months ahead.  They are added up account by account: who leaves readily counts
for fewer months, and soon is gone.  So give the rate of leaving, and the responses, by customer
where you have them: with one mean rate for all, retention seems to bring back too much.
:func:`true_point_of_discount` tells the same for a simulated company from its own future.

Sources: Nagle, Hogan & Zale (2011), "The Strategy and Tactics of Pricing", chapter 9, for the
break-even change of sales; Marn & Rosiello (1992), Harvard Business Review 70(5), 84-94.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, counted, made_up_note, percent, report_html
from keycustomer.pricing.realised.waterfall import (
    ALL,
    DAYS_OF_MONTH,
    PriceWaterfall,
    price_waterfall,
)
from keycustomer.simulate import Company
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.samples import FloatArray

LEAST_PRICE = 0.01
"""Least part of today's price that a discount leaves."""

SAME = 1e-12
"""Difference from 1 that rounding alone makes."""

CHUNK = 2**19
"""Draws times customers computed at once."""

MONTHS_A_YEAR = 12

Response = float | Estimate | Mapping[str, "float | Estimate"] | pd.Series | None


@dataclass(frozen=True, eq=False)
class PointOfDiscount:
    """What points of discount cost, and what they bring back.

    Attributes
    ----------
    frame : DataFrame
        One row a group ("all" first): group; customers; list_value, profit (currency over the
        horizon, as today); loss (at unchanged volume and retention, currency) and loss_share (of
        the profit); break_even_volume (share by which volume must grow; NaN where none would do)
        and break_even_elasticity (the own-price elasticity at which it does); volume_change
        (share), won_by_volume, won_by_retention (currency); won_back (share of the loss) with
        lower and upper; net (profit change, currency).  Columns for which no response was given
        are NaN.
    points : float
        Further discount, share of the list price.
    horizon : int
        Months.
    currency : str
        Unit of amounts.
    simulated : bool
        Whether the data are made up.
    level : float
        Level of the intervals.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    points: float
    horizon: int
    currency: str
    simulated: bool
    level: float
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The result in words."""
        row = self.frame.iloc[0]
        told = (
            f"{self._named()} more for everybody costs {amount(row['loss'], self.currency)} in "
            f"{self.horizon} months, {percent(row['loss_share'])} of the profit; "
        )
        told += (
            f"volume would have to grow by {percent(row['break_even_volume'])} to make up for it"
            if np.isfinite(row["break_even_volume"])
            else "no volume makes up for it"
        )
        if np.isnan(row["won_back"]):
            return told + "."
        back = Estimate(row["won_back"], row["lower"], row["upper"], "share", 0, "", self.level)
        return f"{told}; usage and retention bring back {back.as_percent(0)} of it."

    def _named(self) -> str:
        given = round(100 * self.points, 4)
        return "One point of discount" if given == 1 else f"{given:g} points of discount"

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            *self.notes,
        ]
        shown = self.frame.rename(
            columns={
                "loss_share": "share of profit lost",
                "break_even_volume": "share of volume to break even",
                "won_back": "share won back",
                "volume_change": "share of volume gained",
            }
        )
        return report_html("What a point of discount costs", said, {"By group": shown})


def break_even_volume(price_cut: npt.ArrayLike, margin_share: npt.ArrayLike) -> Any:
    """Share by which volume must change so that a change of the price leaves the margin.

    Parameters
    ----------
    price_cut : array_like
        Share of today's price taken off; below 0 for a rise, for which the result is the loss of
        volume that can be borne.
    margin_share : array_like
        Margin today, share of the price, at most 1.

    Returns
    -------
    float or ndarray
        ``d / (m - d)``; NaN where the cut takes the whole margin, so that no volume is enough.

    Examples
    --------
    >>> round(break_even_volume(0.10, 0.30), 4)
    0.5
    >>> round(break_even_volume(-0.10, 0.30), 4)
    -0.25
    """
    cut, margin = np.asarray(price_cut, dtype=float), np.asarray(margin_share, dtype=float)
    left = margin - cut
    # a margin of exactly the cut leaves nothing, up to rounding
    enough = (left > 1e-12) & (margin > 0)
    growth = np.where(enough, cut / np.where(enough, left, 1.0), np.nan)
    return growth if growth.ndim else float(growth)


def point_of_discount(
    source: PriceWaterfall | CustomerBase,
    *,
    points: float = 0.01,
    elasticity: Response = None,
    retention_response: Response = None,
    churn: Response = None,
    present: Iterable[str] | None = None,
    horizon: int = 12,
    discount_rate: float = 0.0,
    tiers: pd.Series | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> PointOfDiscount:
    """Tell what further points of discount cost over the book, and what they bring back.

    Parameters
    ----------
    source : PriceWaterfall or CustomerBase
        From :func:`~keycustomer.pricing.realised.waterfall.price_waterfall`, or a base.
    points : float
        Further discount, share of the list price: .01 is one point; below 0 a point less.
    elasticity : float, Estimate, or mapping or Series of them, optional
        Own-price elasticity of usage, at most 0: one for all, by group, or by customer_id.
    retention_response : the same, optional
        Change of the log-odds of leaving in a month per log price, at least 0.  Needs `churn`.
    churn : the same, optional
        Monthly rate of leaving, 0..1.
    present : iterable of str, optional
        Ids of the customers who are there at the end of the window: the book is then theirs, each
        at its own mean month.  Left out, the book is that of an average month of the window.
    horizon : int
        Months looked ahead.
    discount_rate : float
        Effective rate per year at which amounts are discounted, a share; due at a month's end.
    tiers : Series, optional
        Tier by customer_id, where a base is given.
    level, draws, seed
        Intervals by normal draws of the responses that are given as `Estimate`; different ones are
        drawn independently.

    Returns
    -------
    PointOfDiscount
        The row "all" is the sum of the groups.

    Raises
    ------
    ValueError
        When the cost of goods is not known, an argument is out of range, or somebody has no
        response.
    """
    checked_level(level)
    if isinstance(source, CustomerBase):
        source = price_waterfall(source, tiers=tiers)
    elif tiers is not None:
        raise ValueError("tiers: give them to price_waterfall, where the groups are made")
    _check(source, points, horizon, discount_rate, retention_response, churn)
    book = _book(source, present)
    generator = np.random.default_rng(seed)
    given = {"elasticity": elasticity, "retention_response": retention_response, "churn": churn}
    known = {name: _draws(value, name, book, draws, generator) for name, value in given.items()}
    _check_range(known)
    sums = _sums(book, known, float(points), horizon, discount_rate)
    return PointOfDiscount(
        frame=_frame(book, sums, level, elasticity is None, retention_response is None),
        points=float(points),
        horizon=int(horizon),
        currency=source.currency,
        simulated=source.simulated,
        level=level,
        notes=tuple(_notes(source, given)),
    )


def _book(source: PriceWaterfall, present: Iterable[str] | None) -> pd.DataFrame:
    """Amounts a month by customer."""
    customers = source.customers
    window = ((source.end - source.start).days + 1) / DAYS_OF_MONTH
    months: Any = window
    if present is not None:
        there = customers["customer_id"].isin([str(one) for one in present])
        if not there.any():
            raise ValueError(
                "present: none of these customers is in the waterfall; give customer_ids, such as "
                f"{customers['customer_id'].iloc[:3].tolist()}"
            )
        customers = customers[there]
        months = customers["months"].to_numpy(float)
    # rebates stay what they are: they count as a cost of the customer
    serve = customers["cost_to_serve"].fillna(0) + customers["rebates"]
    return pd.DataFrame(
        {
            "customer_id": customers["customer_id"],
            "group": customers["group"],
            "list_value": customers["list_value"] / months,
            "invoice_value": customers["invoice_value"] / months,
            "cost_of_goods": customers["cost_of_goods"] / months,
            "cost_to_serve": serve / months,
        }
    ).reset_index(drop=True)


def _sums(
    book: pd.DataFrame,
    known: Mapping[str, FloatArray],
    points: float,
    horizon: int,
    discount_rate: float,
) -> dict[str, FloatArray]:
    """Add up the amounts by draw and group, "all" first; the first draw is the estimate itself."""
    groups = pd.get_dummies(book["group"]).to_numpy(float)
    of = np.ones((len(book), 1)) if groups.shape[1] == 1 else np.insert(groups, 0, 1.0, axis=1)
    count = max(len(values) for values in known.values())
    rows = max(1, CHUNK // len(book))
    parts = []
    for start in range(0, count, rows):
        some = {n: v if len(v) == 1 else v[start : start + rows] for n, v in known.items()}
        shape = (min(rows, count - start), of.shape[1])
        effects = _effects(book, some, points, horizon, discount_rate)
        parts.append({n: np.broadcast_to(values @ of, shape) for n, values in effects.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _effects(
    book: pd.DataFrame,
    known: Mapping[str, FloatArray],
    points: float,
    horizon: int,
    discount_rate: float,
) -> dict[str, FloatArray]:
    """Amounts over the horizon by draw and customer."""
    listed, invoice, goods, serve = book.iloc[:, 2:].to_numpy(float).T
    cut = points * listed
    # who pays next to nothing already cannot be given the whole of it
    ratio = np.maximum(1 - cut / np.where(invoice > 0, invoice, np.inf), LEAST_PRICE)
    factor = (1 + discount_rate) ** (-1 / MONTHS_A_YEAR)
    churn = known["churn"]
    before = _months(churn, factor, horizon)
    with np.errstate(divide="ignore"):
        odds = np.log(churn) - np.log1p(-churn) + known["retention_response"] * np.log(ratio)
    after = _months(1 / (1 + np.exp(-odds)), factor, horizon)
    growth = ratio ** known["elasticity"]
    margin = invoice - cut - goods
    return {
        "list_value": listed * before,
        "invoice_value": invoice * before,
        "margin": (invoice - goods) * before,
        "profit": (invoice - goods - serve) * before,
        "loss": cut * before,
        "volume": (growth - 1) * listed * before,
        "won_by_volume": (growth - 1) * margin * before,
        "won_by_retention": (growth * margin - serve) * (after - before),
    }


def _months(churn: FloatArray, factor: float, horizon: int) -> FloatArray:
    """Count the expected months, at present worth, of a customer there at the start."""
    stays = (1 - churn) * factor
    forever = stays >= 1 - SAME
    closed = (1 - stays**horizon) / np.where(forever, 1.0, 1 - stays)
    months: FloatArray = factor * np.where(forever, float(horizon), closed)
    return months


def _frame(
    book: pd.DataFrame,
    sums: Mapping[str, FloatArray],
    level: float,
    no_volume: bool,
    no_retention: bool,
) -> pd.DataFrame:
    sizes = book.groupby("group").size()
    single = len(sizes) == 1
    point = {name: values[0] for name, values in sums.items()}
    cut = point["loss"] / point["invoice_value"]
    needed = break_even_volume(cut, point["margin"] / point["invoice_value"])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(point["profit"] > 0, point["loss"] / point["profit"], np.nan)
        break_even = np.log1p(needed) / np.log1p(-cut)
    won = sums["won_by_volume"] + sums["won_by_retention"]
    back = won / sums["loss"]
    tail = (1 - level) / 2
    lower, upper = (
        np.quantile(back, [tail, 1 - tail], axis=0) if len(back) > 1 else (np.nan, np.nan)
    )
    neither = no_volume and no_retention
    return pd.DataFrame(
        {
            "group": [ALL] if single else [ALL, *map(str, sizes.index)],
            "customers": [len(book)] if single else [len(book), *map(int, sizes)],
            "list_value": point["list_value"],
            "profit": point["profit"],
            "loss": point["loss"],
            "loss_share": share,
            "break_even_volume": needed,
            "break_even_elasticity": break_even,
            "volume_change": np.nan if no_volume else point["volume"] / point["list_value"],
            "won_by_volume": np.nan if no_volume else point["won_by_volume"],
            "won_by_retention": np.nan if no_retention else point["won_by_retention"],
            "won_back": np.nan if neither else back[0],
            "lower": np.nan if neither else lower,
            "upper": np.nan if neither else upper,
            "net": won[0] - point["loss"],
        }
    )


def _draws(
    given: Response, name: str, book: pd.DataFrame, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Values by draw and customer: the estimates first, then draws where there is an interval.

    Without any interval there is one row.
    """
    if given is None:
        return np.zeros((1, len(book)))
    if not isinstance(given, Mapping | pd.Series):
        drawn = _drawn(given, name, draws, generator)
        return np.repeat(drawn[:, None], len(book), axis=1)
    held: dict[Any, Any] = dict(given)
    whose = book["group"] if set(book["group"]) <= set(held) else book["customer_id"]
    missing = [one for one in whose.unique() if one not in held]
    if missing:
        raise ValueError(
            f"{name}: nothing for {counted(len(missing), 'customer')}, first "
            f"{', '.join(map(repr, missing[:3]))}; give it by customer_id, or by group: "
            f"{', '.join(map(repr, book['group'].unique()))}"
        )
    places, keys = pd.factorize(whose)
    columns = [_drawn(held[key], name, draws, generator) for key in keys]
    length = max(map(len, columns))
    filled = [column if len(column) == length else np.repeat(column, length) for column in columns]
    return np.column_stack(filled)[:, places]


def _drawn(value: Any, name: str, draws: int, generator: np.random.Generator) -> FloatArray:
    """One value, or the estimate and its draws."""
    if isinstance(value, Estimate):
        if not np.isfinite([value.estimate, value.standard_error]).all():
            raise ValueError(f"{name}: the estimate {value} has no interval; give its number alone")
        noise = generator.standard_normal(draws)
        return np.append(value.estimate, value.estimate + value.standard_error * noise)
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        raise ValueError(f"{name}={value!r} must be a finite number or an Estimate")
    return np.array([float(value)])


def _check(
    source: PriceWaterfall,
    points: float,
    horizon: int,
    discount_rate: float,
    retention_response: Response,
    churn: Response,
) -> None:
    if source.customers["cost_of_goods"].isna().any():
        raise ValueError(
            "the cost of goods is not known, so that no margin is: record costs, or give "
            "price_waterfall a margin"
        )
    share = source.share("invoice value")
    if isinstance(points, bool) or not isinstance(points, Real) or not 0 < abs(points) < share:
        raise ValueError(
            f"points={points!r} must be a share of the list price other than 0 and below "
            f"{share:.2f}, what is invoiced today; one point is .01"
        )
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise ValueError(f"horizon={horizon!r} must be a whole number of months of at least 1")
    if not 0 <= discount_rate <= 1:
        raise ValueError(f"discount_rate={discount_rate!r} must be a share a year, 0 to 1")
    if retention_response is not None and churn is None:
        raise ValueError(
            "retention_response needs churn, the monthly rate of leaving: without it nobody can be "
            "kept longer"
        )


def _check_range(known: Mapping[str, FloatArray]) -> None:
    for name, low, high, why in (
        ("elasticity", -np.inf, 0.0, "a rise of usage with the price is not a demand curve"),
        ("retention_response", 0.0, np.inf, "leaving less at a higher price is not plausible"),
        ("churn", 0.0, 1.0, "it is a rate a month"),
    ):
        point = known[name][0]
        wrong = ~((point >= low) & (point <= high))
        if wrong.any():
            raise ValueError(
                f"{name}={point[wrong][0]:g} must lie between {low:g} and {high:g}: {why}"
            )


def _notes(source: PriceWaterfall, given: Mapping[str, Response]) -> list[str]:
    notes = list(source.notes)
    if given["elasticity"] is None:
        notes.append("no elasticity was given: volume is taken as unchanged")
    if given["retention_response"] is None:
        notes.append("no response of leaving was given: retention is taken as unchanged")
    elif not isinstance(given["churn"], Mapping | pd.Series):
        notes.append("one rate of leaving for all: what retention brings back is overrated")
    if given["elasticity"] is not None or given["retention_response"] is not None:
        notes.append("competitors are taken not to answer; where they follow, less is won back")
    return notes


def true_point_of_discount(
    company: Company | CustomerBase,
    *,
    points: float = 0.01,
    horizon: int = 12,
    discount_rate: float = 0.0,
    tiers: pd.Series | None = None,
) -> pd.DataFrame:
    """Tell what further points of discount would truly cost in a simulated company.

    Parameters
    ----------
    company : Company or CustomerBase
        The company, or the base of one.
    points, horizon, discount_rate
        As in :func:`point_of_discount`.
    tiers : Series, optional
        Tier by customer_id.

    Returns
    -------
    DataFrame
        One row a group ("all" first): group; customers (there at the end of the window); loss (at
        unchanged volume and retention), net (expected change of profit), both currency over the
        months ahead; won_back (share of the loss).

    Raises
    ------
    ValueError
        When the data are real.
    """
    from keycustomer.pricing.realised.true_discounts import future_of

    future = future_of(company, points, horizon, discount_rate)
    rows = [(ALL, future)]
    if tiers is not None:
        group = future["customer_id"].map(tiers)
        rows += [(str(name), own) for name, own in future.groupby(group)]
    frame = pd.DataFrame(
        [
            {"group": name, "customers": int(own["there"].sum())}
            | {"loss": own["loss"].sum(), "net": own["net"].sum()}
            for name, own in rows
        ]
    )
    return frame.assign(won_back=1 + frame["net"] / frame["loss"])
