"""The rules by which claims get their verdicts, in words, and what they may get wrong.

Question: what would have to come out for a claim to be "not supported", and how often is a verdict
wrong by chance?

- :data:`RULES`: the rule of every row that a chapter may write, by claim and measure.
- :func:`rule_of`: the rule of a row.
- :meth:`Rule.by_interval`: the verdict that the row's own interval gives, to check the row by.
- :func:`expected_errors`: how many false verdicts so many rules lead to on average.

The chapters decide; this table says how, and a test holds it against their code.  Rules of the
forms `above` and `below` need an interval wholly on one side.  With an interval that leaves out
the true value in five of a hundred samples, as often above it as below, such a rule supports a
claim that is false, or denies one that is true, in at most 2.5 of a hundred.  The other forms:

- `at least` (K1): an interval that reaches the threshold already supports the claim.  This favours
  the claim: a wide interval supports it, and nothing bounds how often it does so falsely.
- `test`: supported when a p-value is below 0.05; it cannot deny a claim, since a large p-value
  shows nothing.
- `equal`: supported when the 90 % interval lies inside the margin (two one-sided tests of 5 %),
  not supported when the 95 % interval lies wholly outside.
- `first`: as `above`, for the lead of whatever comes first in these data; since the lead of the
  first is never negative, it cannot deny a claim, and with two ends to choose from errs twice as
  often.
- `count`: supported when something is found again in other samples; it cannot deny a claim.

Some rows rest on companies simulated anew (`Rule.anew`): the case's own customers do not enter, and
every made-up case of the same generator gets the same row.

Sources: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680 (two
one-sided tests).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from keycustomer.stats import (
    Estimate,
    verdict_above,
    verdict_at_least,
    verdict_below,
)

_ONE_SIDE = 0.025
_SIMULATED = "over simulated companies"
_BY_INTERVAL = {
    "above": verdict_above,
    "first": verdict_above,
    "below": verdict_below,
    "at least": verdict_at_least,
}
_FALSE_SUPPORT = {
    "above": _ONE_SIDE,
    "below": _ONE_SIDE,
    "test": 0.05,
    "equal": 0.05,
    "first": 0.05,
}
_FALSE_DENIAL = {"above": _ONE_SIDE, "below": _ONE_SIDE, "at least": _ONE_SIDE, "equal": _ONE_SIDE}


@dataclass(frozen=True)
class Rule:
    """How a row of the ledger gets its verdict.

    Attributes
    ----------
    claim, measure : str
        The row.
    form : {"above", "below", "at least", "test", "equal", "first", "count"}
        What is asked of the interval, see the module.
    threshold : float
        What it is held against; NaN where that depends on the data.
    unit : str
        Unit of the estimate.
    meaning : str
        What is measured.
    besides : str
        What is asked besides, or what makes the row undecided; empty where nothing is.
    """

    claim: str
    measure: str
    form: str
    threshold: float
    unit: str
    meaning: str
    besides: str = ""

    @property
    def anew(self) -> bool:
        """Whether it rests on companies simulated anew, not on the case's own customers."""
        return self.meaning.endswith(_SIMULATED)

    @property
    def can_deny(self) -> bool:
        """Whether the claim can come out "not supported"."""
        return self.form in _FALSE_DENIAL

    @property
    def false_support(self) -> float:
        """How often, at most, a false claim is supported; NaN where nothing bounds it."""
        return _FALSE_SUPPORT.get(self.form, math.nan)

    @property
    def false_denial(self) -> float:
        """How often, at most, a true claim is not supported."""
        return _FALSE_DENIAL.get(self.form, 0.0)

    @property
    def supported_when(self) -> str:
        """What supports the claim."""
        value = "what chance gives" if math.isnan(self.threshold) else f"{self.threshold:g}"
        words = {
            "above": f"the interval lies wholly above {value}",
            "first": f"the interval lies wholly above {value}",
            "below": f"the interval lies wholly below {value}",
            "at least": f"the interval reaches {value} or more",
            "test": f"the p-value is below {value}",
            "equal": "the 90 % interval lies inside the margin",
            "count": "the count is large enough",
        }
        return words[self.form] + (f"; {self.besides}" if self.besides else "")

    @property
    def denied_when(self) -> str:
        """What makes the claim "not supported"."""
        value = "that value" if math.isnan(self.threshold) else f"{self.threshold:g}"
        words = {
            "above": f"the interval lies wholly at or below {value}",
            "below": f"the interval lies wholly at or above {value}",
            "at least": f"the interval lies wholly below {value}",
            "equal": "the 95 % interval lies wholly outside the margin",
        }
        return words.get(self.form, "never: the rule can support the claim or leave it undecided")

    def by_interval(self, estimate: float, lower: float, upper: float) -> str:
        """Verdict by the row's interval alone.

        Parameters
        ----------
        estimate, lower, upper : float
            The row.

        Returns
        -------
        {"supported", "not supported", "undecided", ""}
            Empty where the rule needs more than the row holds.
        """
        if self.form not in _BY_INTERVAL or math.isnan(self.threshold):
            return ""
        row = Estimate(estimate, lower, upper, self.unit, 0, "")
        return _BY_INTERVAL[self.form](row, self.threshold)


@dataclass(frozen=True)
class ExpectedErrors:
    """False verdicts to expect.

    Attributes
    ----------
    rows : int
        Rows with a rule whose errors are bounded.
    expected : float
        How many of their verdicts are false on average, at most.
    unbounded : int
        Rows whose rule may support a false claim without bound.
    unknown : int
        Rows without a known rule.
    """

    rows: int
    expected: float
    unbounded: int
    unknown: int

    @property
    def sentence(self) -> str:
        """What to expect, in words."""
        said = (
            f"{self.rows} rows rest on a rule whose errors are bounded. If every interval leaves "
            "out the truth as seldom as it promises, and whichever claims are true, then on "
            f"average at most {self.expected:.1f} of these verdicts are false by chance; that "
            "holds although rows of one case rest on the same customers. It counts neither "
            "confounding nor a wrong model."
        )
        if self.unbounded:
            said += (
                f" {_rows(self.unbounded)} may support a claim because the interval is wide: "
                "the rule there asks only that the interval reach the threshold, or that "
                "something be found again."
            )
        if self.unknown:
            said += f" This version does not know the rule of {_rows(self.unknown)}."
        return said


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def rule_of(claim: str, measure: str) -> Rule | None:
    """Rule of a row; None where this version knows none."""
    return RULES.get((claim, measure))


def expected_errors(rows: Iterable[tuple[str, str]]) -> ExpectedErrors:
    """Bound the expected number of false verdicts.

    Parameters
    ----------
    rows : iterable of (str, str)
        Claim and measure of each row.

    Returns
    -------
    ExpectedErrors
        A claim is either true or false, so that a row's verdict errs by false support or by false
        denial; the larger of the two bounds it, and expectations add up whether or not rows
        depend on each other.
    """
    rules = [rule_of(*row) for row in rows]
    known = [rule for rule in rules if rule is not None]
    bounded = [rule for rule in known if not math.isnan(rule.false_support)]
    expected = sum(max(rule.false_support, rule.false_denial) for rule in bounded)
    return ExpectedErrors(
        len(bounded), expected, len(known) - len(bounded), len(rules) - len(known)
    )


_EIGHTY = "what the top 20 % bring"

_TABLE = (
    Rule("T6", "archive_completeness_difference", "above", 0, "share of fields",
         "fields on file of key customers less those of the rest"),
    Rule("K1", "pareto_share", "at least", 0.8, "share of revenue", _EIGHTY),
    Rule("K1", "pareto_share_of_profit", "at least", 0.8, "share of profit", _EIGHTY),
    Rule("K1", "lasting_pareto_share", "at least", 0.8, "share of purchases",
         "share of purchases that the top 20 % by true rate make",
         "the three lifetime models agree"),
    Rule("T8a", "contested_share_of_class_a", "above", 0.1, "share of class A",
         "part of class A that another measure of size would leave out"),
    Rule("K2", "overlooked_share", "above", 0.1, "share of customers",
         "part of the best fifth from now on that is not in the best fifth so far",
         "the lifetime model tells customers apart"),
    Rule("V1", "value_index_r2", "above", 0, "share of variance",
         "variance of loyalty that benefits less sacrifices explain out of sample",
         "loyalty rises with value"),
    Rule("V2", "htmt", "below", 0.9, "ratio",
         "largest correlation ratio (HTMT2) of two dimensions", "so for every pair"),
    Rule("V3", "indirect_value_loyalty", "above", 0, "standard deviations",
         "effect of value on loyalty by way of satisfaction"),
    Rule("V7", "driver_lead", "first", 0, "share of R2",
         "lead of the first driver over each other, the smallest one"),
    Rule("K4", "bend_p_value", "test", 0.05, "p-value",
         "that low ratings cost as much as high ratings bring",
         "fewer than a fifth of the ratings stand at an end of the scale"),
    Rule("K5", "layer_importance", "below", math.nan, "share of importance",
         "share of importance of the core's attributes, against their share in number"),
    Rule("R5", "stated_derived_correlation", "below", 0.5, "rank correlation",
         "correlation of what is called important with what moves", "300 respondents or more"),
    Rule("V6", "drift_p_value", "test", 0.05, "p-value",
         "that the drivers of satisfaction stay as they are"),
    Rule("M3", "drift_p_value", "test", 0.05, "p-value",
         "that the drivers of high-value customers stay as they are"),
    Rule("T1", "segment_stability", "test", 0.05, "index",
         "agreement of segmentations of two samples; tested is whether customers without groups "
         "would fall into segments as well",
         "the segments come again in other samples"),
    Rule("M5", "kinds_that_add", "count", math.nan, "kinds of variable",
         "kinds of variable without which the segments are others",
         "more than one, and T1 is supported"),
    Rule("T2", "next_need_gain", "above", 0, "share of customers",
         "customers whose next need is met, more than by the most popular category",
         "five categories or more to choose from"),
    Rule("V5", "deal_reliability", "above", 0.5, "reliability",
         "agreement of deal-proneness in two halves of a customer's purchases"),
    Rule("V5", "correlation", "above", 0, "correlation",
         "correlation of deal-proneness with the later answer to prices",
         "redeemed coupons, where there are any, agree"),
    Rule("V4", "type_stability", "above", 0.6, "kappa",
         "agreement of the types in the earlier and the later half"),
    Rule("T6", "quality_reliability", "above", 0.7, "reliability",
         "reliability of the index of relationship quality"),
    Rule("R7", "months_kept", "above", 0, "customer-months",
         "customer-months that switching costs kept"),
    Rule("R3", "complaint_effect", "below", 0, "customers per 1,000 customer-months",
         "change of churn, had there been no complaints, customers alike"),
    Rule("T3", "complaint_effect", "below", 0, "customers per 1,000 customer-months",
         "change of churn, had all complaints been settled at first contact, customers alike"),
    Rule("K7", "contact_slope", "above", 0, "per unit of log contacts",
         "answer of belonging, or loyalty, to contacts",
         "belonging and loyalty both answer; not supported when either goes the other way"),
    Rule("K6", "phase_slope", "above", 0, "per unit of log contacts",
         "answer to contacts of the phase where it is weakest", "so for all three phases"),
    Rule("T8b", "contact_ratio", "equal", 1, "ratio",
         "contacts of large customers over those of small (margin 0.8 to 1.25)",
         "so for all that the house delivers"),
    Rule("T8c", "conflict_share", "above", 0.1, "share of customers",
         "customers claimed by an agent and an own manager at once"),
    Rule("T8e", "odds_ratio", "above", 1, "odds ratio",
         "odds to leave of a larger customer over those of a smaller, other things equal"),
    Rule("K3", "gain_difference", "above", 0, "share of gain",
         f"attained with money on the largest, less attained with even money, {_SIMULATED}"),
    Rule("R6", "attainable_gain_share", "above", 0.9, "share of gain",
         f"part of the attainable gain that the table of levels reaches, {_SIMULATED}"),
    Rule("T5", "survival_change", "above", 0, "probability",
         f"customers kept by naming one responsible, {_SIMULATED}"),
    Rule("K9", "wtp", "above", 0, "currency", "what buyers would pay for green"),
    Rule("K5", "worth_share", "above", math.nan, "share of worth",
         "share of the augmented layer in what all layers are worth, against an even share",
         "the layers together are worth something"),
    Rule("K8", "profit_gain", "above", 0, "share of profit",
         f"profit of prices by tier over that of one price, {_SIMULATED}",
         "twenty companies or more"),
    Rule("T4", "service_saving", "above", 0, "currency a customer and year",
         f"what a level more brings over the discount that keeps as many, {_SIMULATED}"),
    Rule("T4", "policy_gap", "above", 0, "currency a customer and year",
         f"discounts to those they keep less discounts to those most at risk, {_SIMULATED}"),
    Rule("T4", "sensitivity_lowered", "above", 0, "log-odds",
         f"how much less a rival's lower price draws customers served better, {_SIMULATED}"),
    Rule("T7", "system_minus_sum", "above", 0, "share of profit",
         f"profit of all six tools less the sum of what each brings alone, {_SIMULATED}"),
    Rule("R4", "own_plan_gain", "above", 0, "currency",
         f"delivered by plans of their own, less delivered by the best common plan, {_SIMULATED}"),
    Rule("M2", "mix_gain", "above", 0, "currency an account and year",
         f"profit of the best mix less that of equal cuts of all levers, {_SIMULATED}"),
    Rule("T8d", "margin_lost_to_price", "above", 0, "share of revenue",
         "margin lost to own prices, list and discounts"),
    Rule("T8", "remedy_gain", "above", 0, "currency an account over the window",
         f"profit that the remedy of a trouble adds, the one that adds least, {_SIMULATED}",
         "so for every remedy, and each eases its trouble"),
    Rule("T2", "dossier_alone", "above", 0, "share of profit",
         f"profit that a complete file on each account brings by itself, {_SIMULATED}"),
)  # fmt: skip

RULES = {(rule.claim, rule.measure): rule for rule in _TABLE}
"""Rules by claim and measure."""
