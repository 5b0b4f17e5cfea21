"""The measures chapters report: a closed vocabulary, so that cases can be compared.

Question: does the number called `gini` in one case's results mean the same in another's?

`MEASURES` holds, for every chapter, each measure's meaning, unit and groups; `measure_row` checks
an estimate against it and makes a row of `results.json`; `ledger_row` does so for a claim of the
evidence ledger, `CLAIMS` being the ids of the course's claims.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from keycustomer.casework.errors import did_you_mean

VERDICTS = ("supported", "not supported", "undecided")

RESTS_ON: dict[str, tuple[str, ...]] = {
    "0_customer_file": ("transactions",),
    "1_pareto_analysis": ("transactions",),
    "2_value_dimensions": ("survey", "transactions"),
    "3_relationship_levels": ("contracts", "transactions"),
    "4_pricing_elasticity": ("transactions", "survey", "choices", "market"),
    "5_marketing_strategy": ("transactions",),
}
"""Tables of which a chapter needs one; without any it has no section to show."""

CLAIMS = frozenset(
    [f"K{n}" for n in range(1, 10)]
    + [f"T{n}" for n in range(1, 9)]
    + [f"T8{trouble}" for trouble in "abcde"]
    + [f"R{n}" for n in range(1, 8)]
    + [f"M{n}" for n in range(1, 6)]
    + [f"V{n}" for n in range(1, 8)]
)
"""Ids of the course's claims."""

# A last bit may differ with the number of threads that summed; no reader needs more digits.
_DIGITS = 12


@dataclass(frozen=True)
class Measure:
    """What a measure means.

    Attributes
    ----------
    meaning : str
        What the number says.
    unit : str
        Its unit.
    groups : tuple of str
        Groups it is reported for; empty: any text, usually none.
    """

    meaning: str
    unit: str
    groups: tuple[str, ...] = ()


MODEL_PARAMETERS = {
    "BG/NBD": ("bgnbd", ("r", "alpha", "a", "b")),
    "MBG/NBD": ("mbgnbd", ("r", "alpha", "a", "b")),
    "Pareto/NBD": ("paretonbd", ("r", "alpha", "s", "beta")),
    "Gamma-Gamma": ("gammagamma", ("p", "q", "v")),
}
"""Lifetime models, with the prefix of their measures and the parameters of the textbook."""

LIFETIME_MODELS = tuple(MODEL_PARAMETERS)
"""Models of chapter 1, as groups of a measure."""

FORECASTS = (
    *LIFETIME_MODELS[:3],
    "same count again",
    "same rate",
    "everybody zero",
    "perfect foresight",
)
"""Forecasts of chapter 1: models, naive baselines and what nobody can beat."""

VALUE_GROUPS = ("key now and later", "key now, fading", "key later", "basic")
"""Groups of K2: most valuable now, potentially, both, neither."""

_PARAMETER_UNITS = {"alpha": "weeks", "beta": "weeks", "v": "currency"}


def _parameters(model: str) -> dict[str, Measure]:
    """Measures of a model's parameters."""
    prefix, names = MODEL_PARAMETERS[model]
    meaning = f"parameter {{}} of the {model}, fitted on the calibration period".format
    return {
        f"{prefix}_{name}": Measure(meaning(name), _PARAMETER_UNITS.get(name, "number"))
        for name in names
    }


_DIMENSIONS: dict[str, Measure] = {
    "alpha": Measure("raw Cronbach's alpha of a construct's items", "reliability 0..1"),
    "omega": Measure("McDonald's omega of a construct's items", "reliability 0..1"),
    "ave": Measure("average variance extracted by a construct", "share of variance"),
    "htmt": Measure(
        "heterotrait-monotrait ratio HTMT2 of two constructs (group: the pair)", "ratio"
    ),
    "cfi": Measure("comparative fit index of the measurement model", "index 0..1"),
    "rmsea": Measure("root mean square error of approximation, 90 % interval", "index"),
    "srmr": Measure("standardised root mean square residual", "index"),
    "value_index_r2": Measure(
        "variance of loyalty that an index of value explains out of sample", "share of variance"
    ),
    "path": Measure("standardised path from one construct to another (group: A->B)", "path"),
    "indirect_value_loyalty": Measure(
        "standard deviations by which loyalty rises by way of satisfaction when all benefits rise "
        "by one",
        "standard deviations",
    ),
    "driver_importance": Measure(
        "part of the explained variance of satisfaction (R2) that is a driver's (LMG)",
        "part of R2",
    ),
    "kano_class": Measure(
        "class of an attribute by Kano's table: 1 must-be, 2 one-dimensional, 3 attractive, "
        "4 indifferent, 5 reverse, 6 questionable",
        "class 1..6",
    ),
    "layer_importance": Measure(
        "share of the drivers' importance that is a product layer's",
        "share of importance",
        ("core", "tangible", "augmented"),
    ),
    "drift": Measure(
        "change of a driver's share of the explained variance from first to last wave",
        "share of R2",
    ),
    "segment_stability": Measure(
        "median adjusted Rand index of segmentations of two resamples, with the central 95 % of "
        "pairs (group: number of segments)",
        "index",
    ),
    "next_need_hit_rate": Measure(
        "share of the customers who later took up a category for the first time whose first "
        "proposal was among what they took up (group: the method)",
        "share of customers",
    ),
    "deal_reliability": Measure(
        "split-half reliability of deal-proneness: correlation of two halves of a customer's "
        "purchases, stepped up to the length of both (Spearman-Brown)",
        "reliability",
    ),
}

RELATIONSHIP_LEVELS = ("basic", "reactive", "accountable", "proactive", "partnership")
"""Levels of a relationship, from least to most care, as groups of a measure."""

PLANS = (
    "optimised",
    "optimised, shrunk",
    "Kotler's table",
    "largest first",
    "uniform",
    "churn risk first",
    "by segment",
    "today",
)
"""Plans that give every customer a level, as groups of a measure."""

TARGETING_RULES = ("uplift x value", "churn risk", "value", "random", "everybody")
"""Rules of who gets a retention offer, as groups of a measure."""

RELATIONSHIP_TYPES = ("relational", "selective", "transactional")
"""Types of customers by volume and potential loyalty, as groups of a measure."""

_RELATIONSHIPS: dict[str, Measure] = {
    "type_share": Measure("share of customers of a type", "share of customers", RELATIONSHIP_TYPES),
    "type_stability": Measure(
        "agreement of the types of customers in two halves of the window (Cohen's kappa)", "kappa"
    ),
    "quality_reliability": Measure(
        "stratified alpha of the index of relationship quality", "reliability 0..1"
    ),
    "churn_auc": Measure(
        "probability that a month in which a customer leaves is ranked above one in which none "
        "does, on later months (group: the model)",
        "probability",
    ),
    "churn_brier": Measure(
        "mean squared error of the predicted probability to leave in a month, on later months "
        "(group: the model)",
        "squared probability",
    ),
    "churn_ece": Measure(
        "mean absolute gap between predicted and observed churn over groups of equal size, on "
        "later months (group: the model)",
        "probability",
    ),
    "hazard_ratio": Measure(
        "factor on the rate of leaving, other things equal (group: of what)", "ratio"
    ),
    "level_effect": Measure(
        "change of the monthly rate of leaving against the lowest level, for customers alike "
        "(group: method, level)",
        "probability a month",
    ),
    "first_contact_resolution": Measure(
        "share of complaints resolved at the first contact (group: tier)", "share of complaints"
    ),
    "complaint_effect": Measure(
        "change of churn if all complaints were resolved at the first contact (group: method)",
        "customers per 1,000 customer-months",
    ),
    "contact_effect": Measure(
        "change of the log-odds to leave in a month with contacts (group: per what)",
        "log-odds",
    ),
    "equal_margin_gap": Measure(
        "relative gap between the marginal cost of winning and of keeping a customer at the "
        "optimal spending",
        "share",
    ),
    "keep_attract_ratio": Measure(
        "cost of winning a customer over cost of keeping one (group: average or marginal)", "ratio"
    ),
    "attainable_gain_share": Measure(
        "share of the gain over the lowest level for all that a plan attains within the budget",
        "share of gain",
        PLANS,
    ),
    "shadow_price": Measure(
        "margin that the last unit of the budget for relationship levels brings",
        "currency per currency",
    ),
    "level_share": Measure(
        "share of the present customers that the optimal plan puts on a level",
        "share of customers",
        RELATIONSHIP_LEVELS,
    ),
    "plan_promised": Measure("profit that the estimates promise of a plan", "currency", PLANS),
    "conflict_accounts": Measure(
        "customers in the charge of an agent and of an own manager at once", "customers"
    ),
    "uplift_profit": Measure(
        "profit per customer of giving a retention offer by a rule",
        "currency per customer",
        TARGETING_RULES,
    ),
}

DISCOUNT_POLICIES = (
    "uplift x value",
    "most at risk first, deepest",
    "one discount for all",
    "none",
    "today's habit",
    "true optimum",
)
"""Policies of who gets which discount, as groups of a measure."""

_PRICING: dict[str, Measure] = {
    "own_elasticity": Measure(
        "change of the quantity in per cent when the own price rises by one per cent (group: "
        "method, tier)",
        "elasticity",
    ),
    "elasticity_truth": Measure(
        "own-price elasticity that is true in the simulated company, as the estimates weigh it "
        "(group: tier)",
        "elasticity",
    ),
    "deal_proneness_correlation": Measure(
        "correlation of deal-proneness with what it should predict (group: of what)",
        "correlation",
    ),
    "wtp": Measure(
        "what buyers would pay for a level of an attribute, or one unit more of it (group: the "
        "attribute)",
        "currency",
    ),
    "psm_idp": Measure(
        "price that as many find expensive as find cheap (indifference price point)", "currency"
    ),
    "psm_opp": Measure(
        "price that as few find too cheap as find too expensive (optimal price point)", "currency"
    ),
    "psm_pmc": Measure("lower end of the range of prices (marginal cheapness)", "currency"),
    "psm_pme": Measure("upper end of the range of prices (marginal expensiveness)", "currency"),
    "optimal_price": Measure(
        "price of the largest profit, floor and capacity kept (group: of what)", "currency"
    ),
    "equivalent_discount": Measure(
        "discount that keeps as many customers as one service level more (group: level)",
        "share of list price",
    ),
    "discount_policy_value": Measure(
        "true profit of a policy of discounts over giving none, in simulated companies",
        "currency a customer and year",
        DISCOUNT_POLICIES,
    ),
    "nash_price": Measure(
        "price at which no firm gains by another one (group: the firm or product)", "currency"
    ),
    "price_war_loss": Measure(
        "share of profit that a price war costs (group: the firm)", "share of profit"
    ),
}

TOOLS = ("segmentation", "dossier", "service", "pricing", "channel", "back office")
"""The six tools of strategic key-account marketing, as groups of a measure."""

_STRATEGY: dict[str, Measure] = {
    "tool_contribution": Measure(
        "profit that a tool adds, on average over all orders of introducing the six (Shapley "
        "value), over the profit of business as usual, in simulated companies",
        "share of profit",
        TOOLS,
    ),
    "tool_interaction": Measure(
        "profit that two tools add together beyond what each adds alone, on average over what "
        "else is there (Shapley interaction index), over the profit of business as usual, in "
        "simulated companies",
        "share of profit",
        tuple(" + ".join(pair) for pair in combinations(TOOLS, 2)),
    ),
    "system_minus_sum": Measure(
        "profit that all six tools add together less the sum of what each adds alone, over the "
        "profit of business as usual, in simulated companies",
        "share of profit",
    ),
    "plan_promised": Measure(
        "profit that the account plans promise, actions taken together (group: how many accounts)",
        "currency",
    ),
    "plan_delivered": Measure(
        "profit that the account plans truly bring in the simulated company (group: how many "
        "accounts)",
        "currency",
    ),
    "remedy_gain": Measure(
        "profit that the remedy of a trouble adds, in simulated companies (group: the trouble)",
        "currency an account over the window",
        ("a", "b", "c", "d", "e"),
    ),
    "mix_gain": Measure(
        "profit of the best mix of levers less that of all levers changed alike, in simulated "
        "companies (group: the budget, of today's)",
        "currency an account and year",
    ),
}

MEASURES: dict[str, dict[str, Measure]] = {
    "0_customer_file": {
        "customers": Measure("customers in the base", "customers"),
        "buyers": Measure("customers with at least one purchase", "customers"),
        "orders": Measure("orders in the base", "orders"),
        "transaction_lines": Measure("order lines in the base", "lines"),
        "revenue": Measure("revenue observed", "currency"),
        "days_observed": Measure("days observed", "days"),
        "lines_excluded": Measure("order lines removed by the rules", "lines"),
        "value_excluded": Measure("revenue removed by the rules", "currency"),
        "completeness": Measure("share of records that fill a field (group)", "share of records"),
        "stale_share": Measure("share of records not verified for a year", "share of records"),
        "probable_duplicates": Measure("pairs of records that are likely one customer", "pairs"),
        "not_on_file": Measure("buyers without a record in the customer table", "customers"),
        "told_apart": Measure(
            "customers that answer a question of R2 (group: its name)", "customers"
        ),
        "class_customers": Measure("customers of a class", "customers", ("A", "B", "C")),
        "class_value_share": Measure(
            "share of revenue of a class", "share of revenue", ("A", "B", "C")
        ),
    },
    "1_pareto_analysis": {
        "pareto_share": Measure(
            "share of revenue of the largest customers",
            "share of revenue",
            ("top_20", "top_10", "top_1"),
        ),
        "customers_for_80": Measure(
            "smallest share of customers that brings 80 % of revenue", "share of customers"
        ),
        "gini": Measure("Gini coefficient of revenue", "index 0..1"),
        "hhi": Measure("Herfindahl-Hirschman index of revenue", "index 0..1"),
        "theil": Measure("Theil index of revenue", "nats"),
        "whale_peak": Measure(
            "highest point of the whale curve of cumulative profit", "share of profit"
        ),
        "loss_making_share": Measure("share of customers with a loss", "share of customers"),
        "class_a_customers": Measure("customers of class A", "customers"),
        "class_a_value_share": Measure("share of revenue of class A", "share of revenue"),
        "retained_top_20": Measure(
            "share of the first period's top 20 % that is in the second's", "share of customers"
        ),
        **_parameters("BG/NBD"),
        **_parameters("MBG/NBD"),
        **_parameters("Pareto/NBD"),
        **_parameters("Gamma-Gamma"),
        "log_likelihood": Measure(
            "log-likelihood of a model on the calibration period", "log units", LIFETIME_MODELS
        ),
        "holdout_rmse": Measure(
            "root mean squared error of the purchases forecast for the holdout period",
            "purchases per customer",
            FORECASTS,
        ),
        "holdout_total_ratio": Measure(
            "purchases forecast over purchases made in the holdout period", "ratio", FORECASTS
        ),
        "future_top_20_capture": Measure(
            "share of holdout purchases made by the 20 % of customers forecast highest",
            "share of purchases",
            FORECASTS,
        ),
        "customer_equity": Measure(
            "discounted value expected of all present customers from now on", "currency"
        ),
        "model_pareto_share": Measure(
            "share of repeat purchases of the top that the lifetime model implies, in the longest "
            "window since the first purchase",
            "share of purchases",
        ),
        "lasting_pareto_share": Measure(
            "share of purchases of the top 20 % by true purchase rate, luck taken out",
            "share of purchases",
            LIFETIME_MODELS[:3],
        ),
        "overlooked_share": Measure(
            "share of the best fifth by potential value that is not in the best fifth by what "
            "it brought",
            "share of customers",
        ),
        "key_customers": Measure(
            "customers by value now and potential value", "customers", VALUE_GROUPS
        ),
    },
    "2_value_dimensions": _DIMENSIONS,
    "3_relationship_levels": _RELATIONSHIPS,
    "4_pricing_elasticity": _PRICING,
    "5_marketing_strategy": _STRATEGY,
}


def measure_row(
    chapter: str,
    name: str,
    estimate: Any,
    *,
    group: str = "",
    unit: str | None = None,
    n: int | None = None,
    method: str | None = None,
    truth: float | None = None,
) -> dict[str, Any]:
    """Row of the measures table.

    Parameters
    ----------
    chapter, name : str
        Where the measure belongs, and its name in `MEASURES`.
    estimate : Estimate or float or None
        The estimate; None where it cannot be computed.
    group : str
        Group it holds for.
    unit, n, method
        Where not taken from the estimate or the vocabulary.
    truth : float or None
        The true value, where the data are simulated and it is known.

    Raises
    ------
    ValueError
        When the chapter has no such measure or group, or a number is infinite.
    """
    measure = _measure(chapter, name, group)
    label = f"measure {name!r}" + (f", group {group!r}" if group else "")
    count = n if n is not None else getattr(estimate, "n", None)
    return {
        "chapter": chapter,
        "measure": name,
        "group": group,
        **_interval(estimate, label),
        "truth": json_number(truth, f"{label}, truth"),
        "unit": unit or getattr(estimate, "unit", None) or measure.unit,
        "n": None if count is None else int(count),
        "method": method or getattr(estimate, "method", None) or "",
    }


def _measure(chapter: str, name: str, group: str) -> Measure:
    known = MEASURES.get(chapter)
    if known is None:
        raise ValueError(
            f"chapter {chapter!r} has no measures; declare them in keycustomer.casework.measures"
        )
    if name not in known:
        raise ValueError(
            f"{chapter} has no measure {name!r}{did_you_mean(name, known)}; "
            f"it has: {', '.join(known)}"
        )
    groups = known[name].groups
    if groups and group not in groups:
        raise ValueError(
            f"measure {name!r} has no group {group!r}{did_you_mean(group, groups)}; "
            f"it has: {', '.join(groups)}"
        )
    return known[name]


def _interval(estimate: Any, label: str) -> dict[str, float | None]:
    """Estimate, lower and upper of an Estimate or a bare number."""
    if hasattr(estimate, "lower"):
        values = {part: getattr(estimate, part) for part in ("estimate", "lower", "upper")}
    else:
        values = {"estimate": estimate, "lower": None, "upper": None}
    return {part: json_number(value, f"{label}, {part}") for part, value in values.items()}


def json_number(value: Any, label: str) -> float | int | None:
    """Return a finite JSON number of twelve digits; None for what is not known."""
    if value is None:
        return None
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise ValueError(f"{label} is infinite; report None where a number cannot be computed")
    rounded = float(f"{number:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def ledger_row(
    data: str, claim: str, statement: str, measure: str, estimate: Any, verdict: str
) -> dict[str, Any]:
    """Row of the evidence ledger.

    Parameters
    ----------
    data : str
        The data set the verdict rests on.
    claim : str
        Id of the claim, such as `K1`.
    statement : str
        The claim in one line.
    measure : str
        The measure that decides.
    estimate : Estimate or float or None
        Its value.
    verdict : {"supported", "not supported", "undecided"}
        By a rule fixed in code.

    Raises
    ------
    ValueError
        When the claim or the verdict is none of the known ones.
    """
    if claim not in CLAIMS:
        raise ValueError(f"no claim {claim!r}; the claims are {', '.join(sorted(CLAIMS))}")
    if verdict not in VERDICTS:
        raise ValueError(f"no verdict {verdict!r}; the verdicts are {', '.join(VERDICTS)}")
    interval = _interval(estimate, f"claim {claim}, measure {measure!r}")
    row: Mapping[str, Any] = {"claim": claim, "statement": statement, "measure": measure}
    return {**row, **interval, "verdict": verdict, "data": data}
