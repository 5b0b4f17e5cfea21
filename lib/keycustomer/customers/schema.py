"""The data model of a customer base: which tables there are and what their columns mean.

A case maps its own column names onto these, once, at import; everything after speaks only these
names. `TABLES` holds every `Table` by name, each with its `Column` definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "date", "amount", "number", "real", "flag"]

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "date": "DATE",
    "amount": "DECIMAL(18,4)",
    "number": "DECIMAL(18,4)",
    "real": "DOUBLE",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True)
class Column:
    """One column of the data model.

    Attributes
    ----------
    kind : {"id", "text", "date", "amount", "number", "real", "flag"}
        What a value is; ids are text and are never turned into numbers.  Amounts and numbers are
        exact to four decimals; a real number keeps all its digits, as shares of a market need.
    meaning : str
        What a value means, with its unit.
    required : bool
        Whether a table without this column is refused.
    """

    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the data model.

    Attributes
    ----------
    row : str
        What one row is.
    columns : dict of str to Column
        The columns by name, in order.
    one_of : tuple of tuple of str
        Sets of columns of which at least one must be mapped.
    attributes : bool
        Whether the reader may keep further columns of the own table, as text.
    """

    row: str
    columns: dict[str, Column]
    one_of: tuple[tuple[str, ...], ...] = ()
    attributes: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be mapped."""
        return tuple(name for name, column in self.columns.items() if column.required)


_CUSTOMER_ID = Column("id", "the customer; text, exactly as in the source", required=True)

TABLES: dict[str, Table] = {
    "customers": Table(
        row="a customer",
        columns={
            "customer_id": _CUSTOMER_ID,
            "name": Column("text", "name of the person or company"),
            "email": Column("text", "electronic mail address"),
            "phone": Column("text", "telephone number"),
            "address": Column("text", "street and number"),
            "city": Column("text", "town"),
            "postal_code": Column("text", "postal code"),
            "country": Column("text", "country"),
            "manager": Column("text", "account manager in charge"),
            "agent": Column("text", "outside agent in charge"),
            "joined_on": Column("date", "day the customer was first recorded"),
            "updated_on": Column("date", "day the record was last verified"),
        },
        attributes=True,
    ),
    "transactions": Table(
        row="an order line",
        columns={
            "customer_id": _CUSTOMER_ID,
            "order_id": Column("id", "the order; without it an order is a customer's day"),
            "date": Column("date", "day of the purchase", required=True),
            "product_id": Column("id", "the product"),
            "quantity": Column("number", "units bought; negative for a return; 1 when not mapped"),
            "amount": Column("amount", "paid for the whole line, currency"),
            "price": Column("amount", "paid per unit, currency"),
            "list_amount": Column("amount", "list value of the whole line, currency"),
            "list_price": Column("amount", "list price per unit, currency"),
            "discount": Column("amount", "discount on the whole line, currency, positive"),
            "cost": Column("amount", "cost of the whole line, currency"),
            "unit_cost": Column("amount", "cost per unit, currency"),
            "currency": Column("text", "currency of the line; must be the case's one"),
            "channel": Column("text", "sales channel"),
        },
        one_of=(("amount", "price"),),
    ),
    "products": Table(
        row="a product",
        columns={
            "product_id": Column("id", "the product", required=True),
            "name": Column("text", "name of the product"),
            "category": Column("text", "category of the product"),
            "brand": Column("text", "brand of the product"),
        },
    ),
    "interactions": Table(
        row="a contact with a customer",
        columns={
            "customer_id": _CUSTOMER_ID,
            "date": Column("date", "day of the contact", required=True),
            "kind": Column("text", "visit, call, complaint, ...", required=True),
            "phase": Column("text", "pre, during or after the sale"),
            "resolved_on": Column("date", "day a complaint was resolved"),
            "first_contact_resolution": Column("flag", "whether the first contact resolved it"),
            "cost": Column("amount", "cost of the contact, currency"),
        },
    ),
    "contracts": Table(
        row="a service relationship over time",
        columns={
            "customer_id": _CUSTOMER_ID,
            "start": Column("date", "first day"),
            "end": Column("date", "last day; empty while it runs"),
            "tenure": Column("number", "months it has lasted, where days are not known"),
            "ended": Column("flag", "whether it has ended, where days are not known"),
            "relationship_level": Column("text", "basic ... partnership"),
            "price_plan": Column("text", "price plan"),
            "reason": Column("text", "why it ended, where that was recorded"),
        },
        one_of=(("start", "tenure"),),
    ),
    "survey": Table(
        row="a respondent",
        columns={"customer_id": Column("id", "the customer, where known")},
        attributes=True,
    ),
    "choices": Table(
        row="an alternative in a choice task",
        columns={
            "respondent_id": Column("id", "the respondent", required=True),
            "task": Column("id", "the choice task", required=True),
            "alternative": Column("id", "the alternative", required=True),
            "chosen": Column("flag", "whether it was chosen", required=True),
        },
        attributes=True,
    ),
    "market": Table(
        row="a product in a market",
        columns={
            "market": Column("id", "the market", required=True),
            "product": Column("id", "the product", required=True),
            "price": Column("real", "price per unit, currency", required=True),
            "quantity": Column("real", "units sold"),
            "share": Column("real", "share of the market, 0..1"),
        },
        one_of=(("quantity", "share"),),
        attributes=True,
    ),
}
