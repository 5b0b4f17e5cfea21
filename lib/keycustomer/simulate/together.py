"""Several simulated companies under the same policies, run side by side.

What does a policy change in twenty companies?  :func:`compare_over_companies` gives for each of
them what :func:`keycustomer.simulate.compare_policies` gives, in a fraction of the time where
companies are small: accounts do not meet each other, so those of all companies go through the
months together, each with the random numbers and the wholesale costs of its own company.

All that runs companies side by side is made of the same parts: :func:`company_settings` and
:func:`batches` say which companies go together, :func:`stacked_world` puts their accounts into one
world, and :func:`split_outcome` gives each company its part of what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts, draw_accounts
from keycustomer.simulate.company import checked
from keycustomer.simulate.effects import PolicyComparison, named_policies
from keycustomer.simulate.panel import Outcome
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.paths import Paths, market_paths
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.process import BLOCK, Progress, Record, run_block
from keycustomer.simulate.products import Products, product_arrays
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.state import World
from keycustomer.simulate.streams import Draws
from keycustomer.simulate.vocabulary import REGIONS

PER_ACCOUNT = ("levels", "visits", "calls", "discount")
"""Levers of a policy that may be given for each account, which is no meaning for many companies."""

MOST = 1_000
"""Companies run side by side at most: their regions are counted in 16 bits."""


class StackedDraws(Draws):
    """Numbers of several companies, one company after the other.

    Parameters
    ----------
    seeds : sequence of int
        Seeds of the companies.
    accounts : int
        Accounts of each.
    """

    def __init__(self, seeds: Sequence[int], accounts: int) -> None:
        super().__init__(seeds[0], 0, len(seeds) * accounts, remember=True)
        self.parts = [Draws(seed, 0, accounts) for seed in seeds]

    def _draw(
        self, purpose: str, month: int, columns: int, *, normal: bool
    ) -> npt.NDArray[np.float64]:
        kept = self._kept if self._kept is not None else {}
        key = (purpose, month, columns, normal)
        if key not in kept:
            drawn = [
                (part.normal if normal else part.uniform)(purpose, month, columns)
                for part in self.parts
            ]
            kept[key] = np.concatenate(drawn)
            kept[key].setflags(write=False)
        return kept[key]


def compare_over_companies(
    policies: Mapping[str, Policy] | Iterable[Policy],
    seeds: Iterable[int],
    accounts: int = 300,
    months: int = 36,
    *,
    start: str = "2023-01",
    ahead: int = 0,
    discount_rate: float = 0.0,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> list[PolicyComparison]:
    """Run several simulated companies under the same policies.

    Parameters
    ----------
    policies : mapping of str to Policy, or iterable of Policy
        As in :func:`keycustomer.simulate.compare_policies`, with levers that are one for all
        accounts (or rules).
    seeds : iterable of int
        Seed of each company.
    accounts, months, start, ahead, discount_rate, parameters
        As there, the same for all companies.
    progress : callable, optional
        Called with runs done and in all, a run being some companies under a policy.

    Returns
    -------
    list of PolicyComparison
        One a company, in the order of `seeds`; the same as one by one but for rounding.

    Raises
    ------
    ValueError
        When there is no company, a seed comes twice, or a lever is given for each account.
    """
    named = named_policies(policies)
    settings = company_settings(seeds, accounts, months, start, ahead, discount_rate)
    first = settings[0].counted_from
    started = {name: replace(one, start=max(one.start, first)) for name, one in named.items()}
    refuse_per_account(started)
    truth = checked(parameters, Parameters, "parameters")
    parts = list(batches(settings))
    made: list[PolicyComparison] = []
    for number, batch in enumerate(parts):
        outcomes: list[dict[str, Outcome]] = [{} for _ in batch]
        for done, (name, stacked) in enumerate(_run_batch(batch, truth, started), start=1):
            for company, outcome in enumerate(split_outcome(stacked, len(batch))):
                outcomes[company][name] = outcome
            if progress:
                progress(number * len(started) + done, len(parts) * len(started))
        made += [PolicyComparison(*one) for one in zip(batch, outcomes, strict=True)]
    return made


def company_settings(
    seeds: Iterable[int],
    accounts: int,
    months: int,
    start: str = "2023-01",
    ahead: int = 0,
    discount_rate: float = 0.0,
) -> list[Settings]:
    """Give the settings of companies alike but for the seed; see :func:`compare_over_companies`.

    Raises
    ------
    ValueError
        When there is no company, or a seed comes twice.
    """
    made = [Settings(accounts, months, seed, start, ahead, discount_rate) for seed in seeds]
    if not made:
        raise ValueError("seeds: no company to simulate; give at least one seed")
    if len({one.seed for one in made}) < len(made):
        raise ValueError("seeds: a seed comes twice, which is the same company again")
    return made


def refuse_per_account(policies: Mapping[str, Policy]) -> None:
    """Refuse levers given for each account, which mean nothing in several companies.

    Raises
    ------
    ValueError
        With the first such lever.
    """
    for name, policy in policies.items():
        for lever in PER_ACCOUNT:
            if np.ndim(getattr(policy, lever)) > 0:
                raise ValueError(
                    f"policies[{name!r}].{lever}: given for each account, which differ between "
                    "companies; use compare_policies for each company"
                )


def batches(settings: Sequence[Settings]) -> Iterator[list[Settings]]:
    """Give companies of one size whose accounts fit into the processor's cache together."""
    size = min(max(BLOCK // settings[0].accounts, 1), MOST)
    for begin in range(0, len(settings), size):
        yield list(settings[begin : begin + size])


def _run_batch(
    batch: list[Settings], parameters: Parameters, policies: Mapping[str, Policy]
) -> Iterator[tuple[str, Outcome]]:
    """Give the outcome of every policy for the accounts of all companies of a batch."""
    world = stacked_world(batch, parameters)
    for name, policy in policies.items():
        paths = stacked_paths([market_paths(one, parameters, policy) for one in batch])
        record = Record.blank(len(world.accounts))
        run_block(replace(world, paths=paths), policy, record)
        yield name, record.outcome()


def stacked_world(batch: Sequence[Settings], parameters: Parameters) -> World:
    """Put the accounts of several companies into one world, under business as usual.

    Parameters
    ----------
    batch : sequence of Settings
        Companies of one size and window, `MOST` at most; accounts stand company after company.
    parameters : Parameters
        True coefficients.
    """
    products = product_arrays()
    return World(
        batch[0],
        parameters,
        _stacked_accounts(batch, parameters, products),
        products,
        stacked_paths([market_paths(one, parameters, Policy()) for one in batch]),
        StackedDraws([one.seed for one in batch], batch[0].accounts),
    )


def _stacked_accounts(
    batch: Sequence[Settings], parameters: Parameters, products: Products
) -> Accounts:
    """Accounts of all companies; every company has regions of its own."""
    drawn = [draw_accounts(one, parameters, products) for one in batch]
    together = {
        one.name: np.concatenate([getattr(some, one.name) for some in drawn])
        for one in fields(Accounts)
    }
    company = np.repeat(np.arange(len(batch)), batch[0].accounts)
    together["region"] = (together["region"] + len(REGIONS) * company).astype(np.int16)
    return Accounts(**together)


def stacked_paths(paths: Sequence[Paths]) -> Paths:
    """Paths of all companies: what is by region stands side by side, the rest is the same."""
    return replace(
        paths[0],
        cost_index=np.hstack([one.cost_index for one in paths]),
        cost_shock=np.hstack([one.cost_shock for one in paths]),
    )


def split_outcome(stacked: Outcome, companies: int) -> list[Outcome]:
    """Give each company its part of the totals."""
    parts = {one.name: np.split(getattr(stacked, one.name), companies) for one in fields(Outcome)}
    return [
        Outcome(**{name: part[company] for name, part in parts.items()})
        for company in range(companies)
    ]
