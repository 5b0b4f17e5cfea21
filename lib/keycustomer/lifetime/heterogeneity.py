"""How many customers buy how often, and leave how easily, by a fitted model.

A model's parameters say little to the eye: that r is 0.24 means that most customers hardly ever
buy.  :func:`purchasing_shares` and :func:`dropout_shares` turn the laws of a fitted model into
shares of customers by purchase rate and by dropout; the result is a :class:`LawShares`.  Limit
laws, by which all customers are alike or only leave and stay, are counted the same way.

Source: Schmittlein, Morrison & Colombo (1987), Management Science 33, for the reading of the laws.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.lifetime.laws import DropoutLaw, PointLaw, RateLaw
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.units import days_in
from keycustomer.stats.samples import FloatArray

GROUPS = 20
"""Groups of equal width into which rates and probabilities are cut."""

SHOWN = 0.98
"""Share of customers below the last group of rates, which has no upper end."""

QUANTITIES: dict[str, tuple[str, str]] = {
    "BG/NBD": ("purchases", "probability of leaving after a purchase"),
    "MBG/NBD": ("purchases", "probability of leaving after a purchase"),
    "Pareto/NBD": ("purchases", "rate of leaving"),
    "BG/BB": (
        "probability of buying at an opportunity",
        "probability of leaving before an opportunity",
    ),
}
"""What the two laws of each model are of; rates unless called probabilities."""


@dataclass(frozen=True, eq=False)
class LawShares:
    """Shares of customers by purchase rate or by dropout.

    Attributes
    ----------
    quantity : str
        What differs between customers, such as `purchases per year`, `probability of leaving after
        a purchase`, `rate of leaving per year`.
    frame : DataFrame
        One row a group: lower, upper (in `quantity`; the last rate's upper end is infinite), share
        (of customers, 0..1).  A group holds its lower end, but its upper
        only if it is the last.
    mean, median : float
        Of the law, in `quantity`.
    alike : bool
        Whether all customers are alike.
    model : str
        Name of the model.
    """

    quantity: str
    frame: pd.DataFrame
    mean: float
    median: float
    alike: bool
    model: str

    def to_frame(self) -> pd.DataFrame:
        """One row a group: lower, upper, share of customers."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"{self.quantity} by {self.model}: mean {self.mean:.3g}, median {self.median:.3g}"
        return f"<p>{html.escape(said)}</p>{self.frame.to_html(index=False)}"


def purchasing_shares(model: TransactionModel, *, per: str = "year") -> LawShares:
    """Shares of customers by how readily they buy while alive.

    Parameters
    ----------
    model : TransactionModel
        A fitted model, such as :func:`fit_bgnbd` gives.
    per : {"day", "week", "month", "quarter", "year"}
        Unit of time of the rates.

    Returns
    -------
    LawShares
        Of the purchase rate or, for BG/BB, of the probability of buying at an opportunity.

    Raises
    ------
    ValueError
        When there is no such unit, or the model's laws are not known.
    """
    return _law_shares(model.purchasing, _quantities(model)[0], per, model)


def dropout_shares(model: TransactionModel, *, per: str = "year") -> LawShares:
    """Shares of customers by how easily they leave.

    Parameters
    ----------
    model : TransactionModel
        A fitted model, such as :func:`fit_bgnbd` gives.
    per : {"day", "week", "month", "quarter", "year"}
        Unit of time of the rates, where customers leave at any time.

    Returns
    -------
    LawShares
        Of the probability of leaving after a purchase or, for models in which customers leave at
        any time, of the rate of leaving.

    Raises
    ------
    ValueError
        When there is no such unit, or the model's laws are not known.
    """
    return _law_shares(model.dropout, _quantities(model)[1], per, model)


def _quantities(model: TransactionModel) -> tuple[str, str]:
    if model.model not in QUANTITIES:
        raise ValueError(
            f"model: the laws of {model.model} are not known; those of {', '.join(QUANTITIES)} are"
        )
    return QUANTITIES[model.model]


def _law_shares(
    law: RateLaw | DropoutLaw, what: str, per: str, model: TransactionModel
) -> LawShares:
    """Shares by a rate per unit of time, or by a probability."""
    factor = days_in(per, "per") / days_in(model.unit)
    if what.startswith("probability"):
        return _shares(what, np.linspace(0.0, 1.0, GROUPS + 1), law, 1.0, model)
    # a rate that all customers share stands in the middle
    highest = 2 * law.value if isinstance(law, PointLaw) else law.quantile(SHOWN)
    edges = np.append(np.linspace(0.0, highest or 1.0, GROUPS), np.inf)
    return _shares(f"{what} per {per}", edges, law, factor, model)


def _between(law: DropoutLaw, edges: FloatArray) -> FloatArray:
    """Shares of customers from each edge up to, but not including, the next; nobody lies beyond."""
    below = law.share_below(np.nextafter(edges[1:-1], -np.inf))
    return np.diff(below, prepend=0.0, append=1.0)


def _shares(
    quantity: str,
    edges: FloatArray,
    law: RateLaw | DropoutLaw,
    factor: float,
    model: TransactionModel,
) -> LawShares:
    ends = edges * factor
    shares = _between(law, edges)
    frame = pd.DataFrame({"lower": ends[:-1], "upper": ends[1:], "share": shares})
    return LawShares(
        quantity,
        frame,
        law.mean * factor,
        law.quantile(0.5) * factor,
        isinstance(law, PointLaw),
        model.model,
    )
