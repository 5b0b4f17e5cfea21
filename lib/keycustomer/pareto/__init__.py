"""Pareto analysis (chapter 1): how far a few customers make most of the value.

Functions take frames or arrays and return small result objects or tidy frames that read well
in a notebook.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from keycustomer.pareto.concentration import concentration

_NAMES: dict[str, tuple[str, ...]] = {
    "concentration": (
        "Concentration",
        "customers_for",
        "deciles",
        "equal_value_groups",
        "gini",
        "hhi",
        "lorenz",
        "pareto_share",
        "theil",
    ),
    "classes": (
        "AbcChange",
        "AbcClasses",
        "AbcXyz",
        "abc_by_rank",
        "abc_by_value",
        "abc_change",
        "abc_xyz",
        "xyz_classes",
    ),
    "published": ("YARDSTICKS", "Yardstick", "yardsticks"),
    "whale": ("WhaleCurve", "whale_curve"),
    "rfm": (
        "RFM_RULES",
        "RfmSegments",
        "SegmentRule",
        "rfm_cover",
        "rfm_scores",
        "rfm_segments",
    ),
    "windows": ("WindowShares", "pareto_by_period", "pareto_by_window"),
    "migration": (
        "ABC_CUTS",
        "Migration",
        "TopRetention",
        "class_migration",
        "retained_top",
    ),
    "persistence": ("RegressionToMean", "regression_to_mean"),
    "audit": (
        "Bridge",
        "Decomposition",
        "PeriodAudit",
        "audit_period",
        "decompose_change",
        "revenue_bridge",
        "shapley_contributions",
    ),
    "cohorts": ("Cohorts", "build_cohorts"),
    "products": (
        "BestCustomerCategories",
        "FirstPurchases",
        "best_customer_categories",
        "first_purchases",
    ),
}
"""Public names by module; a name that equals its module's is imported above instead."""

_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = ["concentration", *sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    """Load the module that owns `name` at its first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
