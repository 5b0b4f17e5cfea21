"""Chosen accounts of one or several simulated companies, each under levers of its own.

What would a policy do to these ten accounts?  Accounts do not meet each other, so that the months
of a few need not be run for all: :func:`chosen_outcomes` runs those alone, meeting the chance that
they meet in their company.  An account may be chosen several times, under several levers.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.panel import Outcome
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.process import Record, run_block
from keycustomer.simulate.state import World
from keycustomer.simulate.streams import Draws

Places = npt.NDArray[np.int64]


class ChosenDraws(Draws):
    """Numbers of chosen accounts.

    Parameters
    ----------
    whole : Draws
        Numbers of all accounts, remembered.
    chosen : ndarray of int
        Places of the chosen ones.
    """

    def __init__(self, whole: Draws, chosen: Places) -> None:
        super().__init__(whole.seed, 0, len(chosen))
        self.whole = whole
        self.chosen = chosen

    def _draw(self, purpose: str, month: int, columns: int, *, normal: bool) -> npt.NDArray[Any]:
        draw = self.whole.normal if normal else self.whole.uniform
        return draw(purpose, month, columns)[self.chosen]


def chosen_outcomes(world: World, chosen: npt.ArrayLike, policy: Policy) -> Outcome:
    """Run chosen accounts under a policy.

    Parameters
    ----------
    world : World
        All accounts of one or several companies, see
        :func:`keycustomer.simulate.together.stacked_world`.
    chosen : sequence of int
        Places of the accounts, any number of times each.
    policy : Policy
        Levers one for all, or one for each chosen account; the list prices must be today's.  It
        starts at the end of the window at the earliest, where months ahead are simulated.

    Raises
    ------
    IndexError
        When there is no such account.
    ValueError
        When levers are not for as many accounts, or the policy changes list prices.
    """
    places = np.asarray(chosen, dtype=np.int64)
    if policy.list_price or (policy.pricing and policy.pricing.following is not None):
        raise ValueError("policy: list prices are those of the world; leave list_price as today")
    if places.size and not (0 <= places.min() and places.max() < len(world.accounts)):
        raise IndexError(f"chosen: accounts 0 to {len(world.accounts) - 1} are there")
    whole = world.accounts
    some = Accounts(**{one.name: getattr(whole, one.name)[places] for one in fields(Accounts)})
    started = replace(policy, start=max(policy.start, world.settings.counted_from))
    record = Record.blank(len(places))
    part = replace(world, accounts=some, draws=ChosenDraws(world.draws, places))
    run_block(part, started.for_block(0, len(places), len(places)), record)
    return record.outcome()
