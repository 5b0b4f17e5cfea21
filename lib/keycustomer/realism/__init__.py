"""How real the simulated company is: its moments beside those of real customer bases.

Every moment is computed by the same function on both sides; where the simulated company departs
from the real ones, the report says so.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "comparison": ("RealismReport", "compare_with_real", "simulated_moments", "tenures_of"),
    "moments": ("MOMENTS", "Moment", "spend_moments", "survey_moments", "tenure_moments"),
    "real_sets": ("RealSet", "read_real_sets"),
}
"""Public names by module; a name must differ from every module's name."""

_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Load the module that owns `name` at its first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names for tab completion."""
    return sorted({*globals(), *__all__})
