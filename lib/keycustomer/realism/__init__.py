"""How real the simulated company is: its moments beside those of real customer bases.

Every moment is computed by the same function on both sides; where the simulated company departs
from the real ones, the report says so.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "comparison": ("RealismReport", "compare_with_real", "simulated_moments", "tenures_of"),
    "moments": ("MOMENTS", "Moment", "spend_moments", "survey_moments", "tenure_moments"),
    "real_sets": ("RealSet", "read_real_sets"),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
