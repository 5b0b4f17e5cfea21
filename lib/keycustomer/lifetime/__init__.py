"""Lifetime value: who will be valuable, with its uncertainty.

Models of repeat purchases without a contract (BG/NBD, MBG/NBD, Pareto/NBD, BG/BB), of spend per
purchase (Gamma-Gamma), of renewals under a contract (shifted beta-geometric), Markov chains and
the margin multiple; what they say of each customer, how far they can be trusted, and what it is
worth.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "chains.buying_states": ("RecencyChain", "fit_recency_chain"),
    "chains.markov": ("CustomerChain", "recency_chain"),
    "concentration.counting": ("alike_probabilities", "count_probabilities"),
    "concentration.growing_windows": (
        "WindowConcentration",
        "concentration_by_age",
        "concentration_by_window",
    ),
    "concentration.implied": (
        "implied_share",
        "lasting_estimate",
        "lasting_share",
        "luck_share",
        "top_share",
    ),
    "concentration.regression": ("ForeseenFall", "foreseen_fall"),
    "contracts.contract_value": ("ContractValues", "value_contracts"),
    "contracts.contractual": ("ShiftedBetaGeometric", "fit_sbg"),
    "contracts.survival": ("SurvivalCurve", "survival_curve"),
    "contracts.tenures": ("Tenures", "contract_tenures", "read_tenures", "tenures_from_survivors"),
    "covariates.covariate_model": ("CovariateModel", "LikelihoodRatio", "fit_with_covariates"),
    "discrete.bgbb": ("BgBb", "fit_bgbb"),
    "discrete.opportunities": ("opportunity_table",),
    "exponential.paretonbd": ("ParetoNbd", "fit_paretonbd"),
    "fitting": ("TRANSACTION_MODELS", "fit_model", "fit_models"),
    "geometric.bgnbd": ("BgNbd", "fit_bgnbd"),
    "geometric.mbgnbd": ("MbgNbd", "fit_mbgnbd"),
    "heterogeneity": ("LawShares", "dropout_shares", "purchasing_shares"),
    "histories": ("Histories", "count_histories", "read_histories"),
    "laws": ("BetaLaw", "GammaLaw", "PointLaw", "SplitLaw"),
    "margin": ("margin_multiple",),
    "matrices": ("HistoryMatrix", "alive_matrix", "purchase_matrix"),
    "resampling": ("ModelDraws", "bootstrap_models", "parameter_intervals"),
    "simulation": ("simulate_customers", "simulate_spend"),
    "spend.gammagamma": ("GammaGamma", "fit_gammagamma"),
    "spend.spending": ("Spending", "read_spending"),
    "trace": ("CustomerTrace", "trace_customer"),
    "validation.calibration": (
        "GroupedPurchases",
        "Tracking",
        "calibration_table",
        "conditional_expectation",
        "tracking",
    ),
    "validation.comparison": ("ModelComparison", "compare_models"),
    "validation.holdout": ("HoldoutSplit", "calibration_end", "split_holdout"),
    "validation.predictions": ("BASELINES", "HoldoutPredictions", "fitted_on", "predict_holdout"),
    "validation.scores": ("HoldoutScores", "holdout_scores"),
    "value.customer_values": ("CustomerValues", "value_customers"),
    "value.potential": ("PotentialMap", "map_potential"),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
