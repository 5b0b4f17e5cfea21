"""Accounts whose discount is deeper than that of accounts like them.

Question: who gets more than others of its size, and what does that cost?  The deepest discounts are
not the answer: large accounts get more everywhere, and in a price war everybody does.
:func:`discount_outliers` compares like with like.  From each account's discount of a month it takes
away what accounts got on average in that month, and from its mean over the months what accounts of
its size (and, if wanted, of its region, industry ...) get.  What is left is its excess.

Months of one account go together (a sensed risk lasts), so its interval counts them as fewer
independent ones, by their first-order autocorrelation, which is estimated over all accounts.
Among a thousand accounts chance alone puts twenty-five above any 95 % interval; the list of those
called deep is therefore cut where one in twenty of it is expected to be there by chance.

Sources: Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57(1), for the cut;
Nickell (1981), Econometrica 49(6), for the bias of an autocorrelation within short series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, counted, made_up_note, report_html
from keycustomer.customers.table import Day, customer_periods
from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

LEAST_MONTHS = 6
"""Months with purchases below which an account is not judged."""

FEWEST = 20
"""Accounts below which there is nothing to compare with."""

MONTHS_A_YEAR = 12

STRONGEST = 0.95
"""Autocorrelation above which months tell next to nothing of one another's noise."""


@dataclass(frozen=True, eq=False)
class DeepDiscounts:
    """Discounts of accounts beside those of accounts like them.

    Attributes
    ----------
    frame : DataFrame
        One row an account, the largest excess first: customer_id, months, list_value (currency a
        month), discount (mean share of the list price), expected (for accounts like it), excess
        with lower and upper (shares of the list price), deep (whether it is called deep), and
        excess_value (excess of the list value, currency a year).
    autocorrelation : float
        Of an account's discounts from one month to the next.
    chance_share : float
        Share of those called deep that is expected to be there by chance, at most.
    like : tuple of str
        What accounts are compared by.
    excluded : DataFrame
        reason, customers.
    currency : str
        Unit of amounts.
    simulated : bool
        Whether the data are made up.
    level : float
        Level of the intervals.
    """

    frame: pd.DataFrame = field(repr=False)
    autocorrelation: float
    chance_share: float
    like: tuple[str, ...]
    excluded: pd.DataFrame = field(repr=False)
    currency: str
    simulated: bool
    level: float

    @property
    def deep(self) -> pd.DataFrame:
        """Accounts whose discount is deeper than that of their like, by more than chance."""
        return self.frame[self.frame["deep"]].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """The result in words."""
        own = self.deep
        if own.empty:
            return "No account has a deeper discount than accounts like it, by more than chance."
        verb = "has" if len(own) == 1 else "have"
        return (
            f"{len(own):,} of {counted(len(self.frame), 'account')} {verb} a deeper discount than "
            f"others by {', '.join(self.like)}, on average by {100 * own['excess'].mean():.1f} "
            f"points: {amount(float(own['excess_value'].sum()), self.currency)} a year."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an account."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        names = {"discount": "share discount", "expected": "share expected"}
        shown = self.deep.drop(columns="deep").rename(columns=names | {"excess": "share excess"})
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            f"Of those listed at most {100 * self.chance_share:.0f} % are expected by chance; "
            f"discounts of neighbouring months correlate by {self.autocorrelation:.2f}.",
        ]
        tables = {"Deeper than accounts like them": shown, "Left out": self.excluded}
        return report_html("Discounts like for like", said, tables)


def discount_outliers(
    base: CustomerBase,
    *,
    like: Sequence[str] = (),
    start: Day = None,
    end: Day = None,
    least_months: int = LEAST_MONTHS,
    chance_share: float = 0.05,
    level: float = 0.95,
) -> DeepDiscounts:
    """List the accounts whose discount is deeper than that of accounts like them.

    Parameters
    ----------
    base : CustomerBase
        A prepared base that knows discounts.
    like : sequence of str
        Columns of the customers table that accounts are compared by besides their size, such as
        ``("region", "industry")``.
    start, end : date or ISO string, optional
        First and last day, inclusive; default: all that was observed.
    least_months : int
        Months with purchases an account needs to be judged, at least 3.
    chance_share : float
        Share of those called deep that may be there by chance, 0..1.
    level : float
        Level of the intervals.

    Returns
    -------
    DeepDiscounts

    Raises
    ------
    ValueError
        When the base knows no discounts, a column is not there, fewer than 20 accounts can be
        compared, or an argument makes no sense.
    """
    checked_level(level)
    _check(base, like, least_months, chance_share)
    months = customer_periods(base, "month", start=start, end=end)
    panel, excluded = _panel(months, least_months)
    if panel["customer_id"].nunique() < FEWEST:
        raise ValueError(
            f"{counted(panel['customer_id'].nunique(), 'account')} with discounts known in "
            f"{least_months} months or more: at least {FEWEST} are needed to compare"
        )
    # what everybody got in a month, a price war say, is no account's own
    monthly = panel.groupby("period")["share"].transform("mean")
    panel = panel.assign(own=panel["share"] - monthly)
    rho = _autocorrelation(panel)
    accounts = _accounts(panel)
    design = _design(base, accounts, list(like))
    frame = _judged(accounts, design, rho, level, chance_share)
    return DeepDiscounts(
        frame=frame.sort_values(["excess", "customer_id"], ascending=[False, True]).reset_index(
            drop=True
        ),
        autocorrelation=rho,
        chance_share=chance_share,
        like=("size", *like),
        excluded=excluded,
        currency=base.currency,
        simulated=base.simulated,
        level=level,
    )


def _check(base: CustomerBase, like: Sequence[str], least_months: int, chance_share: float) -> None:
    if not base.has("transactions", "discount"):
        raise ValueError(
            f"{base.title}: the base knows no discounts; map discount, list_amount or list_price "
            "in the case file"
        )
    if isinstance(like, str):
        raise ValueError(f"like={like!r}: a sequence of columns is needed, such as ({like!r},)")
    missing = [name for name in like if not base.has("customers", name)]
    if missing:
        known = list(base.query("select * from customers limit 0").columns)
        raise ValueError(
            f"like: the customers table has no column {missing[0]!r}"
            + (did_you_mean(missing[0], known) or f"; there are {listed(known)}")
        )
    if isinstance(least_months, bool) or not isinstance(least_months, int) or least_months < 3:
        raise ValueError(f"least_months={least_months!r} must be a whole number of at least 3")
    if not 0 < chance_share < 1:
        raise ValueError(f"chance_share={chance_share!r} must be a share between 0 and 1")


def _panel(months: pd.DataFrame, least: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Discount share by account and month, and why accounts are left out."""
    listed_value = months["revenue"] + months["discount"]
    known = months.assign(list_value=listed_value)[listed_value > 0]
    known = known.assign(share=known["discount"] / known["list_value"])
    count = known.groupby("customer_id")["share"].transform("size")
    kept = known[count >= least]
    everybody, judged = months["customer_id"].nunique(), kept["customer_id"].nunique()
    rows = [(f"discounts known in fewer than {least} months", everybody - judged)]
    rows = [row for row in rows if row[1]]
    columns = ["customer_id", "period", "list_value", "share"]
    return kept[columns], pd.DataFrame(rows, columns=["reason", "customers"])


def _autocorrelation(panel: pd.DataFrame) -> float:
    """Correlate neighbouring months within accounts, put right for short series."""
    ordered = panel.sort_values(["customer_id", "period"])
    off = ordered["own"] - ordered.groupby("customer_id")["own"].transform("mean")
    number = ordered["period"].dt.year * MONTHS_A_YEAR + ordered["period"].dt.month
    follows = (ordered["customer_id"] == ordered["customer_id"].shift()) & (number.diff() == 1)
    before = off.shift()[follows]
    if float((before**2).sum()) <= 0:
        return 0.0
    found = float((off[follows] * before).sum() / (before**2).sum())
    length = float(ordered.groupby("customer_id").size().mean())
    return float(np.clip((found * (length - 1) + 1) / (length - 2), 0.0, STRONGEST))


def _accounts(panel: pd.DataFrame) -> pd.DataFrame:
    grouped = panel.groupby("customer_id", sort=True)
    return grouped.agg(
        months=("share", "size"),
        list_value=("list_value", "mean"),
        discount=("share", "mean"),
        own=("own", "mean"),
        variance=("own", "var"),
    ).reset_index()


def _design(base: CustomerBase, accounts: pd.DataFrame, like: list[str]) -> FloatArray:
    """Build a parabola in the logarithm of size, and a column a value of what accounts share."""
    size = np.log(accounts["list_value"].to_numpy(float))
    scaled = (size - size.mean()) / (size.std() or 1.0)
    columns = [np.ones_like(scaled), scaled, scaled**2]
    if like:
        names = ", ".join(f'"{name}"' for name in like)
        held = base.query(f"select customer_id, {names} from customers")  # noqa: S608
        held = held.drop_duplicates("customer_id").set_index("customer_id")
        values = held.reindex(accounts["customer_id"])[like].astype(str)
        dummies = pd.get_dummies(values, drop_first=True).to_numpy(float)
        columns += list(dummies.T)
    return np.column_stack(columns)


def _judged(
    accounts: pd.DataFrame, design: FloatArray, rho: float, level: float, chance_share: float
) -> pd.DataFrame:
    """Add what is expected, the excess with its interval, and who is called deep."""
    from scipy.stats import t

    own, months = accounts["own"].to_numpy(float), accounts["months"].to_numpy(float)
    fitted = design @ np.linalg.lstsq(design, own, rcond=None)[0]
    excess = own - fitted
    independent = np.maximum(months * (1 - rho) / (1 + rho), 2.0)
    # the spread around the own mean is too small where months go together
    variance = accounts["variance"] * (months - 1) / (months - months / independent)
    error = np.sqrt(variance.to_numpy(float) / independent)
    freedom = independent - 1
    reach = t.ppf((1 + level) / 2, freedom) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(error > 0, t.sf(excess / error, freedom), (excess <= 0).astype(float))
    return pd.DataFrame(
        {
            "customer_id": accounts["customer_id"],
            "months": accounts["months"],
            "list_value": accounts["list_value"],
            "discount": accounts["discount"],
            "expected": accounts["discount"] - excess,
            "excess": excess,
            "lower": excess - reach,
            "upper": excess + reach,
            "deep": few_by_chance(chance, chance_share),
            "excess_value": excess * accounts["list_value"] * MONTHS_A_YEAR,
        }
    )


def few_by_chance(chance: FloatArray, share: float) -> np.ndarray:
    """Mark those of many tests that stand, at most a share of them by chance.

    Parameters
    ----------
    chance : ndarray, shape (tests,)
        p-values.
    share : float
        Largest expected share of false ones among those marked (Benjamini & Hochberg 1995).

    Returns
    -------
    ndarray of bool, shape (tests,)
    """
    order = np.argsort(chance, kind="stable")
    under = chance[order] <= share * np.arange(1, len(chance) + 1) / len(chance)
    most = int(np.flatnonzero(under)[-1]) + 1 if under.any() else 0
    marked = np.zeros(len(chance), dtype=bool)
    marked[order[:most]] = True
    return marked
