"""The choice experiment of the simulated operator: a row an alternative in a task.

`choice_study` draws who takes part in the last wave and what they choose; `choice_rows` writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.choice_tasks import (
    CHOICE_LEVELS,
    NONE,
    PACKAGES,
    TASKS,
    Choices,
    Worths,
    draw_choices,
    draw_worths,
)
from keycustomer.simulate.columns import customer_ids, texts
from keycustomer.simulate.survey_rows import Wave

Array = npt.NDArray[Any]

PART = 0.6
"""Share of the last wave's respondents who also do the choice tasks."""

BASIC = 0.80
"""What the plainest package is worth, as a part of the standard one's worth."""


@dataclass(frozen=True, eq=False)
class ChoiceStudy:
    """The choice experiment, all accounts.

    Attributes
    ----------
    worths : Worths
        What the levels are worth to each account.
    basic : ndarray, shape (accounts,)
        What the plainest package is worth, EUR a month.
    choices : Choices
        What each account would choose.
    took_part : ndarray of bool, shape (accounts,)
        Whether it did the tasks.
    """

    worths: Worths
    basic: Array
    choices: Choices
    took_part: Array


def choice_study(
    accounts: Accounts, wave: Wave, stream: Callable[[str, int], np.random.Generator]
) -> ChoiceStudy:
    """Draw worths, tasks and choices.

    Parameters
    ----------
    accounts : Accounts
        The company's.
    wave : Wave
        The wave with which the tasks were sent.
    stream : callable
        Gives the random numbers of a purpose and month.
    """
    month = wave.opinions.month
    worths = draw_worths(accounts.segment, accounts.traits, stream("worths", -1))
    basic = BASIC * wave.worth
    choices = draw_choices(worths, basic, stream("choice tasks", month))
    took_part = wave.responded & (stream("choice part", month).random(len(accounts)) < PART)
    return ChoiceStudy(worths, basic, choices, took_part)


def choice_rows(accounts: Accounts, study: ChoiceStudy) -> pd.DataFrame:
    """Write the alternatives, respondent by respondent, task by task.

    Returns
    -------
    DataFrame
        respondent_id (a customer's id), task, alternative (1, 2, 3, 4; the last one takes none),
        chosen, price (EUR a month; 0 for none), then the levels of `CHOICE_LEVELS`.
    """
    who = np.flatnonzero(study.took_part)
    shown = (len(who), TASKS, PACKAGES + 1)
    price = np.zeros(shown)
    price[..., :-1] = study.choices.price[who]
    alternative = np.broadcast_to(np.arange(PACKAGES + 1), shown)
    task = np.broadcast_to(np.arange(TASKS)[None, :, None], shown)
    numbers = [str(k + 1) for k in range(max(TASKS, PACKAGES + 1))]
    frame = {
        "respondent_id": customer_ids(accounts.number).take(np.repeat(who, TASKS * (PACKAGES + 1))),
        "task": texts(numbers, task.ravel()),
        "alternative": texts(numbers, alternative.ravel()),
        "chosen": (study.choices.chosen[who][..., None] == alternative).ravel(),
        "price": price.ravel(),
    }
    for name, levels in CHOICE_LEVELS.items():
        code = np.full(shown, len(levels))
        code[..., :-1] = study.choices.level[name][who]
        frame[name] = texts([*levels, NONE], code.ravel())
    return pd.DataFrame(frame)
