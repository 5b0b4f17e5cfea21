"""Marketing strategy (chapter 5): one plan for each key account, and the tools as one system.

Account plans with the actions that bring most, what a plan promised and what it delivered, the six
tools switched on and off in every combination, the five troubles with their remedies, and one
budget over all levers.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "actions.delivering": ("PlanDelivered", "deliver_plan"),
    "actions.estimating": ("AccountActions", "account_actions"),
    "actions.judging": ("JudgedAccountPlans", "judge_account_plans"),
    "actions.promising": ("PlanPromise",),
    "actions.vocabulary": ("ACTIONS", "ActionAssumptions"),
    "levers.curves": ("LeverCurve", "LeverCurves", "fit_lever_curves"),
    "levers.judging": ("JudgedMixes", "judge_mixes"),
    "levers.mixes": (
        "BestMix",
        "MixesByBudget",
        "ProportionalCut",
        "best_mix",
        "mixes_by_budget",
        "proportional_cut",
    ),
    "levers.rules": ("BUDGET_LEVERS",),
    "levers.trial": ("LeverTrial", "lever_trial"),
    "plans.page": ("AccountPlan",),
    "plans.top_accounts": ("AccountPlans", "account_plans"),
    "tools.coalitions": ("coalition_members", "coalition_names", "coalition_worths"),
    "tools.contributions": ("ToolContributions", "tool_contributions"),
    "tools.designs": (
        "TrialDesign",
        "fractional_factorial",
        "one_at_a_time",
        "tool_designs",
    ),
    "tools.experiment": ("ToolExperiment", "tool_experiment"),
    "tools.games": (
        "dividend_table",
        "harsanyi_dividends",
        "interaction_index",
        "shapley_values",
    ),
    "tools.interactions": ("ToolInteractions", "tool_interactions"),
    "tools.introduction": ("IntroductionOrder", "introduction_order"),
    "tools.origin": ("InterplayOrigin", "interplay_origin"),
    "tools.subsets": ("ToolSubsets", "tool_subsets"),
    "tools.system": ("interplay_by_size", "system_minus_product", "system_minus_sum"),
    "troubles.diagnosis": ("Diagnosis", "diagnose_troubles"),
    "troubles.leaving": ("TierLeaving", "leaving_by_tier"),
    "troubles.price_cost_mix": ("MarginBridge", "margin_bridge"),
    "troubles.remedies": ("REMEDIES", "Remedy", "RemedyEffects", "remedy_effects"),
    "troubles.symptoms": ("company_symptoms",),
    "troubles.true_war_effect": ("TrueWar", "true_war"),
    "troubles.vocabulary": ("TROUBLES", "Trouble"),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
