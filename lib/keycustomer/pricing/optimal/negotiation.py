"""What one point of discount costs over the book of accounts, and what it can bring back.

Question: a customer, or all of them, ask for one point more; what does it cost, and how much more
would have to be sold to make up for it?  At an unchanged volume a point of the list price comes out
of the profit in full.  Volume makes up for a cut of the price by the share d only if it grows by

    dq / q = d / (m - d),    m = margin as a share of the price,

and more than all customers seldom buy that much more (:func:`break_even_volume`).
:func:`point_of_discount` tells the loss for the whole book and by tier, the volume that would break
even, and, where an own-price elasticity and the response of leaving to the price are given, how
much of the loss more usage and longer stay bring back.

Amounts are of the months ahead for a book of accounts as in an average month of the window (make
the waterfall of the last year alone where the book has grown); one customer is taken to leave as
readily as another of its tier.
:func:`true_point_of_discount` tells the same for a simulated company from its own future.

Sources: Nagle, Hogan & Zale (2011), "The Strategy and Tactics of Pricing", chapter 9, for the
break-even change of sales; Marn & Rosiello (1992), Harvard Business Review 70(5), 84-94.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, percent, report_html
from keycustomer.pricing.optimal.realisation import ALL, PriceWaterfall, price_waterfall
from keycustomer.simulate import Company
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.samples import FloatArray

DAYS_OF_MONTH = 365.25 / 12
"""Mean length of a month, days."""

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
            *(["Simulated data: made up by a program, no real customer."] * self.simulated),
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
    return np.where(enough, cut / np.where(enough, left, 1.0), np.nan)[()]


def point_of_discount(
    source: PriceWaterfall | CustomerBase,
    *,
    points: float = 0.01,
    elasticity: Response = None,
    retention_response: Response = None,
    churn: Response = None,
    horizon: int = 12,
    discount_rate: float = 0.0,
    tiers: pd.Series | None = None,
    level: float = 0.95,
    draws: int = 4000,
    seed: Seed = 0,
) -> PointOfDiscount:
    """Tell what further points of discount cost over the book, and what they bring back.

    Parameters
    ----------
    source : PriceWaterfall or CustomerBase
        From :func:`~keycustomer.pricing.optimal.realisation.price_waterfall`, or a base.
    points : float
        Further discount, share of the list price: .01 is one point; below 0 a point less.
    elasticity : float, Estimate, or mapping or Series of them by group, optional
        Own-price elasticity of usage, at most 0.
    retention_response : the same, optional
        Change of the log-odds of leaving in a month per log price, at least 0.  Needs `churn`.
    churn : the same, optional
        Monthly rate of leaving, 0..1.
    horizon : int
        Months looked ahead.
    discount_rate : float
        Effective rate per year at which amounts are discounted, a share; due at a month's end.
    tiers : Series, optional
        Tier by customer_id, where a base is given.
    level, draws, seed
        Intervals by normal draws of the responses that are given as `Estimate`; responses of
        different groups and kinds are drawn independently.

    Returns
    -------
    PointOfDiscount
        The row "all" is the sum of the groups.

    Raises
    ------
    ValueError
        When the cost of goods is not known, an argument is out of range, or a group has no
        response.
    """
    checked_level(level)
    if isinstance(source, CustomerBase):
        source = price_waterfall(source, tiers=tiers)
    elif tiers is not None:
        raise ValueError("tiers: give them to price_waterfall, where the groups are made")
    _check(source, points, horizon, discount_rate, retention_response, churn)
    book = _book(source)
    months = ((source.end - source.start).days + 1) / DAYS_OF_MONTH
    generator = np.random.default_rng(seed)
    known = {
        "elasticity": _draws(elasticity, "elasticity", book.index, draws, generator),
        "retention_response": _draws(
            retention_response, "retention_response", book.index, draws, generator
        ),
        "churn": _draws(churn, "churn", book.index, draws, generator),
    }
    _check_range(known)
    amounts = book[["list_value", "discount", "cost_of_goods", "cost_to_serve"]] / months
    effects = _effects(amounts.to_numpy(float), points, known, horizon, discount_rate)
    frame = _frame(book, effects, points, level, elasticity is None, retention_response is None)
    return PointOfDiscount(
        frame=frame,
        points=float(points),
        horizon=int(horizon),
        currency=source.currency,
        simulated=source.simulated,
        level=level,
        notes=tuple(_notes(source, elasticity, retention_response)),
    )


def _book(source: PriceWaterfall) -> pd.DataFrame:
    """Add up the window by group."""
    names = ["list_value", "discount", "cost_of_goods", "cost_to_serve"]
    # rebates stay what they are: they count as a cost of the customer
    customers = source.customers.assign(
        cost_to_serve=source.customers["cost_to_serve"].fillna(0) + source.customers["rebates"]
    )
    sums = customers.groupby("group")[names].sum()
    return sums.assign(customers=customers.groupby("group").size())


def _effects(
    amounts: FloatArray,
    points: float,
    known: Mapping[str, FloatArray],
    horizon: int,
    discount_rate: float,
) -> dict[str, FloatArray]:
    """Amounts over the horizon by draw and group; the first draw is the estimate itself."""
    listed, given, goods, serve = amounts.T
    invoice = listed - given
    ratio = 1 - points * listed / invoice
    worth = (1 + discount_rate) ** (-np.arange(1, horizon + 1) / 12)
    churn = known["churn"]
    before = _months(churn, worth)
    with np.errstate(divide="ignore"):
        odds = np.log(churn) - np.log1p(-churn) + known["retention_response"] * np.log(ratio)
    after = _months(1 / (1 + np.exp(-odds)), worth)
    growth = ratio ** known["elasticity"]
    margin = invoice - points * listed - goods
    loss = points * listed * before
    by_volume = (growth - 1) * margin * before
    by_retention = (growth * margin - serve) * (after - before)
    return {
        "list_value": listed * before,
        "invoice_value": invoice * before,
        "profit": (invoice - goods - serve) * before,
        "margin": (invoice - goods) * before,
        "loss": loss,
        "won_by_volume": by_volume,
        "won_by_retention": by_retention,
        "volume": (growth - 1) * listed * before,
    }


def _months(churn: FloatArray, worth: FloatArray) -> FloatArray:
    """Count the expected months, at present worth, of a customer there at the start."""
    stays = (1 - churn)[..., None] ** np.arange(len(worth))
    months: FloatArray = stays @ worth
    return months


def _frame(
    book: pd.DataFrame,
    effects: Mapping[str, FloatArray],
    points: float,
    level: float,
    no_volume: bool,
    no_retention: bool,
) -> pd.DataFrame:
    groups = list(book.index)
    whole = {name: by.sum(axis=1, keepdims=True) for name, by in effects.items()}
    one = groups == [ALL]
    parts = whole if one else {n: np.hstack([whole[n], effects[n]]) for n in effects}
    point = {name: by[0] for name, by in parts.items()}
    cut = points * point["list_value"] / point["invoice_value"]
    needed = break_even_volume(cut, point["margin"] / point["invoice_value"])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(point["profit"] > 0, point["loss"] / point["profit"], np.nan)
        break_even = np.log1p(needed) / np.log1p(-cut)
    won = parts["won_by_volume"] + parts["won_by_retention"]
    back = won / parts["loss"]
    tail = (1 - level) / 2
    spread = len(back) > 1
    lower, upper = np.quantile(back, [tail, 1 - tail], axis=0) if spread else (np.nan, np.nan)
    neither = no_volume and no_retention
    return pd.DataFrame(
        {
            "group": [ALL] if one else [ALL, *groups],
            "customers": [
                int(book["customers"].sum()),
                *([] if one else book["customers"].astype(int)),
            ],
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
    given: Response, name: str, groups: pd.Index, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Values by draw and group: the estimates first, then normal draws where there is an interval.

    Without any interval there is one row.
    """
    if given is None:
        return np.zeros((1, len(groups)))
    if isinstance(given, Mapping | pd.Series):
        by_group: Mapping[str, Any] = dict(given)
        missing = [group for group in groups if group not in by_group]
        if missing:
            raise ValueError(
                f"{name}: nothing for {', '.join(map(repr, missing))}; the groups are "
                f"{', '.join(map(repr, groups))}"
            )
        values = [by_group[group] for group in groups]
        shared = False
    else:
        values, shared = [given], True
    columns = np.column_stack([_drawn(value, name, draws, generator) for value in values])
    return np.repeat(columns, len(groups), axis=1) if shared else columns


def _drawn(value: Any, name: str, draws: int, generator: np.random.Generator) -> FloatArray:
    if isinstance(value, Estimate):
        reach = value.upper - value.lower
        if not np.isfinite([value.estimate, reach]).all():
            raise ValueError(f"{name}: the estimate {value} has no interval; give its number alone")
        spread = reach / (2 * NormalDist().inv_cdf((1 + value.level) / 2))
        noise = generator.standard_normal(draws)
        return np.append(value.estimate, value.estimate + spread * noise)
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        raise ValueError(f"{name}={value!r} must be a finite number or an Estimate")
    return np.full(draws + 1, float(value))


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


def _notes(source: PriceWaterfall, elasticity: Response, retention_response: Response) -> list[str]:
    notes = list(source.notes)
    if elasticity is None:
        notes.append("no elasticity was given: volume is taken as unchanged")
    if retention_response is None:
        notes.append("no response of leaving was given: retention is taken as unchanged")
    notes.append("competitors are taken not to answer; where they follow, nothing is won back")
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
    from keycustomer.pricing.optimal.true_discounts import future_of

    future = future_of(company, points, horizon, discount_rate)
    group = future["customer_id"].map(tiers) if tiers is not None else None
    rows = [(ALL, future)]
    if group is not None:
        rows += [(str(name), own) for name, own in future.groupby(group)]
    frame = pd.DataFrame(
        [
            {"group": name, "customers": int(own["there"].sum())}
            | {"loss": own["loss"].sum(), "net": own["net"].sum()}
            for name, own in rows
        ]
    )
    return frame.assign(won_back=1 + frame["net"] / frame["loss"])
