"""All tables of the data model, made from a simulated company.

`company_tables` writes what the operator's systems hold: customers, transactions, products,
interactions, contracts, survey, choices and market, under the names and columns of the data model.
Nothing latent is in them; for that see :mod:`keycustomer.simulate.truth`.  `observe` draws what is
only seen in surveys and is shared by tables and truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.agreements import agreements
from keycustomer.simulate.choice_rows import ChoiceStudy, choice_rows, choice_study
from keycustomer.simulate.columns import BILLING_DAYS
from keycustomer.simulate.contacts import ContactCosts, contacts
from keycustomer.simulate.customer_rows import customer_rows, product_rows
from keycustomer.simulate.leaving_reasons import recorded_reasons
from keycustomer.simulate.market_rows import market_rows
from keycustomer.simulate.order_lines import order_lines
from keycustomer.simulate.perception import weights_at
from keycustomer.simulate.questionnaire import Measurement
from keycustomer.simulate.streams import stream
from keycustomer.simulate.survey_rows import Stream, Wave, survey_rows, survey_waves

if TYPE_CHECKING:
    from keycustomer.simulate.company import Company

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Observation:
    """What surveys and experiments find, with what lies behind it.

    Attributes
    ----------
    waves : list of Wave
        The waves of the survey.
    study : ChoiceStudy
        The choice experiment of the last wave.
    """

    waves: list[Wave]
    study: ChoiceStudy


def numbers_of(company: Company) -> Stream:
    """Give the random numbers of the company's observation, by purpose and month."""
    return partial(_named, company.settings.seed)


def _named(seed: int, purpose: str, month: int) -> np.random.Generator:
    return stream(seed, f"observed: {purpose}", month)


def observe(company: Company, measurement: Measurement | None = None) -> Observation:
    """Ask the company's customers, in all waves and in the choice experiment.

    Parameters
    ----------
    company : Company
        A simulated company with its panel.
    measurement : Measurement, optional
        How answers come from opinions; left out, the questionnaire's.
    """
    settings, accounts, panel = company.settings, company.accounts, company.panel
    numbers = numbers_of(company)
    weights = partial(weights_at, accounts, company.parameters)
    waves = survey_waves(settings, accounts, panel, weights, measurement or Measurement(), numbers)
    return Observation(waves, choice_study(accounts, waves[-1], numbers))


def company_tables(company: Company) -> dict[str, pd.DataFrame]:
    """Write all tables of the data model.

    Parameters
    ----------
    company : Company
        A simulated company with its panel.

    Returns
    -------
    dict of str to DataFrame
        customers, transactions, products, interactions, contracts, survey, choices, market.
    """
    settings, accounts = company.settings, company.accounts
    products, panel, numbers = company.products, company.panel, numbers_of(company)
    n, costs = len(accounts), company.parameters.costs
    billing_day = 1 + (numbers("billing day", -1).random(n) * BILLING_DAYS).astype(np.int64)
    place = np.stack([numbers("contact days", t).random(n) for t in range(panel.months)])
    seen = observe(company)
    each = ContactCosts(visit=costs.visit, call=costs.call, complaint=costs.complaint)
    return {
        "customers": customer_rows(settings, accounts, billing_day, numbers),
        "transactions": order_lines(settings, accounts, products, panel, billing_day),
        "products": product_rows(),
        "interactions": contacts(settings, accounts, panel, each, place),
        "contracts": agreements(settings, accounts, panel, recorded_reasons(company)),
        "survey": survey_rows(settings, accounts, seen.waves, numbers),
        "choices": choice_rows(accounts, seen.study),
        "market": market_rows(settings, accounts, products, panel),
    }
