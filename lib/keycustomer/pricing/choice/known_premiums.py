"""True premiums of a simulated company, respondent by respondent, to hold estimates against.

:func:`true_premiums` gives what a level of the choice tasks is truly worth to each account that
answered them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.dimensions.known_truth import company_of
from keycustomer.simulate import Company
from keycustomer.simulate.choice_tasks import CHOICE_LEVELS
from keycustomer.simulate.columns import customer_ids
from keycustomer.simulate.tables import observe


def true_premiums(
    source: CustomerBase | Company, attribute: str = "energy", level: str = "green"
) -> pd.Series:
    """Tell what a level is truly worth to each respondent of a simulated company's tasks.

    Parameters
    ----------
    source : CustomerBase or Company
        A base made from a simulated company, or the company itself.
    attribute, level : str
        Attribute of the tasks and its level, against the first level of the attribute.

    Returns
    -------
    Series
        EUR a month, by respondent_id.

    Raises
    ------
    ValueError
        When the base holds real data, or there is no such level.
    """
    company = company_of(source, "true worths")
    study = observe(company).study
    if (attribute, level) not in study.worths.levels:
        there = "; ".join(f"{name}: {', '.join(levels)}" for name, levels in CHOICE_LEVELS.items())
        raise ValueError(f"no level {level!r} of {attribute!r}; there are {there}")
    column = study.worths.worth[:, study.worths.levels.index((attribute, level))]
    who = np.flatnonzero(study.took_part)
    ids = pd.Index(customer_ids(company.accounts.number).take(who), name="respondent_id")
    return pd.Series(column[who], ids, name=f"true worth of {level}")
