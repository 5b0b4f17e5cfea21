"""Which parameters covariates move, model by model and limit by limit.

Covariates move the mean purchase rate by alpha (``alpha_i = alpha exp(-g'z)``), the dropout
probability of the BG/NBD by a and b (``a_i = a exp(g'z)``, ``b_i = b exp(h'z)``) and the dropout
rate of the Pareto/NBD by beta (``beta_i = beta exp(-g'z)``).  Where a law's limit is the likelier
one, they move the limit's only parameter: the rate of everybody, or the odds of leaving.
:func:`family` gives the parameters and the likelihood of any pair of laws, :func:`start` values
to begin a search at, :func:`sentence` what a limit means.

Source: Fader & Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and
BG/NBD models".
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any, TypeAlias

from keycustomer.lifetime.covariates.effects import Family, Parameter, RowTerms
from keycustomer.lifetime.exponential.death_time import row_terms as death_terms
from keycustomer.lifetime.exponential.limits import staying_terms
from keycustomer.lifetime.exponential.rate_moments import EqualMoments, GammaMoments, Moments
from keycustomer.lifetime.geometric.terms import geometric_terms
from keycustomer.lifetime.laws import (
    BetaLaw,
    DropoutLaw,
    GammaLaw,
    PointLaw,
    RateLaw,
    SplitLaw,
)
from keycustomer.lifetime.transactions import TransactionModel

Kinds: TypeAlias = tuple[str, str]
"""Kinds of the purchasing and the dropout law."""

PURCHASING: dict[str, tuple[Parameter, ...]] = {
    "gamma": (
        Parameter("r", "purchasing"),
        Parameter("alpha", "purchasing", "purchasing", -1.0),
    ),
    "point": (Parameter("purchase_rate", "purchasing", "purchasing"),),
}

SHARE = Parameter("dropout_share", "dropout", "dropout", odds=True)

DROPOUT: dict[str, dict[str, tuple[Parameter, ...]]] = {
    "BG/NBD": {
        "beta": (Parameter("a", "dropout", "a"), Parameter("b", "dropout", "b")),
        "point": (Parameter("dropout_probability", "dropout", "dropout", odds=True),),
        "split": (SHARE,),
        "nobody": (),
    },
    "Pareto/NBD": {
        "gamma": (Parameter("s", "dropout"), Parameter("beta", "dropout", "dropout", -1.0)),
        "point": (Parameter("dropout_rate", "dropout", "dropout"),),
        "split": (SHARE,),
        "nobody": (),
    },
}

MOMENTS: dict[str, type[Moments]] = {"gamma": GammaMoments, "point": EqualMoments}

LAWS: dict[str, Any] = {
    "gamma": GammaLaw,
    "beta": BetaLaw,
    "point": PointLaw,
    "split": SplitLaw,
}

LEAST_MEAN = 1e-3
"""Mean rate or probability at which a search begins, at least."""

LIMITS: dict[tuple[str, str], str] = {
    ("purchasing", "point"): (
        "Beyond the covariates the data show no differences in how fast customers buy: the "
        "likelihood is largest where r and alpha go to infinity."
    ),
    ("BG/NBD", "point"): (
        "Beyond the covariates the data show no differences in drop-out: the likelihood is "
        "largest where a and b go to infinity; an effect of drop-out is a log odds ratio."
    ),
    ("Pareto/NBD", "point"): (
        "Beyond the covariates the data show no differences in drop-out: the likelihood is "
        "largest where s and beta go to infinity."
    ),
    ("BG/NBD", "split"): (
        "The likelihood is largest where a and b go to 0: some customers leave after their first "
        "repeat purchase, the others never; an effect of drop-out is a log odds ratio."
    ),
    ("Pareto/NBD", "split"): (
        "The likelihood is largest where s and beta go to 0: some customers leave at once, the "
        "others never; an effect of drop-out is a log odds ratio."
    ),
    ("BG/NBD", "nobody"): (
        "The likelihood is largest where nobody leaves, so there is no drop-out to explain."
    ),
    ("Pareto/NBD", "nobody"): (
        "The likelihood is largest where nobody leaves, so there is no drop-out to explain."
    ),
}


def textbook(model: str) -> Kinds:
    """Kinds of the laws of the model itself, which is no limit."""
    return "gamma", next(iter(DROPOUT[model]))


def all_kinds(model: str) -> list[Kinds]:
    """Pairs of laws that the model can end in, its own first."""
    return list(product(PURCHASING, DROPOUT[model]))


def family(model: str, kinds: Kinds) -> Family:
    """Parameters and likelihood of a pair of laws.

    Parameters
    ----------
    model : {"BG/NBD", "Pareto/NBD"}
    kinds : tuple of str
        Kinds of the purchasing and the dropout law.
    """
    purchasing, dropout = kinds
    parameters = PURCHASING[purchasing] + DROPOUT[model][dropout]
    return Family(parameters, _row_terms(model, kinds), partial(_laws, kinds))


def _row_terms(model: str, kinds: Kinds) -> RowTerms:
    purchasing, dropout = kinds
    terms: RowTerms = geometric_terms
    if model == "BG/NBD":
        return partial(terms, first=0, purchasing=purchasing, dropout=dropout)
    law = MOMENTS[purchasing]
    if dropout in MOMENTS:
        return partial(death_terms, purchasing=law, dropout=MOMENTS[dropout])
    return partial(staying_terms, purchasing=law)


def _laws(kinds: Kinds, *values: Any) -> tuple[RateLaw, DropoutLaw]:
    """Laws of values as reported, numbers or one a customer."""
    purchasing, dropout = kinds
    rates = len(PURCHASING[purchasing])
    rate_law: RateLaw = LAWS[purchasing](*values[:rates])
    return rate_law, LAWS[dropout](*values[rates:]) if values[rates:] else PointLaw(0.0)


def start(model: str, kinds: Kinds, without: TransactionModel) -> list[float]:
    """Give base values to begin at: those of the model without covariates, or like them."""
    purchasing, dropout = kinds
    return [*_near(purchasing, without.purchasing), *_near(dropout, without.dropout, model)]


def _near(kind: str, law: RateLaw | DropoutLaw, model: str = "") -> list[float]:
    """Parameters of a law of this kind that is, or resembles, a law."""
    if type(law) is LAWS.get(kind) and kind in ("gamma", "beta"):
        return [float(value) for value in vars(law).values()]
    mean = max(law.mean, LEAST_MEAN)
    if kind == "beta" or kind == "split" or (kind == "point" and model == "BG/NBD"):
        mean = min(mean, 1 - LEAST_MEAN)
        return [2 * mean, 2 * (1 - mean)] if kind == "beta" else [mean / (1 - mean)]
    return {"gamma": [1.0, 1 / mean], "point": [mean], "nobody": []}[kind]


def sentence(model: str, kinds: Kinds) -> str:
    """Say what limit these laws are; nothing for the model's own."""
    purchasing, dropout = kinds
    said = LIMITS.get(("purchasing", purchasing), ""), LIMITS.get((model, dropout), "")
    return " ".join(filter(None, said))
