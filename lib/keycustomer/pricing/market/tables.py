"""The market table: products by market with prices and shares, checked before anything is fitted.

Can demand be read from this table?  :func:`read_market` takes a prepared base with a market table,
or a frame, and gives a `MarketTable`: a row a product and market, with its price, its share of all
who could have bought (the rest, the outside share, bought nothing or something else), and every
other column as numbers where it holds numbers.  A share is given, or made of a quantity and the
size of the market.

Source: Berry (1994), RAND Journal of Economics 25, 242-262 (outside share and market size).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.panels.names import names_of
from keycustomer.pricing.panels.numbers import numbers_in
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.customers import CustomerBase

SHOWN = 5
"""Rows named in a message."""

ROOM = 1e-10
"""Least outside share: below it the logarithm of the outside share is only rounding."""


@dataclass(frozen=True, eq=False)
class MarketTable:
    """Products by market, ready for a demand model.

    Attributes
    ----------
    frame : DataFrame
        Sorted by market and product: market, product (text), price (paid per unit), share (of all
        who could have bought, 0..1), firm (text, where known), then all other columns.
    size : Series or None
        Size of each market (index market), units that could have been bought; None where unknown.
    excluded : DataFrame
        What was left out and why: reason, rows.
    notes : tuple of str
        What was done to the rows.
    simulated : bool
        Whether the data are simulated.
    currency : str
        Currency of the prices; empty where unknown.
    """

    frame: pd.DataFrame = field(repr=False)
    size: pd.Series | None = field(default=None, repr=False)
    excluded: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["reason", "rows"]))
    notes: tuple[str, ...] = ()
    simulated: bool = False
    currency: str = ""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.frame)

    @property
    def markets(self) -> list[str]:
        """Names of the markets in the order of the rows."""
        return self.frame["market"].drop_duplicates().tolist()

    @property
    def outside_share(self) -> pd.Series:
        """Share of each market that bought none of the products (index market)."""
        return 1 - self.frame.groupby("market", sort=False)["share"].sum().rename("outside_share")

    @property
    def places(self) -> dict[str, np.ndarray]:
        """Positions of the rows of every market, in the order of the rows."""
        found = self.frame.groupby("market", sort=False).indices
        return {str(name): np.asarray(rows) for name, rows in found.items()}

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of the rows."""
        return self.frame.copy()

    def numbers(self, name: str, role: str) -> FloatArray:
        """Give a column as known, finite numbers.

        Raises
        ------
        ValueError
            When there is no such column, or it holds something else.
        """
        need_column(self.frame, name, role)
        values = pd.to_numeric(self.frame[name], errors="coerce").to_numpy(float)
        wrong = ~np.isfinite(values)
        if wrong.any():
            raise ValueError(
                f"{role} {name!r} must hold known numbers, {wrong.sum():,} of {len(values):,} are "
                f"not: {rows_in_words(self.frame, wrong, name)}; for a text give it as an effect"
            )
        return values

    @property
    def sentence(self) -> str:
        """What the table holds, in words."""
        outside = self.outside_share
        data = "Simulated" if self.simulated else "Data"
        return (
            f"{data}: {len(self):,} rows, {self.frame['product'].nunique():,} products in "
            f"{len(outside):,} markets; {100 * outside.mean():.1f} % of a market buy none of "
            f"them on average ({100 * outside.min():.1f} % to {100 * outside.max():.1f} %)"
        )

    def _repr_html_(self) -> str:
        said = [f"{self.sentence}.", *self.notes]
        return report_html("Market table", said, {"Excluded": self.excluded, "Rows": self.frame})


def read_market(
    data: CustomerBase | pd.DataFrame | MarketTable,
    *,
    market: str = "market",
    product: str = "product",
    price: str = "price",
    share: str = "share",
    firm: str = "firm",
    quantity: str | None = None,
    market_size: str | float | pd.Series | None = None,
) -> MarketTable:
    """Read and check a market table.

    Parameters
    ----------
    data : CustomerBase, DataFrame or MarketTable
        A prepared base with a market table, or rows; a `MarketTable` is given back as it is.
    market, product, price, share, firm : str
        Columns of the source; `firm` may be missing.
    quantity : str, optional
        Column of the quantity sold, from which shares are made; needs `market_size`.
    market_size : str, float or Series, optional
        Units that could have been bought: a column, one number for all markets, or a series by
        market.

    Returns
    -------
    MarketTable
        Rows without a share or price, or with a share of 0, are left out and counted: the logit has
        no utility that explains a share of 0.

    Raises
    ------
    TypeError
        When `data` is something else.
    ValueError
        When columns are missing, a price, share or quantity is no number, a market has two sizes,
        a product comes twice in a market, a price or share is not above 0, shares of a market do
        not sum below 1, or no row is left.
    """
    if isinstance(data, MarketTable):
        return data
    rows, simulated, currency = source_rows(data)
    for name, role in ((market, "market"), (product, "product"), (price, "price")):
        need_column(rows, name, role)
    rows = rows.rename(columns={market: "market", product: "product", price: "price"})
    if firm in rows:
        rows = rows.rename(columns={firm: "firm"}).assign(firm=lambda one: names_of(one["firm"]))
    rows = rows.assign(
        market=names_of(rows["market"]),
        product=names_of(rows["product"]),
        price=numbers_in(rows["price"], f"column {price!r} of the market table"),
    )
    rows, size = _with_share(rows, share, quantity, market_size)
    rows, excluded = _known(rows)
    rows = rows.sort_values(["market", "product"], kind="stable").reset_index(drop=True)
    _check(rows)
    notes = tuple(f"{n:,} rows left out: {why}." for why, n in excluded.values)
    return MarketTable(_ordered(rows), size, excluded, notes, simulated, currency)


def need_owners(frame: pd.DataFrame, column: str) -> None:
    """Check that a frame names the owner of every product.

    Raises
    ------
    ValueError
        When there is no such column, or some owners are missing.
    """
    need_column(frame, column, "ownership")
    missing = frame[column].isna()
    if missing.any():
        raise ValueError(
            f"ownership: {column!r} is missing for {missing.sum():,} rows: "
            f"{rows_in_words(frame, missing, column)}"
        )


def need_column(frame: pd.DataFrame, name: str, role: str) -> None:
    """Check that a frame has a column.

    Raises
    ------
    ValueError
        When it has not, or more than one of that name.
    """
    if name not in frame.columns:
        raise ValueError(
            f"{role}: the market table has no column {name!r}; it has {list(frame.columns)}"
        )
    if int((frame.columns == name).sum()) > 1:
        raise ValueError(f"{role}: the market table has {name!r} more than once; name each apart")


def rows_in_words(frame: pd.DataFrame, wrong: Any, column: str) -> str:
    """Name the first offending rows by market and product, with the value they hold."""
    first = frame[np.asarray(wrong)].head(SHOWN)
    told = zip(first["market"], first["product"], first[column], strict=True)
    return ", ".join(f"{product} in {market} ({value!r})" for market, product, value in told)


def source_rows(data: Any) -> tuple[pd.DataFrame, bool, str]:
    """Give the rows of a base's market table or of a frame, whether simulated, and the currency.

    Raises
    ------
    TypeError
        When `data` is something else.
    ValueError
        When the base has no market table.
    """
    if isinstance(data, pd.DataFrame):
        return data.copy(), bool(data.attrs.get("simulated", False)), ""
    if not hasattr(data, "query"):
        raise TypeError(
            f"data={type(data).__name__}: give a prepared base with a market table, a DataFrame "
            "or a MarketTable"
        )
    if "market" not in data.tables:
        raise ValueError(
            "the base has no market table (columns market, product, price, share): name one in the "
            f"case file; it has {sorted(data.tables)}"
        )
    rows = data.query("select * from market")
    for name in rows.columns.difference(["market", "product"]):
        rows[name] = _as_numbers(rows[name])
    return rows, bool(data.simulated), str(getattr(data, "currency", "") or "")


def _as_numbers(values: pd.Series) -> pd.Series:
    """Turn a column that holds only numbers (as text, or with fixed digits) into floats."""
    known = values.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    if len(known) and numbers.notna().all():
        return pd.to_numeric(values, errors="coerce").astype(float)
    return values


def _with_share(
    rows: pd.DataFrame, share: str, quantity: str | None, size: str | float | pd.Series | None
) -> tuple[pd.DataFrame, pd.Series | None]:
    """Give rows their share, from quantity and size of the market where these are named."""
    sizes = None if size is None else _sizes(rows, size)
    by_market = None if sizes is None else sizes.groupby(rows["market"], sort=True).first()
    if quantity is None:
        need_column(rows, share, "share")
        numbers = numbers_in(rows[share], f"column {share!r} of the market table")
        return rows.rename(columns={share: "share"}).assign(share=numbers), by_market
    if sizes is None:
        raise ValueError(
            f"quantity={quantity!r} needs market_size: the units that all who could have bought "
            "would take (a number, a column, or a series by market); it decides the outside share"
        )
    need_column(rows, quantity, "quantity")
    sold = numbers_in(rows[quantity], f"column {quantity!r} of the market table")
    return rows.drop(columns="share", errors="ignore").assign(share=sold / sizes), by_market


def _sizes(rows: pd.DataFrame, size: str | float | pd.Series) -> pd.Series:
    if isinstance(size, pd.Series):
        named = size.set_axis(names_of(size.index.to_series()))
        twice = named.index[named.index.duplicated()]
        if len(twice):
            raise ValueError(
                f"market_size names {sorted(set(twice))[:SHOWN]} more than once; give each market "
                "one size"
            )
        values = rows["market"].map(named)
    elif isinstance(size, str):
        need_column(rows, size, "market_size")
        values = numbers_in(rows[size], f"column {size!r} of the market table")
    else:
        values = pd.Series(float(size), index=rows.index)
    _check_sizes(rows["market"], values)
    return values.astype(float)


def _check_sizes(market: pd.Series, values: pd.Series) -> None:
    """Refuse sizes that are none, and a market with two of them."""
    named = market.notna()
    wrong = named & ~((values > 0) & (values < np.inf))
    if wrong.any():
        raise ValueError(
            "market_size must be above 0 in every market, and finite; it is not in "
            f"{sorted(set(market[wrong]))[:SHOWN]}"
        )
    sizes = values.groupby(market).nunique()
    several = sizes.index[sizes > 1].tolist()
    if several:
        raise ValueError(
            f"market_size differs between the rows of {len(several):,} markets, first "
            f"{several[:SHOWN]}: a market has one size, which decides its outside share"
        )


def _known(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out rows that no demand model can use, counted by reason."""
    unknown = rows[["price", "share"]].isna().any(axis=1)
    unsold = ~unknown & (rows["share"] == 0)
    unnamed = rows[["market", "product"]].isna().any(axis=1)
    unknown, unsold = unknown & ~unnamed, unsold & ~unnamed
    reasons = {
        "no market or no product is named": unnamed,
        "no price or no share is known": unknown,
        "nothing was sold (share 0)": unsold,
    }
    counts = [(why, int(which.sum())) for why, which in reasons.items() if which.any()]
    kept = rows[~(unnamed | unknown | unsold)]
    if kept.empty:
        raise ValueError(
            f"no row of the market table has a price and a share above 0 (of {len(rows):,} rows: "
            f"{dict(counts)})"
        )
    return kept, pd.DataFrame(counts, columns=["reason", "rows"])


def _check(rows: pd.DataFrame) -> None:
    """Collect what makes the rows unfit, and say all of it."""
    twice = rows.duplicated(["market", "product"], keep=False)
    found = [(twice, "price", "a product twice in a market (sum them up first)")]
    for column in ("price", "share"):
        wrong = ~(rows[column] > 0) | np.isinf(rows[column])
        found.append((wrong, column, f"a {column} that is not above 0 and finite"))
    complaints = [
        f"{which.sum():,} rows have {what}: {rows_in_words(rows, which, column)}"
        for which, column, what in found
        if which.any()
    ]
    full = rows.groupby("market")["share"].sum().loc[lambda total: total > 1 - ROOM]
    if len(full):
        told = ", ".join(f"{name} ({total:.3f})" for name, total in full.head(SHOWN).items())
        complaints.append(
            f"shares must sum below 1 in every market, they do not in {len(full):,}: {told}; a "
            "share is of all who could have bought: give quantity and market_size, or use "
            "usage_market for products that are bought side by side"
        )
    if complaints:
        raise ValueError("the market table is not fit for a demand model: " + "; ".join(complaints))


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    first = [n for n in ("market", "product", "firm", "price", "share") if n in rows]
    return rows[[*first, *(name for name in rows if name not in first)]]
