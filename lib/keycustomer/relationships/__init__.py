"""Relationship levels (chapter 3): which relationship each customer is worth, under a budget.

Levels by rule and by value, who stays and why, what service, contacts and switching costs do, what
winning and keeping cost, and the choice of a level for every account under a budget.  Modules are
loaded when one of their names is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "channels.comparison": ("ChannelComparison", "compare_channels"),
    "channels.overlap": ("CHANNEL_KINDS", "ChannelOverlap", "channel_overlap"),
    "channels.responsibility": ("ResponsibilityEffect", "responsibility_effect"),
    "channels.workloads": ("ManagerWorkloads", "manager_workloads"),
    "churn.class_weights": ("ClassWeightTrap", "class_weight_trap"),
    "churn.expected_retention": ("RetentionCurves", "retention_curves"),
    "churn.model": ("ChurnModel", "fit_churn"),
    "churn.month_features": ("CHURN_FEATURES", "churn_features", "month_ahead"),
    "churn.over_companies": ("ChurnOverCompanies", "churn_over_companies"),
    "churn.periods": ("person_periods",),
    "churn.recalibrated": ("Recalibration", "recalibrate"),
    "churn.reliability": (
        "BrierParts",
        "brier_parts",
        "expected_calibration_error",
        "reliability_groups",
    ),
    "churn.scores": ("ChurnScores", "churn_scores"),
    "churn.table": ("ChurnTable",),
    "churn.truth": ("true_hazards",),
    "churn.validation": ("ChurnValidation", "validate_churn"),
    "economics.attracting": (
        "AttractingKeeping",
        "CostByLevel",
        "attracting_against_keeping",
        "cost_by_level",
    ),
    "economics.closed_forms": (
        "LevelWorth",
        "break_even_retention",
        "level_worth",
        "periods_worth",
    ),
    "economics.fitted_responses": ("FittedResponse", "fit_response"),
    "economics.policies": ("PolicyValue", "policy_value"),
    "economics.responses": ("ExponentialResponse", "calibrate_response"),
    "economics.sharing": ("SharedBudget", "share_budget"),
    "economics.spending": ("SpendingPlan", "best_spending", "spending_plan"),
    "effects.confounding": ("bounding_factor", "e_value"),
    "effects.designs": ("Design", "read_design"),
    "effects.entry": ("customers_at_entry", "default_confounders"),
    "effects.level_hazard": ("LevelHazard",),
    "effects.levels_compared": ("level_effects",),
    "effects.outcomes_compared": ("TreatmentEffects", "treatment_effects"),
    "effects.over_companies": (
        "EffectsOverCompanies",
        "adjustment_over_companies",
        "effects_over_companies",
    ),
    "effects.roles": ("AdjustmentSets", "adjustment_sets", "covariate_roles"),
    "effects.truth": ("true_level_effects",),
    "effects.values_by_level": ("LevelValues", "level_values"),
    "judged.company_judgement": ("JudgedCompanies", "judge_over_companies"),
    "judged.plan_judgement": ("JudgedPlans", "judge_plans"),
    "judged.rules_of_thumb": ("budget_like_today", "plan_by_best_table", "planner", "usual_plans"),
    "judged.true_levels": ("LevelTruth", "level_truth"),
    "months.panel": ("CustomerMonths", "customer_months"),
    "rules.customer_types": ("RelationshipTypes", "TypeThresholds", "relationship_types"),
    "rules.kotler": (
        "KOTLER_TABLE",
        "KotlerLevels",
        "kotler_level",
        "kotler_levels",
        "kotler_table",
    ),
    "rules.prediction": ("QualityPrediction", "quality_prediction"),
    "rules.quality": ("RelationshipQuality", "relationship_quality"),
    "rules.service_levels": (
        "SERVICE_RULES",
        "ServiceKept",
        "ServiceRule",
        "check_service_rules",
        "service_rule_table",
    ),
    "rules.signs": ("LoyaltySigns", "loyalty_signs"),
    "rules.stability": ("TypeStability", "type_stability"),
    "selection.alternatives": ("Alternatives", "read_alternatives"),
    "selection.attained": (
        "ComparedPlans",
        "attainable_gain_share",
        "compare_over_budgets",
        "compare_plans",
    ),
    "selection.budgets": ("BudgetCurve", "budget_curve", "budget_sensitivity"),
    "selection.capacities": ("Capacity", "level_capacity", "manager_hours"),
    "selection.level_selection": ("Selection", "select_levels"),
    "selection.plans": ("LevelPlan",),
    "selection.promises": (
        "OptimisersCurse",
        "PromisedDelivered",
        "optimisers_curse",
        "promised_delivered",
    ),
    "selection.regret": ("Regret", "regret_over_draws"),
    "selection.rivals": (
        "plan_by_table",
        "plan_churn_risk_first",
        "plan_in_order",
        "plan_largest_first",
        "plan_uniform",
    ),
    "selection.segment_plans": ("SegmentSelection", "select_by_segment"),
    "selection.shrinkage": ("ShrunkValues", "UpliftErrors", "shrink_values", "uplift_errors"),
    "targeting.cross_fit": ("FittedUplift", "cross_fit_uplift"),
    "targeting.curves": ("GainCurves", "profit_curves", "qini_curves"),
    "targeting.known_trial": ("KnownTrial", "simulate_trial"),
    "targeting.learners": ("UpliftModel", "fit_uplift"),
    "targeting.over_companies": ("PilotsOverCompanies", "pilots_over_companies"),
    "targeting.pilot": ("PilotSettings", "RetentionPilot", "retention_pilot"),
    "targeting.profits": ("TargetingProfits", "targeting_profits", "targeting_value"),
    "targeting.rules": ("targeting_rules",),
    "targeting.ties": ("ProfitsByTie", "profits_by_tie"),
    "targeting.trial": ("Trial", "read_trial"),
    "service.complaints": ("ComplaintEffects", "complaint_effects"),
    "service.contacts": ("ContactResponse", "contact_response", "contact_verdict"),
    "service.indicators": (
        "INDICATORS",
        "MARGINS",
        "ServiceIndicators",
        "TierDifferences",
        "service_indicators",
        "tier_differences",
    ),
    "service.phases": ("PhaseEffects", "phase_effects"),
    "service.record": ("ServiceRecord", "read_service"),
    "service.true_service": ("ServiceTrial", "TrueService", "judge_service", "true_service"),
    "service.worth": ("ContactWorth", "contact_worth"),
    "survival.competing": (
        "CoxByReason",
        "ReasonIncidence",
        "fit_cox_by_reason",
        "incidence_by_reason",
    ),
    "survival.cox": ("CoxModel", "fit_cox"),
    "survival.group_curves": ("SurvivalByGroup", "survival_by"),
    "survival.log_rank": ("LogRank", "log_rank"),
    "survival.proportionality": ("ProportionalityCheck", "check_proportionality"),
    "survival.spells": ("NOT_RECORDED", "Spells", "month_spells", "read_spells"),
    "survival.switching": ("SwitchingCosts", "switching_costs"),
    "survival.switching_truth": (
        "SwitchingComparison",
        "switching_over_companies",
        "true_switching",
    ),
    "survival.ties": ("WITHOUT", "tie_columns"),
    "vocabulary": ("LEVELS",),
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
    """Names offered by tab completion, loaded or not."""
    return sorted({*globals(), *__all__})
