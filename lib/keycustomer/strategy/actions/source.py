"""Where actions are read from: a prepared base, or a simulated company."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from keycustomer.customers.base import CustomerBase

if TYPE_CHECKING:
    from keycustomer.simulate import Company

SIZE = ("accounts", "months", "seed")
"""What tells one simulated company from another."""

Source: TypeAlias = "CustomerBase | Company"


def company_of(source: Source) -> dict[str, int] | None:
    """Accounts, months and seed of the simulated company behind a source, None where it is none."""
    if isinstance(source, CustomerBase):
        told = source.simulation
    else:
        told = {name: getattr(source.settings, name) for name in SIZE}
    return None if told is None else {name: told[name] for name in SIZE}
