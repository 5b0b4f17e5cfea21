"""Names for what a search found: its laws, their parameters, and what a limit means.

Which laws are these parameters, in the reader's unit of time?  And where a law is a limit, what do
the data say by it?  :func:`rate_law` and :func:`dropout_law` name the laws, :func:`limit_sentence`
says in words what is missing to the textbook's.
"""

from __future__ import annotations

from typing import TypeAlias

from keycustomer.lifetime.geometric.search import Pair
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw

Free: TypeAlias = dict[str, tuple[float, float]]
"""Free parameters by name: value, and its slope by the parameter that was searched."""


def rate_law(found: Pair, scale: float) -> tuple[GammaLaw | PointLaw, Free]:
    """Law of the purchase rates found, times in units of `scale`."""
    if found.purchasing == "point":
        rate = float(found.optimum.parameters[0]) / scale
        return PointLaw(rate), {"purchase_rate": (rate, 1 / scale)}
    r, alpha = found.optimum.parameters[:2].tolist()
    return GammaLaw(r, alpha * scale), {"r": (r, 1.0), "alpha": (alpha * scale, scale)}


def dropout_law(found: Pair) -> tuple[BetaLaw | PointLaw | SplitLaw, Free]:
    """Law of the dropout probabilities found."""
    chances = found.optimum.parameters[2 if found.purchasing == "gamma" else 1 :].tolist()
    if found.dropout == "nobody":
        return PointLaw(1.0 if found.everybody else 0.0), {}
    if found.dropout == "beta":
        a, b = chances
        return BetaLaw(a, b), {"a": (a, 1.0), "b": (b, 1.0)}
    odds = chances[0]
    share, slope = odds / (1 + odds), 1 / (1 + odds) ** 2
    if found.dropout == "point":
        return PointLaw(share), {"dropout_probability": (share, slope)}
    return SplitLaw(share), {"dropout_share": (share, slope)}


def limit_sentence(
    purchasing: GammaLaw | PointLaw, dropout: BetaLaw | PointLaw | SplitLaw, unit: str
) -> str:
    """Say which limits these laws are; empty where they are the textbook's."""
    said = []
    if isinstance(purchasing, PointLaw):
        said.append(
            "The data show no differences in purchase rates between customers: the likelihood is "
            "largest where r and alpha go to infinity with r/alpha = "
            f"{purchasing.value:.4g} purchases a {unit}."
        )
    if isinstance(dropout, SplitLaw):
        said.append(
            "The data show only customers who leave at their first occasion and customers who "
            "never leave: the likelihood is largest where a and b go to 0 with a/(a+b) = "
            f"{dropout.share:.4g}."
        )
    elif isinstance(dropout, PointLaw):
        said.append(_point_sentence(dropout.value))
    return " ".join(said)


def _point_sentence(p: float) -> str:
    if p == 0:
        return (
            "The data show no drop-out: the likelihood is largest where a/(a+b) goes to 0, and "
            "nobody leaves."
        )
    if p == 1:
        return (
            "The data show no customer who stayed on: the likelihood is largest where a/(a+b) "
            "goes to 1, and everybody leaves at the first occasion."
        )
    return (
        "The data show no differences in drop-out between customers: the likelihood is largest "
        f"where a and b go to infinity with a/(a+b) = {p:.4g}."
    )
