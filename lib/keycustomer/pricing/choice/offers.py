"""Shares of offers by a choice model: who takes which when these stand side by side.

:func:`offer_shares` puts offers of any make before the respondents of a choice study and tells the
share that takes each, with intervals, for all and by group.  They are shares of stated choices:
what sells also depends on who knows and finds the offer.  A plain logit lets a new offer draw from
all others in proportion (independence of irrelevant alternatives); a mixed logit, or groups, free
it from that in part.

Sources: Train (2009), sections 2.6 and 3.3; Huber, Orme & Miller (1999), Sawtooth Software
Conference, for share simulators and their limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.choice.group_rows import row_named, rows_of_group
from keycustomer.pricing.choice.logit import EVERYBODY, LogitModel
from keycustomer.pricing.choice.offer_rows import (
    ChoiceModel,
    Offers,
    Values,
    offer_rows,
    taste_draws,
    utilities,
)
from keycustomer.simulate.choice_tasks import NONE
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

FEWEST_DRAWS = 100
"""Draws below which the ends of an interval are noise."""


@dataclass(frozen=True, eq=False)
class OfferShares:
    """Shares of offers that stand side by side.

    Attributes
    ----------
    frame : DataFrame
        One row a group and offer: ``group``, ``offer``, ``price``, ``share`` (0..1), ``lower``,
        ``upper``, ``revenue`` (price x share: a respondent's), ``respondents``.
    level : float
        Level of the intervals.
    method : str
        The model.
    currency : str
        Currency; empty where not known.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    level: float
    method: str
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups, all respondents first."""
        return tuple(self.frame["group"].unique())

    @property
    def sentence(self) -> str:
        """The largest share in words."""
        rows = self.of_group(EVERYBODY)
        top = rows.iloc[int(rows["share"].to_numpy().argmax())]
        made_up = "Simulated: " if self.simulated else ""
        whose = self.of(str(top["offer"])).as_percent()
        taken = "take none" if top["offer"] == NONE else f"take {top['offer']}"
        return f"{made_up}{whose} of {counted(int(top['respondents']), 'respondent')} {taken}."

    def of_group(self, group: str) -> pd.DataFrame:
        """Rows of one group.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        return rows_of_group(self.frame, group)

    def of(self, offer: str, group: str = EVERYBODY) -> Estimate:
        """Share of one offer as an estimate.

        Raises
        ------
        ValueError
            When there is no such group or offer.
        """
        row = row_named(self.of_group(group), "offer", offer)
        n = int(row["respondents"])
        ends = float(row["lower"]), float(row["upper"])
        return Estimate(float(row["share"]), *ends, "share", n, self.method, self.level)

    def to_frame(self) -> pd.DataFrame:
        """One row a group and offer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.rename(columns={"lower": "share from", "upper": "share to"})
        return report_html("Shares of offers", [self.sentence, *self.notes], {"Offers": shown})


def offer_shares(
    model: ChoiceModel,
    offers: Offers,
    *,
    none: bool = True,
    at: Values | None = None,
    level: float = 0.95,
    draws: int = 500,
    seed: Seed = 0,
) -> OfferShares:
    """Compute the share of respondents that takes each of several offers.

    Parameters
    ----------
    model : LogitModel or MixedLogitModel
        Fitted model; a logit with ``by=`` gives shares by group too.
    offers : DataFrame or mapping
        One offer a row (its name in the index or in a column ``offer``), or name -> values: the
        price and all attributes of the model.
    none : bool
        Whether none may be taken, where the tasks had that option.
    at : mapping of str to number or str, optional
        Values of the respondents' columns in interactions; left out, as among the respondents.
    level : float
        Level of the intervals.
    draws : int
        Draws of the coefficients for the intervals (Krinsky and Robb).
    seed : int or Generator
        For the draws.

    Returns
    -------
    OfferShares

    Raises
    ------
    TypeError, ValueError
        When offers are no table, bear a name twice, lack a column or have an unknown level.
    """
    checked_model(model)
    check_draws(level, draws)
    parts = [
        _of_group(name, one, offers, none, at, level, draws, seed) for name, one in _groups(model)
    ]
    data = model.data
    return OfferShares(
        frame=pd.concat(parts, ignore_index=True),
        level=level,
        method=f"{model_name(model)}, {draws} draws",
        currency=data.currency,
        simulated=data.simulated,
        notes=(*model.notes, *share_notes(model)),
    )


def checked_model(model: ChoiceModel) -> ChoiceModel:
    """Return the model, or refuse what is none."""
    from keycustomer.pricing.choice.mixed import MixedLogitModel

    if not isinstance(model, LogitModel | MixedLogitModel):
        raise TypeError(
            f"model is a {type(model).__name__}; fit one with fit_logit or fit_mixed_logit"
        )
    return model


def check_draws(level: float, draws: int) -> None:
    """Refuse a level or a number of draws that makes no interval."""
    checked_level(level)
    whole_number(draws, "draws", of="draws", least=FEWEST_DRAWS)


def model_name(model: ChoiceModel) -> str:
    """Name the kind of model."""
    return "logit" if isinstance(model, LogitModel) else "mixed logit"


def share_notes(model: ChoiceModel) -> tuple[str, ...]:
    """Say what shares by a model are not."""
    stated = "shares of stated choices among offers that everybody knows, not of sales"
    plain = "a plain logit lets an offer draw from all others in proportion to their shares"
    return (stated, plain) if isinstance(model, LogitModel) else (stated,)


def _groups(model: ChoiceModel) -> Iterator[tuple[str, ChoiceModel]]:
    yield EVERYBODY, model
    if isinstance(model, LogitModel):
        yield from model.groups.items()


def _of_group(
    group: str,
    model: ChoiceModel,
    offers: Offers,
    none: bool,
    at: Values | None,
    level: float,
    draws: int,
    seed: Seed,
) -> pd.DataFrame:
    rows = offer_rows(model, offers, none=none, at=at)
    design, weights, tastes = taste_draws(model, rows, draws, seed)
    shares = _shares(utilities(design, tastes), weights)
    tail = (1 - level) / 2
    lower, upper = np.quantile(shares[1:], [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {
            "group": group,
            "offer": rows.names,
            "price": rows.prices,
            "share": shares[0],
            "lower": lower,
            "upper": upper,
            "revenue": rows.prices * shares[0],
            "respondents": model.respondents,
        }
    )


def _shares(utility: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean logit shares over respondents, shape (draws, offers)."""
    weight = np.exp(utility - utility.max(axis=2, keepdims=True))
    return np.einsum("dro,r->do", weight / weight.sum(axis=2, keepdims=True), weights)
