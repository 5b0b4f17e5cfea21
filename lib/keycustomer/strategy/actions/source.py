"""Where actions are read from: a prepared base, or a simulated company."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from keycustomer.customers.base import CustomerBase

if TYPE_CHECKING:
    from keycustomer.simulate import Company

Source: TypeAlias = "CustomerBase | Company"
