"""The survey of the simulated operator: who answers in which wave, and what.

`survey_waves` asks all accounts in every wave and keeps what each thinks beside what it answers;
`survey_rows` is the table of those who answered.  The dissatisfied answer less often, and leave
more questions open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import BILLING_DAYS, customer_ids, days_in_month, texts
from keycustomer.simulate.kano_answers import draw_kano_answers
from keycustomer.simulate.opinions import Opinions, draw_opinions, wave_months
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.questionnaire import (
    LATENTS,
    PRICE_QUESTIONS,
    REFERENCE_SD,
    Measurement,
)
from keycustomer.simulate.rating import (
    ScaleUsage,
    draw_scale_usage,
    propensities,
    rated_answers,
)
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.stated_importance import attribute_importance, draw_stated_importance
from keycustomer.simulate.vocabulary import ATTRIBUTES
from keycustomer.simulate.willingness_to_pay import draw_price_points, draw_willingness_to_pay

Array = npt.NDArray[Any]
Stream = Callable[[str, int], np.random.Generator]
"""Gives the generator of a purpose in a month; month -1 for what is drawn once."""

ONCE = -1

ROLES = ("owner", "management", "purchasing", "IT")
ROLE_SHARES = (0.30, 0.25, 0.25, 0.20)

_SATISFACTION = LATENTS.index("satisfaction")


@dataclass(frozen=True, eq=False)
class Wave:
    """One wave of the survey, all accounts.

    Attributes
    ----------
    number : int
        1, 2, 3 ...
    opinions : Opinions
        What every account thinks.
    usage : ScaleUsage
        How its respondent uses scales.
    worth : ndarray, shape (accounts,)
        True willingness to pay for the standard package, EUR a month.
    chance : ndarray, shape (accounts,)
        Probability to answer, 0 for accounts that are not there.
    responded : ndarray of bool, shape (accounts,)
        Whether it answered.
    propensity : ndarray, shape (accounts, items)
        Continuous propensities behind the ratings.
    answers : dict of str to ndarray, shape (accounts,)
        Every answer, NaN where left out; of those who did not answer, what they would have said.
    """

    number: int
    opinions: Opinions
    usage: ScaleUsage
    worth: Array
    chance: Array
    responded: Array
    propensity: Array
    answers: dict[str, Array]


def survey_waves(
    settings: Settings,
    accounts: Accounts,
    panel: Panel,
    weights: Callable[[int], Array],
    measurement: Measurement,
    stream: Stream,
) -> list[Wave]:
    """Ask all accounts in every wave.

    Parameters
    ----------
    settings, accounts, panel
        The company.
    weights : callable
        Gives the true value weights of a month, shape (accounts, 5).
    measurement : Measurement
        How answers come from opinions.
    stream : callable
        Gives the random numbers of a purpose and month.
    """
    return [
        _wave(number, month, accounts, panel, weights(month), measurement, stream)
        for number, month in enumerate(wave_months(settings.months), start=1)
    ]


def _wave(
    number: int,
    month: int,
    accounts: Accounts,
    panel: Panel,
    weights: Array,
    measurement: Measurement,
    stream: Stream,
) -> Wave:
    n, items = len(accounts), len(measurement.items)
    opinions = draw_opinions(
        accounts, panel, month, stream("lasting opinion", ONCE), stream("opinion", month)
    )
    usage = _usage(n, measurement, stream, month)
    errors = stream("rating errors", month).standard_normal((n, items))
    latents = np.nan_to_num(opinions.latents)
    propensity = propensities(latents, measurement, errors, opinions.specific)
    worth = draw_willingness_to_pay(
        latents[:, :5], accounts.traits, stream("willingness to pay", ONCE)
    )
    rated = rated_answers(propensity, usage, measurement)
    answers = {item.name: rated[:, k].astype(float) for k, item in enumerate(measurement.items)}
    answers |= _further(accounts, weights, worth, stream, month)
    content = latents[:, _SATISFACTION] / REFERENCE_SD["satisfaction"]
    _leave_out(answers, content, measurement, stream("left out", month))
    chance = _expit(_log_odds(measurement.response) + measurement.response_slope * content)
    chance = np.where(panel.active[month], chance, 0.0)
    responded = stream("response", month).random(n) < chance
    return Wave(number, opinions, usage, worth, chance, responded, propensity, answers)


def _usage(n: int, measurement: Measurement, stream: Stream, month: int) -> ScaleUsage:
    """Draw scale usage: habits last, straight-lining is a matter of the day."""
    lasting = draw_scale_usage(n, measurement, stream("scale usage", ONCE))
    today = draw_scale_usage(n, measurement, stream("straight lines", month))
    return ScaleUsage(lasting.shift, lasting.factor, today.straight)


def _further(
    accounts: Accounts, weights: Array, worth: Array, stream: Stream, month: int
) -> dict[str, Array]:
    """Answers other than ratings: stated importance, Kano's pairs, price points."""
    stated = draw_stated_importance(attribute_importance(weights), stream("importance", month))
    presence, absence = draw_kano_answers(accounts.segment, stream("Kano", month))
    points = draw_price_points(worth, stream("price points", month))
    columns: dict[str, Array] = {
        f"importance_{name}": stated[:, k] for k, name in enumerate(ATTRIBUTES)
    }
    columns |= {f"kano_with_{name}": presence[:, k] for k, name in enumerate(ATTRIBUTES)}
    columns |= {f"kano_without_{name}": absence[:, k] for k, name in enumerate(ATTRIBUTES)}
    columns |= {name: points[:, k] for k, name in enumerate(PRICE_QUESTIONS)}
    return {name: column.astype(float) for name, column in columns.items()}


def _leave_out(
    answers: dict[str, Array],
    content: Array,
    measurement: Measurement,
    generator: np.random.Generator,
) -> None:
    """Take answers out, more of them where the respondent is dissatisfied."""
    sensitive = {item.name for item in measurement.items if item.sensitive}
    drawn = generator.random((len(content), len(answers)))
    for place, (name, column) in enumerate(answers.items()):
        share = measurement.skipped
        if name in sensitive:
            share = measurement.skipped_sensitive
        elif name.startswith("kano_"):
            share = measurement.skipped_kano
        elif name in PRICE_QUESTIONS:
            share = measurement.skipped_price
        skipped = _expit(_log_odds(share) + measurement.skipped_slope * content)
        column[drawn[:, place] < skipped] = np.nan


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share))) if share > 0 else -np.inf


def _expit(log_odds: Array) -> Array:
    chance: Array = 1 / (1 + np.exp(-log_odds))
    return chance


def survey_rows(
    settings: Settings, accounts: Accounts, waves: list[Wave], stream: Stream
) -> pd.DataFrame:
    """Write the questionnaires that came back, wave by wave.

    Returns
    -------
    DataFrame
        One row a respondent and wave: customer_id, wave, date, role, then every answer as a
        number, NaN where left out.
    """
    role = np.searchsorted(
        np.cumsum(ROLE_SHARES)[:-1], stream("role", ONCE).random(len(accounts)), side="right"
    )
    ids = customer_ids(accounts.number)
    return pd.concat(
        [_questionnaires(settings, ids, role, wave, stream) for wave in waves], ignore_index=True
    )


def _questionnaires(
    settings: Settings, ids: Any, role: Array, wave: Wave, stream: Stream
) -> pd.DataFrame:
    who = np.flatnonzero(wave.responded)
    month = wave.opinions.month
    day = 1 + (stream("day of answer", month).random(len(role)) * BILLING_DAYS).astype(np.int64)
    first_days = np.repeat(settings.calendar()[month], len(who))
    told = {
        "customer_id": ids.take(who),
        "wave": np.full(len(who), wave.number),
        "date": days_in_month(first_days, day[who]),
        "role": texts(ROLES, role[who]),
    }
    return pd.DataFrame(told | {name: column[who] for name, column in wave.answers.items()})
