"""Figures: a result in, axes out, with a title that states the finding.

Every function takes a result of the library and an optional ``ax``, returns the axes, never
shows anything, and attaches a text alternative that :func:`description` reads.

Modules are loaded when one of their names is first used, since matplotlib and seaborn take a
second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "actions": ("account_action_dots", "account_plan_dots", "promised_delivered_dots"),
    "audit": (
        "bridge",
        "change_parts",
        "fall_of_the_best",
        "migration_map",
        "window_curve",
    ),
    "behaviour": (
        "deal_answers",
        "deal_errors",
        "later_deals",
        "next_need_bars",
        "proneness_map",
    ),
    "cases": ("case_dots",),
    "channels": ("channel_dots", "overlap_map", "responsibility_dots", "workload_bars"),
    "choice": (
        "choice_share_dots",
        "worth_dots",
        "worth_error_dots",
        "worth_spread_dots",
    ),
    "choice_studies": (
        "green_premium_dots",
        "layer_worth_bars",
        "offer_price_lines",
        "offer_share_dots",
        "study_power_lines",
        "value_stair",
    ),
    "churn": (
        "churn_calibration",
        "churn_company_dots",
        "churn_score_dots",
        "class_weight_bars",
        "odds_ratio_dots",
        "retention_fan",
    ),
    "cohorts": ("cohort_layers", "cohort_value", "retention_triangle"),
    "company_wars": ("lowered_sensitivity_dots", "war_reply_dots"),
    "competition": (
        "compared_war_bars",
        "peace_bars",
        "price_moves",
        "reply_curves",
        "war_path",
    ),
    "concentration": (
        "abc_bars",
        "abc_change_map",
        "abc_xyz_map",
        "decile_bars",
        "lorenz_curve",
        "pareto_curve",
        "rfm_map",
        "segment_bars",
        "whale_curve",
    ),
    "contacts": ("contact_curve", "contact_forms", "contact_worth_map", "phase_dots"),
    "customers": ("activity_over_time", "completeness_map", "exclusion_bars", "last_largest"),
    "discounts": ("discount_gain_bars", "discounts_by_risk"),
    "drivers": (
        "drift_lines",
        "importance_bars",
        "layer_bars",
        "need_map",
        "place_map",
        "priority_map",
        "stated_derived_map",
    ),
    "economics": ("break_even_bars", "level_cost_dots", "next_customer_curves", "policy_dots"),
    "effects": (
        "adjustment_dots",
        "balance_dots",
        "company_errors",
        "level_value_lines",
        "overlap_bars",
        "treatment_dots",
    ),
    "elasticity": (
        "cross_elasticity_map",
        "elasticity_dots",
        "first_stage_points",
        "price_quantity_points",
        "price_variation_bars",
        "recovery_points",
    ),
    "equivalent_discount": ("equivalent_costs", "equivalent_curve", "equivalent_dots"),
    "evidence": ("evidence_dots", "evidence_matrix", "yardstick_dots"),
    "judged": ("company_dots", "judged_bars", "overrating_dots", "plan_level_bars"),
    "kano": ("better_worse_map", "contrast_bars", "kano_bars", "kano_methods", "kano_plane"),
    "levers": ("budget_mixes", "cut_bars", "judged_mixes", "lever_curves", "lever_returns"),
    "lifetime": ("alive_over_time", "history_map", "law_bars", "model_bars", "renewal_curve"),
    "market_demand": (
        "demand_model_dots",
        "diversion_bars",
        "elasticity_map",
        "markup_dots",
        "merger_dots",
        "price_change_bars",
    ),
    "measurement": (
        "account_dots",
        "answer_bars",
        "index_bars",
        "item_dots",
        "loadings_map",
        "origin_bars",
        "scree",
        "value_cloud",
    ),
    "optimal_price": (
        "corridor_bars",
        "differentiation_dots",
        "profit_by_price",
        "uncertain_price_band",
    ),
    "plans": ("account_plan_map", "account_promise_dots"),
    "pls": ("construct_map", "effect_bars"),
    "pooling": (
        "pooling_coverage_dots",
        "pooling_error_dots",
        "shrinkage_map",
        "tier_elasticity_dots",
        "zero_trap_dots",
    ),
    "potential": ("expected_fall", "group_bars", "implied_windows", "rank_map", "value_map"),
    "products": ("category_gaps", "first_category_values"),
    "proneness": ("redemption_dots", "response_by_proneness"),
    "realism": ("realism_map",),
    "relationship_types": (
        "kotler_map",
        "promise_dots",
        "quality_part_dots",
        "quality_prediction_dots",
        "threshold_bars",
        "type_map",
        "type_stability_bars",
    ),
    "reliability": ("dropped_bars", "reliability_bars", "trait_ratio_map"),
    "segments": (
        "kind_bars",
        "profile_map",
        "segment_stability_bars",
        "segment_value_bars",
        "stability_curve",
    ),
    "selection": (
        "budget_curve",
        "levels_by_value",
        "plan_bars",
        "promise_bars",
        "shadow_price_curve",
    ),
    "service": (
        "complaint_days",
        "complaint_dots",
        "service_dots",
        "service_trial_dots",
        "tier_difference_dots",
    ),
    "stated_prices": (
        "judged_price_curve",
        "price_meter_curves",
        "reach_curves",
        "stated_demand_curve",
    ),
    "structural": ("effect_dots", "fit_bars", "loading_dots", "path_diagram"),
    "style": (
        "PALETTE",
        "compact_number",
        "describe",
        "description",
        "escape_label",
        "finding",
        "fonts",
        "new_axes",
        "number_axis",
        "palette",
        "percent",
        "percent_axis",
        "style_parameters",
        "use_style",
    ),
    "survival": (
        "hazard_ratio_dots",
        "reason_layers",
        "survival_curves",
        "switching_dots",
        "switching_errors",
    ),
    "sweeps": ("sweep_lines",),
    "targeting": (
        "gain_by_depth",
        "profit_by_tie_lines",
        "risk_uplift_map",
        "targeting_dots",
        "targeting_over_companies",
    ),
    "tools": (
        "interplay_origin_dots",
        "introduction_lines",
        "system_bars",
        "tool_contribution_dots",
        "tool_interaction_map",
        "tool_subset_map",
        "tool_trial_dots",
        "trial_size_dots",
    ),
    "troubles": (
        "margin_bridge_bars",
        "remedy_arrows",
        "remedy_dots",
        "remedy_map",
        "trouble_dots",
    ),
    "truth": ("truth_dots",),
    "validation": (
        "calibration_curve",
        "capture_curve",
        "expected_by_group",
        "score_bars",
        "tracking_curve",
    ),
    "waterfall": (
        "deep_discount_dots",
        "discount_point_bars",
        "pocket_price_map",
        "waterfall_bars",
    ),
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
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
