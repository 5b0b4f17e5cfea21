"""Customer-value dimensions (chapter 2): what customers value, and how well it can be measured.

Measurement of what is not seen (reliability, factors, structural equations, PLS paths), value
indices, drivers of satisfaction, Kano classes, kinds of need, segments, next needs, deal-proneness
and the dossier of a key account.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "behaviour.discrimination": ("weighted_auc",),
    "behaviour.needs": ("NextNeeds", "next_needs"),
    "behaviour.needs_check": ("NextNeedCheck", "check_next_needs"),
    "behaviour.proneness": ("DealProneness", "deal_proneness"),
    "behaviour.proneness_check": ("DealCheck", "check_deal_proneness"),
    "dossier.book": ("DossierBook", "open_dossiers"),
    "dossier.page": ("Dossier",),
    "drivers.dominance": ("Dominance", "dominance_levels"),
    "drivers.drift": ("ImportanceDrift", "importance_drift"),
    "drivers.importance": ("RelativeImportance", "relative_importance"),
    "drivers.layers": ("LayerImportance", "layer_importance"),
    "drivers.needs": ("KindsOfNeed", "kinds_of_need"),
    "drivers.priorities": ("ImportancePerformance", "importance_performance"),
    "drivers.stated": ("StatedDerived", "stated_against_derived"),
    "kano.classification": ("KanoClasses", "classify_kano", "fong_margin"),
    "kano.continuous": ("ContinuousKano", "continuous_kano", "kano_scores", "plane_class"),
    "kano.contrasts": ("PenaltyReward", "penalty_reward", "penalty_reward_by_cut_offs"),
    "kano.disagreement": ("KanoDisagreement", "cohens_kappa", "compare_kano_methods"),
    "kano.evaluation": (
        "CLASS_NAMES",
        "KANO_TABLE",
        "evaluate_pairs",
        "grouped_class",
        "leading_class",
    ),
    "kano.two_factor": ("TwoFactorReading", "two_factor_reading"),
    "known_truth": ("KnownTruth", "truth_of"),
    "measurement.adequacy": ("SamplingAdequacy", "sampling_adequacy"),
    "measurement.answers": ("Answers", "read_answers"),
    "measurement.dimension_scores": (
        "AccountScores",
        "DimensionScores",
        "MeasurementModel",
        "score_accounts",
        "score_dimensions",
    ),
    "measurement.factors": ("FactorSolution", "explore_factors", "factors_of_correlations"),
    "measurement.items": ("ItemAnalysis", "analyse_items"),
    "measurement.parallel": ("ParallelAnalysis", "parallel_analysis"),
    "measurement.reliability": ("Reliability", "measure_reliability"),
    "measurement.survey": ("Survey", "open_survey"),
    "measurement.validity": (
        "FornellLarcker",
        "TraitRatios",
        "fornell_larcker",
        "heterotrait_monotrait",
    ),
    "measurement.value_comparison": (
        "IndexComparison",
        "OriginDependence",
        "compare_indices",
        "origin_dependence",
    ),
    "measurement.value_index": ("ValueIndices", "value_indices"),
    "pls.path_model": ("PlsFit", "fit_pls"),
    "pls.performance": ("ConstructPerformance", "construct_performance"),
    "pls.resampled": ("PlsBootstrap", "bootstrap_pls"),
    "segments.contributions": ("kind_contributions",),
    "segments.numbers": ("SegmentNumbers", "segment_numbers"),
    "segments.placing": ("PlacingRule", "placing_rule"),
    "segments.segmentation": ("Segmentation", "segment_customers"),
    "segments.stability": ("jaccard", "rand_index"),
    "segments.variables": ("SegmentVariables", "read_variables"),
    "structural.admissibility": ("ImproperSolution",),
    "structural.arrows": ("model_text",),
    "structural.fitted": ("SemFit",),
    "structural.indices": ("FitIndices", "fit_indices"),
    "structural.mediation": ("mediated_effect",),
    "structural.models": ("fit_cfa", "fit_sem"),
    "structural.resampled": ("SemBootstrap",),
    "structural.syntax": ("ModelError",),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
