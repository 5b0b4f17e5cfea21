"""The price panel of accounts: customers by month, all that they buy taken together.

Question: how does what an account uses in a month follow the price it pays?  Quantity is what was
used at constant list prices; price is what was paid per unit of that, so that it falls with a
deeper discount and with a lower list price alike.  Where the base has a market table by region
and month, the competitors' price, the list price and shocks of unit cost stand beside: a shock of
wholesale cost moves the discounts of a region and month and nothing else, an instrument.

Source: Diewert (1976), Journal of Econometrics 4, 115-145, on quantities at constant prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.statements import statement_of
from keycustomer.pricing.panels.panel import PricePanel, exclusions
from keycustomer.pricing.panels.sales import PACKAGE, tier_rows

if TYPE_CHECKING:
    from keycustomer.simulate import Company

PRODUCT = "all products"
"""Name of what accounts buy, taken together."""

TINY = 1e-12
"""Units below which a product counts as never sold."""

CURRENCY = "EUR"
"""Currency of the simulated company."""

_NO_MARKET = """
    select
        null::varchar as product_id, null::varchar as region, null::date as period,
        null::double as competitor_price, null::double as cost_shock
    where false
"""


def account_panel(source: CustomerBase | Company, *, tiers: pd.Series | None = None) -> PricePanel:
    """Lay out customers by month, all that they buy taken together.

    Parameters
    ----------
    source : CustomerBase or Company
        A prepared base with transactions, or a simulated company.
    tiers : Series, optional
        Tier by customer_id.  Customers without one are left out and counted.

    Returns
    -------
    PricePanel
        One row a customer (``unit``) and month in which it bought: ``quantity`` (what was used, at
        each product's list price on average over the window), ``price`` (paid per unit of that, an
        index: ``list_price`` x (1 - ``discount``)), ``revenue``, ``list_price`` (index),
        ``discount`` (share of the list price), ``unit_cost`` (per unit of quantity), and where the
        base tells ``region``, ``manager``, ``competitor_price`` (index of the same products, on
        the scale of ``list_price``), ``cost_shock`` (of region and month), ``tier``.

    Raises
    ------
    TypeError, ValueError
        When the source is neither, has no transactions, or nothing is left.

    Notes
    -----
    A month without a purchase has no price and no row.  `competitor_price` and `cost_shock` need a
    market table with region and month, and customers with a region.
    """
    frame, unusable, currency, simulated = _months(source)
    counts = {"order lines: no units, nothing paid, or not known": unusable}
    if tiers is not None:
        told = tier_rows(tiers).set_index("customer_id")["tier"]
        frame["tier"] = frame["unit"].map(told)
        counts["customer-months: tier not known"] = int(frame["tier"].isna().sum())
        frame = frame.dropna(subset=["tier"]).reset_index(drop=True)
    if frame.empty:
        raise ValueError(f"no customer-month with a sale is left; not used: {counts}")
    return PricePanel(
        frame=frame,
        per=f"{currency} at constant list prices",
        every="month",
        excluded=exclusions(counts),
        simulated=simulated,
        currency=currency,
        notes=(
            "quantities are units at each product's average list price, prices an index "
            "(1 = that list price); months without a purchase have no price and no row",
        ),
    )


def _months(source: CustomerBase | Company) -> tuple[pd.DataFrame, int, str, bool]:
    """Rows, order lines that cannot be used, currency, and whether all is made up."""
    from keycustomer.simulate import Company

    if isinstance(source, Company):
        return _months_of_company(source), 0, CURRENCY, True
    if isinstance(source, CustomerBase):
        return *_months_of_base(source), source.currency, source.simulated
    raise TypeError(
        f"source={type(source).__name__}: a prepared CustomerBase (customers.open_base) or a "
        "simulated Company (simulate.simulate_company) is needed"
    )


def _months_of_base(base: CustomerBase) -> tuple[pd.DataFrame, int]:
    """Rows of a base, and how many order lines cannot be used."""
    if not base.has("transactions"):
        raise ValueError(f"{base.title}: the base has no transactions table")
    window = {"start": base.start, "end": base.end}
    known = set(base.query("describe customers")["column_name"])
    person = ", ".join(
        f"any_value({name})::varchar as {name}" if name in known else f"null::varchar as {name}"
        for name in ("region", "manager")
    )
    sql = statement_of(PACKAGE, "account_months", person=person, markets=_markets(base))
    frame = base.query(sql, **window)
    frame["period"] = frame["period"].astype("datetime64[s]")
    if not base.has("transactions", "discount"):
        frame = frame.drop(columns=["list_price", "discount"])
    else:
        # rounding of amounts may leave a discount of a hair below nothing
        frame["discount"] = frame["discount"].clip(lower=0)
    usable = "quantity > 0 and revenue > 0"
    unusable = base.query(
        f"select count(*) as n from transactions where date between $start and $end "  # noqa: S608
        f"and ({usable}) is not true",
        **window,
    )["n"].iloc[0]
    optional = ("unit_cost", "competitor_price", "cost_shock", "region", "manager")
    return frame.drop(columns=[c for c in optional if frame[c].isna().all()]), int(unusable)


def _markets(base: CustomerBase) -> str:
    """Query of competitors' prices and cost shocks; of no row where the base does not tell."""
    if not base.has("market"):
        return _NO_MARKET
    known = set(base.query("describe market")["column_name"])
    if not {"region", "month"} <= known:
        return _NO_MARKET
    columns = {
        name: f"try_cast({name} as double)" if name in known else "null::double"
        for name in ("competitor_price", "cost_shock")
    }
    return statement_of(PACKAGE, "market_months", **columns)


def _months_of_company(company: Company) -> pd.DataFrame:
    """Rows of a simulated company, from its panel: without the rounding of invoices."""
    from keycustomer.simulate.columns import customer_ids, texts
    from keycustomer.simulate.vocabulary import REGIONS

    panel, accounts, products = company.panel, company.accounts, company.products
    units = np.stack([panel.quantities(t, accounts, products) for t in range(panel.months)])
    listed = np.stack([panel.list_prices(t, products) for t in range(panel.months)])
    cost = np.stack([panel.unit_costs(t, products) for t in range(panel.months)])
    basis = (units.sum(axis=1) * listed).sum(axis=0) / np.maximum(units.sum(axis=(0, 1)), TINY)
    rivals = products.list_price * panel.paths.competitor_index[: panel.months, products.category]
    month, who = np.nonzero(units.any(axis=2))
    sold = units[month, who]
    at, region = sold @ basis, accounts.region[who]
    list_price = (sold * listed[month]).sum(axis=1) / at
    discount = panel.discount[month, who].astype(float)
    price = list_price * (1 - discount)
    frame = pd.DataFrame(
        {
            "product": PRODUCT,
            "unit": np.asarray(customer_ids(accounts.number), dtype=object)[who],
            "period": company.settings.calendar()[month].astype("datetime64[s]"),
            "quantity": at,
            "price": price,
            "revenue": at * price,
            "list_price": list_price,
            "discount": discount,
            "unit_cost": (sold * cost[month, region]).sum(axis=1) / at,
            "competitor_price": (sold * rivals[month]).sum(axis=1) / at,
            "cost_shock": panel.paths.cost_shock[month, region],
            "region": np.asarray(texts(REGIONS, region), dtype=object),
            "manager": _managers(accounts.manager[who]),
        }
    )
    return frame.sort_values(["unit", "period"], ignore_index=True)


def _managers(number: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Name managers as the company's customers table does; None where there is none."""
    return np.array(
        [f"Manager {k + 1:03d}" if k >= 0 else None for k in number.tolist()], dtype=object
    )
