"""A company with known truth: the simulated regional telecom operator.

One documented data-generating process makes a supplier's business customers, what they need,
answer, use, pay and do, month by month, together with the truth behind it; rerun under another
policy with the same random numbers, it tells the true effect of every measure.  All of it is
simulated, and says so.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "accounts": ("Accounts", "draw_accounts", "segment_probabilities"),
    "choice_tasks": ("CHOICE_LEVELS", "WORTH"),
    "chosen": ("chosen_outcomes",),
    "company": ("Company", "simulate_company"),
    "customer_rows": ("ATTRIBUTE_KINDS",),
    "effects": (
        "LEVERS",
        "MEASURES",
        "PolicyComparison",
        "TrueEffects",
        "compare_policies",
        "true_effects",
    ),
    "implied_answers": ("AnswerMoments", "implied_moments"),
    "kano_answers": ("KANO_CLASSES", "kano_probabilities"),
    "leaving_reasons": ("REASONS", "reason_chances", "recorded_reasons"),
    "panel": ("Outcome", "Panel"),
    "parameters": ("Parameters",),
    "paths": ("Paths", "market_paths"),
    "policy": (
        "BackOffice",
        "ChannelRule",
        "Dossier",
        "LevelRule",
        "Policy",
        "PricingRule",
        "ServiceProcess",
        "policy_of_tools",
    ),
    "perception": ("level_effects", "weights_at"),
    "process": ("simulate_outcomes", "simulate_process"),
    "products": ("PRODUCTS", "Product", "Products", "product_arrays", "product_table"),
    "questionnaire": ("CONSTRUCTS", "ITEMS", "LATENTS", "Item", "Measurement"),
    "settings": ("Settings",),
    "stated_importance": ("STATED_SHIFT", "attribute_importance"),
    "streams": ("Draws", "stream"),
    "tables": ("Observation", "company_tables", "observe"),
    "together": ("compare_over_companies",),
    "truth": ("Truth", "company_truth"),
    "vocabulary": (
        "ATTRIBUTES",
        "ATTRIBUTE_LAYERS",
        "CATEGORIES",
        "CHANNELS",
        "DIMENSIONS",
        "INDUSTRIES",
        "LEVELS",
        "NEVER",
        "OWNERSHIPS",
        "REGIONS",
        "SEGMENTS",
        "TOOLS",
        "TRAITS",
    ),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
