"""Made-up customers for exercises by hand: few enough to compute with on paper.

:func:`ten_customers` gives ten purchase histories for fitting a lifetime model by hand,
:func:`twelve_answers` the answers to Kano's two questions on one attribute,
:func:`six_customers` what three relationship levels bring and cost, :func:`at_risk` whom an
offer may keep, :func:`twelve_weeks` what a small customer bought at two prices,
:func:`asked_prices` who would pay what, :func:`three_tools` what three tools bring in every
combination, :func:`two_actions` how two actions keep one account, and :func:`three_levers` what
each step of a budget brings.
"""

from __future__ import annotations

import pandas as pd

_HISTORIES = {
    "A": (11, 35),
    "B": (2, 21),
    "C": (1, 17),
    "D": (11, 38),
    "E": (4, 5),
    "F": (3, 35),
    "G": (1, 6),
    "H": (5, 4),
    "I": (1, 12),
    "J": (1, 22),
}

_AGE = 39


def ten_customers() -> pd.DataFrame:
    """Ten made-up customers, each first seen 39 weeks ago.

    Returns
    -------
    DataFrame
        customer_id, frequency (repeat purchases), recency and T (weeks).
    """
    rows = [(name, x, float(t_x), float(_AGE)) for name, (x, t_x) in _HISTORIES.items()]
    return pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])


_WITH = (1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 2, 1)
_WITHOUT = (5, 3, 5, 5, 5, 3, 5, 5, 2, 3, 5, 1)


def twelve_answers() -> pd.DataFrame:
    """Twelve made-up customers on one attribute, asked Kano's two questions.

    Returns
    -------
    DataFrame
        customer, with, without; the answers coded 1 like, 2 must-be, 3 neutral, 4 live with,
        5 dislike.
    """
    return pd.DataFrame({"customer": list("ABCDEFGHIJKL"), "with": _WITH, "without": _WITHOUT})


_LEVELS = ("basic", "proactive", "partnership")
_BRINGS = {
    "A": ((900, 940, 955), (0, 30, 90)),
    "B": ((620, 700, 735), (0, 40, 110)),
    "C": ((400, 520, 560), (0, 35, 70)),
    "D": ((310, 350, 470), (0, 45, 100)),
    "E": ((150, 200, 210), (0, 20, 60)),
    "F": ((90, 95, 97), (0, 15, 50)),
}

BUDGET_OF_SIX = 200.0
"""Money for the six customers' relationships, currency."""

LIFETIME_VALUE = 12_000.0
"""What a customer just won is worth in the exercise on winning customers, currency."""


def six_customers() -> pd.DataFrame:
    """Six made-up customers: what each of three relationship levels brings and costs.

    Returns
    -------
    DataFrame
        customer, level, value (margin over the years ahead, currency), cost (currency); a row a
        customer and level.
    """
    rows = [
        (name, level, float(value), float(cost))
        for name, (values, costs) in _BRINGS.items()
        for level, value, cost in zip(_LEVELS, values, costs, strict=True)
    ]
    return pd.DataFrame(rows, columns=["customer", "level", "value", "cost"])


def at_risk() -> pd.DataFrame:
    """Four made-up customers, one of whom may be made an offer.

    Returns
    -------
    DataFrame
        By customer: risk (probability to leave), uplift (by how much an offer lowers it), value
        (of keeping it, currency), cost (of the offer, currency).
    """
    rows = {
        "G": (0.60, 0.01, 5_000.0, 40.0),
        "H": (0.25, 0.08, 4_000.0, 40.0),
        "I": (0.02, 0.005, 20_000.0, 60.0),
        "J": (0.45, 0.15, 900.0, 30.0),
    }
    columns = ["risk", "uplift", "value", "cost"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("customer")


_WEEKS = {2.0: (3, 2, 4, 3, 2, 4), 3.0: (0, 1, 0, 1, 0, 2)}

_WOULD_PAY = {1_000: 14, 1_500: 11, 2_000: 9, 2_500: 12, 3_000: 8}

ASKED = 55
"""Respondents asked which price they would still pay; one would pay none of them."""

UNIT_COST_ASKED = 900.0
"""What a unit of what the respondents were asked about costs, currency."""

SOLD = {"elasticity": -2.5, "unit_cost": 6.0}
"""A made-up product: own-price elasticity, the same at every price, and unit cost, currency."""

DISCOUNT_AT_RISK = 0.10
"""Discount that one of the customers at risk may be given for a year, share of the list price."""


def twelve_weeks() -> pd.DataFrame:
    """Twelve weeks of a small made-up customer, half of them at a higher price.

    Returns
    -------
    DataFrame
        week, price (currency a unit), quantity (units; 0 where nothing was bought).
    """
    rows = [(price, quantity) for price, each in _WEEKS.items() for quantity in each]
    frame = pd.DataFrame(rows, columns=["price", "quantity"])
    frame.insert(0, "week", range(1, len(frame) + 1))
    return frame


def asked_prices() -> pd.DataFrame:
    """Made-up respondents by the highest of five prices that they would pay.

    Returns
    -------
    DataFrame
        price (currency), respondents (who would pay it and no more).
    """
    rows = list(_WOULD_PAY.items())
    return pd.DataFrame(rows, columns=["price", "respondents"])


def offered_discount() -> pd.DataFrame:
    """Four made-up customers, one of whom may be given a discount for a year.

    Returns
    -------
    DataFrame
        By customer: risk (probability to leave within the year), uplift (by how much the discount
        lowers it), revenue (of a year at list price, currency), value (of keeping it beyond the
        year, currency).
    """
    rows = {
        "K": (0.70, 0.02, 2_000.0, 6_000.0),
        "L": (0.30, 0.12, 3_000.0, 7_000.0),
        "M": (0.05, 0.03, 20_000.0, 40_000.0),
        "N": (0.50, 0.20, 900.0, 1_500.0),
    }
    columns = ["risk", "uplift", "revenue", "value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("customer")


_WORTH = {
    "none": 0.0,
    "segmentation": 40.0,
    "dossier": 10.0,
    "back office": 4.0,
    "segmentation + dossier": 56.0,
    "segmentation + back office": 70.0,
    "dossier + back office": 20.0,
    "segmentation + dossier + back office": 100.0,
}

WORTH_OF_STAYING = 10_000.0
"""What it is worth that the account of the exercise on two actions stays, currency."""

RISK_OF_LEAVING = 0.20
"""Probability that this account leaves within the year if nothing is done."""


def three_tools() -> pd.Series:
    """Tell what three tools bring in every combination, in a made-up firm.

    Returns
    -------
    Series
        Profit gained, thousands of currency, by combination; names joined by " + ".
    """
    return pd.Series(_WORTH, name="profit gained").rename_axis("tools")


def two_actions() -> pd.Series:
    """Tell how two actions keep one made-up account.

    Returns
    -------
    Series
        By action: the share of the probability to leave that it takes away, whatever else is done.
    """
    rows = {"account manager": 0.40, "complaint process": 0.30}
    return pd.Series(rows, name="prevents").rename_axis("action")


def three_levers() -> pd.DataFrame:
    """Tell what each step of spending on three levers brings, in a made-up firm.

    Returns
    -------
    DataFrame
        lever, step (1 the first; each costs the same), gain (of this step, thousands of currency).
    """
    gains = {"service": (25, 15, 12), "price": (18, 6), "communication": (14, 9)}
    rows = [(lever, k, g) for lever, steps in gains.items() for k, g in enumerate(steps, 1)]
    return pd.DataFrame(rows, columns=["lever", "step", "gain"])
