"""Several simulated companies under several policies, each with what happened month by month.

What would the tables of twenty companies show under a policy?  :func:`companies_under` gives them
as :func:`keycustomer.simulate.simulate_company` does, in a fraction of the time where they are
small: accounts do not meet each other, so those of all companies go through the months together,
each with the random numbers and the wholesale costs of its own company.  Where totals suffice, use
:func:`keycustomer.simulate.compare_over_companies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from keycustomer.simulate.accounts import Accounts, draw_accounts
from keycustomer.simulate.company import Company, checked
from keycustomer.simulate.effects import named_policies
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.paths import Paths, market_paths
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.process import Record, run_block
from keycustomer.simulate.products import Products
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.together import (
    batches,
    company_settings,
    refuse_per_account,
    split_outcome,
    stacked_paths,
    stacked_world,
)

BY_ACCOUNT = ("left", "adopted")
"""Arrays of a panel whose first axis is the account; of all others it is the second."""


def companies_under(
    policies: Mapping[str, Policy] | Iterable[Policy],
    seeds: Iterable[int],
    accounts: int = 300,
    months: int = 36,
    *,
    start: str = "2023-01",
    parameters: Parameters | None = None,
) -> Iterator[tuple[str, Company]]:
    """Simulate several companies under the same policies, from the first month on.

    Parameters
    ----------
    policies : mapping of str to Policy, or iterable of Policy
        As in :func:`keycustomer.simulate.compare_policies`, with levers that are one for all
        accounts (or rules).
    seeds : iterable of int
        Seed of each company.
    accounts, months, start, parameters
        As there, the same for all companies.

    Yields
    ------
    (str, Company)
        A policy's name and a company under it: policy by policy, in the order of `seeds`; the same
        as one by one but for rounding.  Where companies do not fit together, those of the first
        seeds come first, under all policies.

    Raises
    ------
    ValueError
        When there is no company, a seed comes twice, or a lever is given for each account.
    """
    named = named_policies(policies)
    refuse_per_account(named)
    truth = checked(parameters, Parameters, "parameters")
    for batch in batches(company_settings(seeds, accounts, months, start)):
        yield from _batch_under(batch, truth, named)


def _batch_under(
    batch: Sequence[Settings], parameters: Parameters, policies: Mapping[str, Policy]
) -> Iterator[tuple[str, Company]]:
    world = stacked_world(batch, parameters)
    each = [draw_accounts(one, parameters, world.products) for one in batch]
    for name, policy in policies.items():
        paths = [market_paths(one, parameters, policy) for one in batch]
        record = Record.blank(len(world.accounts), batch[0].span, len(world.products.weight))
        run_block(replace(world, paths=stacked_paths(paths)), policy, record)
        for company in _companies(batch, parameters, policy, each, world.products, paths, record):
            yield name, company


def _companies(
    batch: Sequence[Settings],
    parameters: Parameters,
    policy: Policy,
    accounts: Sequence[Accounts],
    products: Products,
    paths: Sequence[Paths],
    record: Record,
) -> Iterator[Company]:
    """Give each company its part of what was run together."""
    count = len(batch)
    outcomes = split_outcome(record.outcome(), count)
    arrays = record.monthly | {"left": record.left, "adopted": record.adopted}
    parts = {
        one.name: np.split(arrays[one.name], count, axis=0 if one.name in BY_ACCOUNT else 1)
        for one in fields(Panel)
        if one.name != "paths"
    }
    for place, settings in enumerate(batch):
        panel = Panel(**{name: part[place] for name, part in parts.items()}, paths=paths[place])
        yield Company(
            settings, parameters, policy, accounts[place], products, panel, outcomes[place]
        )
