"""Offers as rows of numbers for a choice model, for every kind of respondent that chose.

A model with interactions values an offer differently by who is asked: :func:`offer_rows` crosses
the offers with the kinds of respondents there are (:func:`respondent_kinds`), adds the option to
take none, and computes the columns of the coefficients.  :func:`taste_draws` gives coefficients:
the estimates, or draws of them that carry their uncertainty; for a mixed logit those of drawn
respondents.

Sources: Train (2009), sections 2.5 and 6.1; Krinsky & Robb (1986), Review of Economics and
Statistics 68, 715-719, for the draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.pricing.choice.choice_data import NONE_COLUMN, ChoiceData
from keycustomer.pricing.choice.coding import ALTERNATIVE, NONE_OPTION, Coding
from keycustomer.pricing.choice.logit import LogitModel
from keycustomer.pricing.choice.mixed import MixedLogitModel
from keycustomer.pricing.choice.simulated_likelihood import normal_points
from keycustomer.simulate.choice_tasks import NONE
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.regressions.normal_draws import normal_draws
from keycustomer.stats.samples import FloatArray

ChoiceModel = LogitModel | MixedLogitModel
Offers = pd.DataFrame | Mapping[str, Mapping[str, object]]
Values = Mapping[str, float | str]

PERSONS = 500
"""Respondents drawn from a mixed logit."""


@dataclass(frozen=True, eq=False)
class OfferRows:
    """Offers as a model sees them.

    Attributes
    ----------
    names : tuple of str
        Offers, the option to take none last where there is one.
    prices : ndarray, shape (offers,)
        Prices, 0 for none.
    design : ndarray, shape (kinds, offers, coefficients)
        Columns of the coefficients, by kind of respondent.
    weights : ndarray, shape (kinds,)
        Share of the respondents of each kind.
    """

    names: tuple[str, ...]
    prices: FloatArray
    design: FloatArray
    weights: FloatArray


def offer_rows(
    model: ChoiceModel, offers: Offers, *, none: bool = True, at: Values | None = None
) -> OfferRows:
    """Cross offers with the kinds of respondents and compute their columns.

    Parameters
    ----------
    model : LogitModel or MixedLogitModel
        Fitted model.
    offers : DataFrame or mapping
        One offer a row (its name in the index or in a column ``offer``) or name -> values: the
        price and all attributes of the model.
    none : bool
        Whether none may be taken, where the tasks had that option.
    at : mapping of str to number or str, optional
        Values of the respondents' columns in interactions; left out, as among the respondents.

    Raises
    ------
    TypeError, ValueError
        When offers are no table, bear a name twice, or lack what the model needs.
    """
    table = offer_table(offers)
    coding, data = model.coding, model.data
    frame = table.drop(columns=[name for name in (NONE_COLUMN,) if name in table])
    _check_whole(frame, coding, data)
    labelled = any(ALTERNATIVE == c for one in coding.coefficients for c, _ in one.factors)
    if labelled and ALTERNATIVE not in frame and set(table.index) <= set(data.alternatives):
        frame = frame.assign(**{ALTERNATIVE: table.index})
    frame = frame.assign(**{NONE_COLUMN: False})
    if none and data.has_none:
        frame = pd.concat([frame, _none_row(data, coding)])
    kinds, weights = respondent_kinds(coding, data, at or {})
    crossed = kinds.merge(frame.reset_index(names="offer"), how="cross")
    design = coding.design(crossed).reshape(len(kinds), len(frame), -1)
    prices = pd.to_numeric(frame[coding.price]).to_numpy(dtype=float)
    return OfferRows(tuple(map(str, frame.index)), prices, design, weights)


def _check_whole(frame: pd.DataFrame, coding: Coding, data: ChoiceData) -> None:
    """Refuse offers that lack the price or an attribute."""
    needed = (coding.price, *coding.attributes)
    for name in needed:
        lacking = frame.index[frame[name].isna()] if name in frame else frame.index
        if len(lacking):
            raise ValueError(
                f"offers: {', '.join(map(repr, lacking[:3]))} without {name!r}; the model needs "
                f"{', '.join(needed)} of every offer"
            )
    prices = pd.to_numeric(frame[coding.price], errors="coerce")
    if (prices < 0).any() and not (data.frame[coding.price] < 0).any():
        raise ValueError(
            f"offers: {', '.join(map(repr, frame.index[prices < 0][:3]))} with a price below 0"
        )


def offer_table(offers: Offers) -> pd.DataFrame:
    """Offers as a table with their names as index."""
    if isinstance(offers, pd.DataFrame):
        table = offers.set_index("offer") if "offer" in offers else offers
    elif isinstance(offers, Mapping) and all(isinstance(one, Mapping) for one in offers.values()):
        table = pd.DataFrame.from_dict({k: dict(v) for k, v in offers.items()}, orient="index")
    else:
        raise TypeError(
            f"offers is a {type(offers).__name__}; give a table with a row an offer, or name -> "
            "{price: ..., attribute: ...}"
        )
    if table.empty:
        raise ValueError("offers is empty: give at least one offer")
    if table.index.isna().any():
        raise ValueError("offers holds an offer without a name; give every offer a name of its own")
    named = table.set_axis(table.index.map(str))
    if NONE in named.index:
        raise ValueError(
            f"offers has {NONE!r}, which stands for taking no offer; name it otherwise"
        )
    if not named.index.is_unique:
        twice = named.index[named.index.duplicated()][:3].tolist()
        raise ValueError(f"offers has {twice} twice; give every offer a name of its own")
    return named


def _none_row(data: ChoiceData, coding: Coding) -> pd.DataFrame:
    label = data.frame.loc[data.frame[NONE_COLUMN], ALTERNATIVE].astype(str).iloc[0]
    values: dict[str, object] = {name: NONE for name in coding.levels if name in coding.attributes}
    values |= {name: 0.0 for name in coding.attributes if name not in values}
    return pd.DataFrame(
        {coding.price: 0.0, **values, ALTERNATIVE: label, NONE_COLUMN: True}, index=[NONE]
    )


def respondent_kinds(
    coding: Coding, data: ChoiceData, at: Values
) -> tuple[pd.DataFrame, FloatArray]:
    """Kinds of respondents that a model tells apart, and the share of each.

    Returns
    -------
    (DataFrame, ndarray)
        One row a kind with the columns of respondents that are in interactions (none: one row),
        shape (kinds,) shares that sum to 1.
    """
    own = (coding.price, *coding.attributes, ALTERNATIVE, NONE_OPTION)
    named = dict.fromkeys(c for one in coding.coefficients for c, _ in one.factors)
    traits = [name for name in named if name not in own]
    if not traits:
        return pd.DataFrame(index=[0]), np.ones(1)
    there = data.frame.drop_duplicates("respondent_id")[traits]
    there = there.assign(**{name: value for name, value in at.items() if name in traits})
    counts = there.value_counts(sort=False)
    return counts.index.to_frame(index=False), counts.to_numpy() / counts.sum()


def taste_draws(
    model: ChoiceModel, rows: OfferRows, draws: int, seed: Seed
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coefficients of respondents: the estimates, then draws of them.

    Parameters
    ----------
    model : LogitModel or MixedLogitModel
        Fitted model.
    rows : OfferRows
        The offers.
    draws : int
        Draws of the estimates.
    seed : int or Generator
        For the draws.

    Returns
    -------
    (design, weights, tastes)
        Columns by respondent, shape (respondents, offers, coefficients), shares of the
        respondents, and coefficients, shape (1 + draws, respondents or 1, coefficients), the
        estimates first.
    """
    generator = np.random.default_rng(seed)
    means = model.parameters if isinstance(model, MixedLogitModel) else model.coefficients
    drawn = normal_draws(means.to_numpy(), model.covariance.to_numpy(), draws, generator)
    places = np.vstack([means.to_numpy(), drawn])
    if not isinstance(model, MixedLogitModel):
        return rows.design, rows.weights, places[:, None, :]
    points = normal_points(1, len(model.mixing.random), PERSONS, model.seed)
    tastes = np.stack([_tastes(model, place, points) for place in places])
    kind = generator.choice(len(rows.weights), PERSONS, p=rows.weights)
    return rows.design[kind], np.full(PERSONS, 1 / PERSONS), tastes


def _tastes(
    model: MixedLogitModel, place: FloatArray, points: npt.NDArray[np.float64]
) -> FloatArray:
    """Coefficients of drawn respondents, shape (persons, coefficients)."""
    measured = model.mixing.measured(model.mixing.latent(place, points))
    return np.asarray(model.mixing.coefficients(measured)[0].T)


def utilities(design: FloatArray, tastes: FloatArray) -> FloatArray:
    """Compute the utility of offers, shape (draws, respondents, offers)."""
    return np.einsum(
        "rok,drk->dro",
        design,
        np.broadcast_to(tastes, (len(tastes), len(design), tastes.shape[2])),
        optimize=True,
    )
