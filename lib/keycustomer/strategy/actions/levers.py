"""Settings of one action for all accounts, and what each would change.

A `Lever` is one of `ACTIONS` with its settings: which are open to an account, what it has now, what
each shifts (:class:`~keycustomer.strategy.actions.shifts.Shift`), what must be true for that, and
what a firm would have to do (`Doing`, which the simulated company can be told).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keycustomer.strategy.actions.shifts import Shift

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Doing:
    """What is done for one account.

    Attributes
    ----------
    level : int, optional
        Position of its relationship level; None as today.
    discount : float
        Added to its discount, share of the list price.
    first_contacts, other_contacts : float
        Added contacts a month, of the first kind and of the others.
    process, dossier, manager : bool
        Whether the complaint process, the dossier with offers, the manager alone hold for it.
    """

    level: int | None = None
    discount: float = 0.0
    first_contacts: float = 0.0
    other_contacts: float = 0.0
    process: bool = False
    dossier: bool = False
    manager: bool = False

    def and_also(self, other: Doing) -> Doing:
        """Do both; of two levels the other's."""
        return Doing(
            self.level if other.level is None else other.level,
            self.discount + other.discount,
            self.first_contacts + other.first_contacts,
            self.other_contacts + other.other_contacts,
            self.process or other.process,
            self.dossier or other.dossier,
            self.manager or other.manager,
        )


@dataclass(frozen=True, eq=False)
class Lever:
    """One action with its settings, for n accounts.

    Attributes
    ----------
    action : str
        One of `ACTIONS`.
    names : tuple of str
        Settings, the same for all accounts.
    open : ndarray of bool, shape (n, settings)
        Which settings there are for which account.
    present : sequence of str
        What each account has now.
    told : callable
        (account, setting) to what the setting means for the account.
    shift : callable
        (accounts, setting) to what it changes.
    doing : callable
        (account, setting) to what is done.
    assumption : str
        What must be true, one sentence.
    """

    action: str
    names: tuple[str, ...]
    open: npt.NDArray[np.bool_] = field(repr=False)
    present: Sequence[str] = field(repr=False)
    told: Callable[[int, int], str] = field(repr=False)
    shift: Callable[[Rows, int], Shift] = field(repr=False)
    doing: Callable[[int, int], Doing] = field(repr=False)
    assumption: str
