"""Willingness to pay: what a level of an attribute is worth in money, by the choices made.

Question: by how much may an offer cost more when it has this level instead of the reference, so
that respondents like it as much as before?  It is the coefficient of the level over that of price,
with the sign turned (:func:`willingness_to_pay`).  The scale of utility cancels, so groups can be
compared.  It is a worth in the stated choices: respondents who do not really pay tend to say more.

Sources: Train (2009), section 3.3; Daly, Hess & de Jong (2012), Transportation Research Part B 46,
333-346, for standard errors of ratios; Murphy et al. (2005), Environmental and Resource Economics
30, 313-325, for what hypothetical answers add.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.choice.coding import ALTERNATIVE, NONE_OPTION, Factor
from keycustomer.pricing.choice.logit import EVERYBODY, LogitModel, interval_quantile
from keycustomer.pricing.choice.ratios import Ratios
from keycustomer.pricing.choice.worth import PER_UNIT, Method, WillingnessToPay
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.samples import FloatArray

Values = Mapping[str, float | str]

WEAK_PRICE = 4.0
"""Standard errors from the price coefficient to zero below which delta intervals are doubtful."""


def willingness_to_pay(
    model: LogitModel,
    attribute: str | Sequence[str] | None = None,
    *,
    method: Method = "delta",
    at: Values | None = None,
    level: float = 0.95,
    draws: int = 10_000,
    seed: Seed = 0,
) -> WillingnessToPay:
    """Compute willingness to pay for levels of attributes, of all respondents and by group.

    Parameters
    ----------
    model : LogitModel
        From :func:`keycustomer.pricing.fit_logit`, with ``by=`` where groups are wanted.
    attribute : str or sequence of str, optional
        Attributes; default: all.  ``alternative`` stands for the constants of the alternatives.
    method : {"delta", "krinsky-robb", "fieller"}
        How the intervals are made.
    at : mapping of str to number or str, optional
        Values of the respondents' columns in interactions, such as ``{"green_attitude": 1.0}``;
        left out, their mean over respondents.
    level : float
        Level of the intervals.
    draws, seed
        Draws of Krinsky and Robb.

    Returns
    -------
    WillingnessToPay

    Raises
    ------
    ValueError
        When the price coefficient of all respondents is not negative: then nothing can be expressed
        in money.
    """
    if method not in ("delta", "krinsky-robb", "fieller"):
        raise ValueError(f"method={method!r}: give 'delta', 'krinsky-robb' or 'fieller'")
    checked_level(level)
    draws = whole_number(draws, "draws", of="draws", least=100)
    wanted = [attribute] if isinstance(attribute, str) else attribute
    frames, covariances, notes = [], {}, []
    for one in (model, *model.groups.values()):
        wtp, ratios, told = _of_model(one, wanted, at or {})
        bad = wtp["willingness_to_pay"].isna().to_numpy()
        lower, upper = (
            np.where(bad, np.nan, ends) for ends in _ends(ratios, one, method, level, draws, seed)
        )
        frames.append(
            wtp.assign(lower=lower, upper=upper, respondents=one.respondents, tasks=one.tasks)
        )
        covariances[one.group] = np.where(bad.any(), np.nan, ratios.joint_covariance)
        notes += told
    return WillingnessToPay(
        frame=pd.concat(frames, ignore_index=True),
        covariances=covariances,
        method=method,
        level=level,
        currency=model.data.currency,
        simulated=model.data.simulated,
        notes=(*model.notes, *notes),
    )


def _of_model(
    model: LogitModel, wanted: Sequence[str] | None, at: Values
) -> tuple[pd.DataFrame, Ratios, list[str]]:
    """Rows without intervals, the ratios they are, and notes."""
    rows = _rows(model, wanted)
    tops = np.array([_contrast(model, factor, fixed | dict(at)) for _, _, factor, fixed in rows])
    bottoms = np.array([-_contrast(model, (model.price, ""), f | dict(at)) for *_, f in rows])
    ratios = Ratios(tops, bottoms, model.coefficients.to_numpy(), model.covariance.to_numpy())
    prices = -(bottoms @ ratios.coefficients)
    if model.group == EVERYBODY and (prices >= 0).any():
        raise ValueError(
            f"the coefficient of {model.price} is {prices.max():.4g}: respondents take the dearer "
            "offer, so that nothing can be expressed in money; look for an attribute that goes "
            "with price and is not in the model, or for a price with its sign turned"
        )
    worth = np.where(prices < 0, ratios.values, np.nan)
    errors = np.sqrt(
        np.einsum("ri,ij,rj->r", ratios.gradients, ratios.covariance, ratios.gradients)
    )
    frame = pd.DataFrame(
        {
            "group": model.group,
            "attribute": [row[0] for row in rows],
            "level": [row[1] for row in rows],
            "reference": [_reference(model, row[2]) for row in rows],
            "willingness_to_pay": worth,
            "standard_error": np.where(prices < 0, errors, np.nan),
        }
    )
    return frame, ratios, _notes(model, bottoms[0], prices)


def _rows(
    model: LogitModel, wanted: Sequence[str] | None
) -> list[tuple[str, str, Factor, dict[str, float | str]]]:
    """Attribute, level, factor, and what is fixed, of every row there can be."""
    found = [row for name in _valued(model) for row in _rows_of(model, name)]
    if wanted is None:
        return found
    missing = [name for name in wanted if name not in {row[0] for row in found}]
    if missing:
        raise ValueError(
            f"the model has no attribute {', '.join(map(repr, missing))}; there are "
            f"{', '.join(dict.fromkeys(row[0] for row in found))}"
        )
    return [row for row in found if row[0] in wanted]


def _valued(model: LogitModel) -> list[str]:
    """Attributes, and the alternatives where they have constants."""
    mains = [one.factors[0][0] for one in model.coding.coefficients if len(one.factors) == 1]
    return list(
        dict.fromkeys(
            name for name in (*model.attributes, *mains) if name not in (model.price, NONE_OPTION)
        )
    )


def _rows_of(
    model: LogitModel, name: str
) -> Iterator[tuple[str, str, Factor, dict[str, float | str]]]:
    coefficients = model.coding.coefficients
    mains = [one.factors[0] for one in coefficients if len(one.factors) == 1]
    own = [factor for factor in mains if factor[0] == name]
    for factor in own:
        yield name, factor[1] or PER_UNIT, factor, {}
    if own:
        return
    for one in (each for each in coefficients if len(each.factors) == 2):
        # `alternative` comes first in the interactions it is part of
        (column, label), crossed = one.factors
        if column == ALTERNATIVE and crossed[0] == name:
            told = ", ".join(filter(None, (crossed[1] or PER_UNIT, label)))
            yield name, told, crossed, {ALTERNATIVE: label}


def _contrast(model: LogitModel, factor: Factor, at: Values) -> FloatArray:
    """Weights of the coefficients in the effect of one more of a factor."""
    weights = np.zeros(len(model.coding.coefficients))
    for place, one in enumerate(model.coding.coefficients):
        beside = one.beside(factor)
        if beside is not None:
            weights[place] = np.prod([_value(model, each, at) for each in beside])
    return weights


def _value(model: LogitModel, factor: Factor, at: Values) -> float:
    """Value of the other factor of an interaction: as given, else the mean over respondents."""
    column, level = factor
    if column in at:
        return float(str(at[column]) == level) if level else float(at[column])
    if column == ALTERNATIVE:
        return 0.0
    first = model.data.frame.drop_duplicates("respondent_id")[column]
    return float((first.astype(str) == level).mean() if level else first.mean())


def _reference(model: LogitModel, factor: Factor) -> str:
    return model.coding.levels[factor[0]][0] if factor[1] else ""


def _ends(
    ratios: Ratios, model: LogitModel, method: str, level: float, draws: int, seed: Seed
) -> tuple[FloatArray, FloatArray]:
    if method == "krinsky-robb":
        return ratios.krinsky_robb(level, draws, seed)
    clusters = model.respondents if model.errors == "clustered" else 0
    margin = interval_quantile(level, clusters)
    return ratios.delta(margin) if method == "delta" else ratios.fieller(margin)


def _notes(model: LogitModel, bottom: FloatArray, prices: FloatArray) -> list[str]:
    where = "" if model.group == EVERYBODY else f"group {model.group}: "
    if (prices >= 0).any():
        return [
            f"{where}the price coefficient is not negative, so that nothing can be expressed in "
            "money"
        ]
    error = float(np.sqrt(bottom @ model.covariance.to_numpy() @ bottom))
    distance = abs(float(bottom @ model.coefficients.to_numpy())) / error
    if distance >= WEAK_PRICE:
        return []
    return [
        f"{where}the price coefficient is only {distance:.1f} standard errors from zero: delta and "
        "Krinsky-Robb intervals are doubtful, ask for method='fieller'"
    ]
