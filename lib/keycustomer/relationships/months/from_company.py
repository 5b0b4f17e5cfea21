"""The customer-month panel of a simulated company, from its tables and without a base.

:func:`months_of_company` lays out the tables that the company's systems hold by the same query as
a prepared base; that both ways give the same months is tested.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from keycustomer.relationships.months.from_base import (
    Layout,
    customer_rows,
    lay_out,
    present_at_end,
)

if TYPE_CHECKING:
    from keycustomer.simulate import Company

CURRENCY = "EUR"

_LINES = """
    select
        customer_id, date::date as date, product_id, channel,
        quantity * price as revenue,
        quantity * (list_price - price) as discount,
        quantity * unit_cost as cost
    from order_lines
"""

_CONTACTS = """
    select * replace (date::date as date, resolved_on::date as resolved_on) from contacts
"""

_CONTRACTS = """
    select customer_id, start::date as start, "end"::date as "end", relationship_level, price_plan
    from agreements
"""

_NAMES = {"transactions": "order_lines", "interactions": "contacts", "contracts": "agreements"}


def months_of_company(
    company: Company, contact_kinds: list[str], complaint_kinds: list[str]
) -> dict[str, Any]:
    """Lay out a simulated company; gives the fields of `CustomerMonths`."""
    from keycustomer.customers.base import in_memory
    from keycustomer.simulate import ATTRIBUTE_KINDS

    start, end = window_of(company)
    tables = company.tables()
    layout = Layout(start, end, _CONTRACTS, sold=True, contacted=True, margin=None)
    connection = in_memory()
    try:
        for name in ("customers", "products", *_NAMES):
            connection.register(_NAMES.get(name, name), tables[name])
        connection.execute(f"create temp view transactions as {_LINES}")
        connection.execute(f"create temp view interactions as {_CONTACTS}")
        frame = lay_out(connection, layout, contact_kinds, complaint_kinds)
    finally:
        connection.close()
    attributes = [name for kind in ATTRIBUTE_KINDS.values() for name in kind]
    return {
        "frame": frame,
        "customers": customer_rows(tables["customers"], frame, attributes),
        "start": start,
        "end": end,
        "present": present_at_end(frame),
        "currency": CURRENCY,
        "simulated": True,
        "excluded": pd.DataFrame({"reason": [], "customers": [], "rows": []}),
        "notes": (),
    }


def window_of(company: Company) -> tuple[dt.date, dt.date]:
    """First and last day of a company's window."""
    months = company.settings.calendar().astype("datetime64[M]")
    after = (months[-1] + 1).astype("datetime64[D]")
    return months[0].astype("datetime64[D]").item(), (after - 1).item()
