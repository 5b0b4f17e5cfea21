"""Pareto analysis (chapter 1): how far a few customers make most of the value.

Functions take frames or arrays and return small result objects or tidy frames that read well
in a notebook.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names
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

_lazy, __getattr__, __dir__ = lazy_names(__name__, _NAMES)

__all__ = ["concentration", *_lazy]
