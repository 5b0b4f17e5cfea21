"""Customers and products of the simulated operator, as its files have them.

`customer_rows` writes who the customers are: invented names, towns, staff in charge, firmographic
columns, what the account manager believes of their attitudes and potential, and the key-account
flag given by habit.  The need segments and all other truth are not in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import (
    BILLING_DAYS,
    customer_ids,
    days_in_month,
    month_starts,
    texts,
)
from keycustomer.simulate.company_names import COUNTRY, TOWNS, company_names
from keycustomer.simulate.products import PRODUCTS
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.vocabulary import INDUSTRIES, OWNERSHIPS, REGIONS, TRAITS

Array = npt.NDArray[Any]

BELIEFS: dict[str, str] = {
    "price": "price_orientation",
    "innovation": "innovativeness",
    "risk": "risk_aversion",
    "social": "sociability",
    "green": "green_attitude",
}
"""Columns of what the account manager believes of each trait."""

BELIEF_ERROR = 0.6
"""Standard deviation of the manager's error about a standard normal trait."""

BELIEF_CUTS = (-1.2, -0.4, 0.4, 1.2)
"""Cuts between the marks 1 to 5."""

UNKNOWN_SHARE = 0.10
"""Share of accounts of which the manager has noted no attitudes."""

POTENTIAL_ERROR = 0.30
"""Standard deviation of the logarithm of the estimated potential around the true one."""

STAFF_CLASSES = (10, 50, 250)
STAFF_NAMES = ("under 10", "10-49", "50-249", "250 and more")

ATTRIBUTE_KINDS: dict[str, tuple[str, ...]] = {
    "firmographic": (
        "industry",
        "employees",
        "staff_class",
        "sites",
        "firm_age",
        "ownership",
    ),
    "geographic": ("region", "settlement"),
    "psychographic": tuple(BELIEFS.values()),
    "value": ("estimated_potential",),
    "habit": ("key_account",),
}
"""Attribute columns of the customers by kind, as a case file names them; the key-account flag is a
kind of its own, since it says what the house believes and not what the account is."""

SETTLEMENTS = ("city", "town", "town", "village")
"""What the towns of a region are, in the order of `TOWNS`."""


def customer_rows(
    settings: Settings,
    accounts: Accounts,
    billing_day: Array,
    stream: Callable[[str, int], np.random.Generator],
) -> pd.DataFrame:
    """Write a row for every account.

    Parameters
    ----------
    settings, accounts
        The company.
    billing_day : ndarray of int, shape (accounts,)
        Day of the month of the bill; nobody joins later in the month than that.
    stream : callable
        Gives the random numbers of a purpose and month.

    Returns
    -------
    DataFrame
        customer_id, name, city, country, manager, agent, joined_on, then the attribute columns of
        `ATTRIBUTE_KINDS`.
    """
    n = len(accounts)
    town = np.array([TOWNS[region] for region in REGIONS], dtype=object)
    towns = town.shape[1]
    where = (stream("town", -1).random(n) * towns).astype(np.int64)
    joined = month_starts(settings.start, accounts.joined)
    day = 1 + (stream("joining day", -1).random(n) * billing_day).astype(np.int64)
    offset = int(stream("names", -1).integers(BILLING_DAYS * 1_000))
    names = company_names(accounts.number, accounts.industry, INDUSTRIES, offset)
    told = {
        "customer_id": customer_ids(accounts.number),
        "name": pd.array(names, dtype="str"),
        "city": texts(town.ravel().tolist(), accounts.region * towns + where),
        "country": texts([COUNTRY], np.zeros(n, dtype=np.int64)),
        "manager": _staff("Manager", accounts.manager),
        "agent": _staff("Agent", accounts.agent),
        "joined_on": days_in_month(joined, day),
    }
    told |= _firm(accounts)
    told["settlement"] = texts(SETTLEMENTS, where)
    return pd.DataFrame(told | _beliefs(accounts, stream))


def _staff(title: str, number: Array) -> Any:
    words = [f"{title} {k + 1:03d}" for k in range(int(number.max(initial=-1)) + 1)]
    return texts(words, number) if words else texts([title], np.full(len(number), -1))


def _firm(accounts: Accounts) -> dict[str, Any]:
    classes = np.searchsorted(STAFF_CLASSES, accounts.employees, side="right")
    return {
        "industry": texts(INDUSTRIES, accounts.industry),
        "employees": accounts.employees,
        "staff_class": texts(STAFF_NAMES, classes),
        "sites": accounts.sites,
        "firm_age": accounts.firm_age,
        "ownership": texts(OWNERSHIPS, accounts.ownership),
        "key_account": accounts.key_account,
        "region": texts(REGIONS, accounts.region),
    }


def _beliefs(
    accounts: Accounts, stream: Callable[[str, int], np.random.Generator]
) -> dict[str, Any]:
    """Write what the manager has noted: marks 1 to 5 of the attitudes, and the potential."""
    n = len(accounts)
    error = stream("beliefs", -1).standard_normal((n, len(TRAITS) + 1))
    unknown = stream("nothing noted", -1).random(n) < UNKNOWN_SHARE
    marks = 1.0 + np.searchsorted(BELIEF_CUTS, accounts.traits + BELIEF_ERROR * error[:, :-1])
    marks[unknown] = np.nan
    columns: dict[str, Any] = {
        BELIEFS[trait]: pd.Series(marks[:, k]).astype("Int64") for k, trait in enumerate(TRAITS)
    }
    guess = accounts.potential * np.exp(POTENTIAL_ERROR * error[:, -1])
    return columns | {"estimated_potential": guess.round(-1)}


def product_rows() -> pd.DataFrame:
    """Write a row for every product: product_id, name, category, brand (the own one)."""
    return pd.DataFrame(
        {
            "product_id": pd.array([one.product_id for one in PRODUCTS], dtype="str"),
            "name": pd.array([one.name for one in PRODUCTS], dtype="str"),
            "category": pd.array([one.category for one in PRODUCTS], dtype="str"),
            "brand": pd.array(["SimTel"] * len(PRODUCTS), dtype="str"),
        }
    )
