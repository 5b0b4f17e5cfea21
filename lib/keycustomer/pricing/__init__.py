"""Pricing (chapter 4): who is price-sensitive, what that is worth, and what to charge.

Elasticities from sales and prices, by tier and by customer, willingness to pay from surveys and
choices, demand of a market, optimal prices and their floors, discounts for accounts at risk, and
competition up to price war.  Modules are loaded when one of their names is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "choice.choice_data": ("ChoiceData", "read_choices"),
    "choice.choice_designs": ("ChoiceDesign", "choice_design"),
    "choice.coding": ("NONE_OPTION",),
    "choice.customer_economics": ("EconomicValue", "economic_value"),
    "choice.design_power": ("DesignPower", "simulate_answers", "study_power"),
    "choice.green": ("GreenPremium", "green_premium"),
    "choice.held_out": ("HeldOutChoices", "held_out_choices"),
    "choice.independence": ("IndependenceTest", "independence_test"),
    "choice.known_premiums": ("true_premiums",),
    "choice.known_worths": ("WorthRecovery", "true_worths", "worth_recovery"),
    "choice.layers": ("LayerWorth", "layer_worth"),
    "choice.logit": ("LogitModel", "fit_logit"),
    "choice.mixed": ("MixedLogitModel", "fit_mixed_logit"),
    "choice.nested_models": ("ComparedLikelihoods", "compare_likelihoods"),
    "choice.offers": ("OfferShares", "offer_shares"),
    "choice.response_curves": ("OfferPriceResponse", "price_response"),
    "choice.willingness": ("willingness_to_pay",),
    "choice.worth": ("WillingnessToPay",),
    "competition.calibration": ("calibrated_market", "implied_costs"),
    "competition.company_wars": ("WarWithService", "one_level_closer", "war_with_service"),
    "competition.constant_elasticities": ("ConstantElasticityMarket", "constant_elasticity_market"),
    "competition.differentiation": ("ComparedWars", "compare_wars"),
    "competition.entries": ("EntryEffect", "entry_effect"),
    "competition.equilibrium": (
        "Equilibrium",
        "equilibrium_prices",
        "joint_prices",
        "reply_slopes",
    ),
    "competition.linear_demand": ("LinearMarket", "linear_duopoly", "linear_market"),
    "competition.logit_demand": ("LogitMarket", "logit_market"),
    "competition.mergers": ("MergerEffect", "merger_effect"),
    "competition.peace_terms": ("PeaceTerms", "critical_discount_factor"),
    "competition.price_market": ("PriceMarket",),
    "competition.price_wars": ("PriceWar", "price_war"),
    "competition.wars_over_companies": ("WarsOverCompanies", "judge_wars"),
    "discounts.allocation": ("DiscountPlan", "allocate_discounts", "discount_plans"),
    "discounts.discount_months": ("DiscountMonths",),
    "discounts.equivalent": ("EquivalentDiscount", "equivalent_discount"),
    "discounts.judged": ("JudgedDiscounts", "judge_discounts"),
    "discounts.options": ("DiscountOptions", "discount_options", "read_discount_options"),
    "discounts.pilot": ("DiscountPilot", "DiscountPilotSettings", "discount_pilot"),
    "discounts.retention": ("RetentionResponse", "retention_response"),
    "discounts.true_equivalent": (
        "EquivalentOverCompanies",
        "TrueEquivalent",
        "equivalent_over_companies",
        "true_equivalent_discount",
    ),
    "elasticity.comparison": ("ElasticityComparison", "elasticity_comparison"),
    "elasticity.cross": ("CrossElasticities", "cross_elasticities"),
    "elasticity.earlier": ("stockpiling_controls",),
    "elasticity.elasticities": ("Elasticities", "price_elasticity"),
    "elasticity.over_many": (
        "ElasticityRecovery",
        "elasticity_over_companies",
        "elasticity_over_panels",
    ),
    "elasticity.synthetic": ("KnownPanel", "known_panel"),
    "elasticity.truth": ("account_elasticities", "true_elasticities"),
    "market.comparison": ("DemandComparison", "compare_demands"),
    "market.demand": ("MarketDemand",),
    "market.fitting": ("fit_market_demand",),
    "market.instruments": (
        "differentiation_instruments",
        "other_region_prices",
        "rival_instruments",
    ),
    "market.mergers": ("MarketMerger", "market_merger"),
    "market.random_coefficients": ("MarketSupply",),
    "market.shipped": ("shipped_buyers",),
    "market.tables": ("MarketTable", "read_market"),
    "market.tastes": ("MarketTastes",),
    "market.usage": ("usage_market",),
    "optimal.corridor": ("PriceCorridor", "price_corridor", "tier_prices"),
    "optimal.curve": ("PriceCurve", "price_curve"),
    "optimal.customers_today": ("CustomersAtPrices", "customers_at_prices"),
    "optimal.demand_curves": (
        "ConstantElasticityDemand",
        "DemandCurve",
        "LinearDemand",
        "LogitDemand",
        "NoOptimalPrice",
    ),
    "optimal.differentiation": (
        "PriceDifferentiation",
        "judge_prices",
        "plan_prices",
        "price_differentiation",
        "revenue_tiers",
    ),
    "optimal.one_price": ("OptimalPrice", "optimal_price"),
    "optimal.over_lifetime": ("LifetimePrice", "lifetime_optimal_price"),
    "optimal.price_responses": ("PriceResponses",),
    "optimal.product_demand": (
        "ConstantElasticityProductDemand",
        "LinearProductDemand",
        "LogitProductDemand",
        "ProductDemand",
    ),
    "optimal.several_products": ("OptimalPrices", "optimal_prices"),
    "optimal.true_lifetime": ("true_price_curve",),
    "optimal.uncertain": ("UncertainPrice", "uncertain_price"),
    "panels.accounts": ("account_panel",),
    "panels.markets": ("market_panel",),
    "panels.panel": ("PricePanel",),
    "panels.sales": ("sales_panel",),
    "pooling.comparison": (
        "PoolingComparison",
        "pooling_comparison",
        "pooling_over_companies",
        "pooling_over_seeds",
    ),
    "pooling.customers": ("CustomerElasticities", "customer_elasticities"),
    "pooling.known": ("KnownCustomers", "known_customers", "known_sales"),
    "pooling.zeros": ("ZeroTrap", "zero_trap", "zero_trap_over_seeds"),
    "proneness.check": ("PronenessCheck", "proneness_check"),
    "realised.deep_discounts": ("DeepDiscounts", "discount_outliers"),
    "realised.negotiation": (
        "PointOfDiscount",
        "break_even_volume",
        "point_of_discount",
        "true_point_of_discount",
    ),
    "realised.pocket_prices": ("PocketPriceBand", "pocket_price_band"),
    "realised.waterfall": ("PriceWaterfall", "price_waterfall"),
    "stated.acceptance": ("StatedDemand", "gabor_granger"),
    "stated.auction": ("bdm_demand", "bdm_surplus"),
    "stated.price_answers": ("PriceAnswers", "read_price_points"),
    "stated.reach": ("ReachCurves", "newton_miller_smith"),
    "stated.sensitivity": ("PriceSensitivity", "price_sensitivity"),
    "stated.true_prices": (
        "JudgedPrices",
        "judge_price_points",
        "true_price_points",
        "true_willingness_to_pay",
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
    """Names offered by tab completion, loaded or not."""
    return sorted({*globals(), *__all__})
