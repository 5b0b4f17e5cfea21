"""Key Customer Value Lab: the claims of key-customer marketing, measured on real data.

The modules come by name, each loaded when it is first used, so that ``import keycustomer``
costs next to nothing::

    import keycustomer as kc

    base = kc.customers.open_base("casework/cdnow/base.duckdb")
    kc.pareto.pareto_share(kc.customers.customer_table(base)["revenue"])

Floors, arrows only downward: ``cli`` uses ``casework`` and ``coursework``; they use the
chapters (``pareto``, ``dimensions``, ``relationships``, ``pricing`` and above them ``strategy``);
a chapter uses ``lifetime``, ``stats`` and ``plots``; all of them stand on ``customers``, and that
on ``simulate``, one of the sources a base is read from.  ``realism`` compares what is simulated
with what is real.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from keycustomer import (
        casework,
        coursework,
        customers,
        dimensions,
        lifetime,
        pareto,
        plots,
        pricing,
        realism,
        relationships,
        simulate,
        stats,
        strategy,
    )

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "casework",
    "coursework",
    "customers",
    "dimensions",
    "lifetime",
    "pareto",
    "plots",
    "pricing",
    "realism",
    "relationships",
    "simulate",
    "stats",
    "strategy",
]


def __getattr__(name: str) -> ModuleType:
    """Load the module ``keycustomer.<name>`` when it is first asked for."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}; its modules are: {', '.join(__all__[1:])}"
    )


def __dir__() -> list[str]:
    """Names offered by tab completion, loaded or not."""
    return sorted({*globals(), *__all__})
