"""The rules of a case file: what is done with the rows that a named check finds.

Every check whose outcome is a matter of judgement is a rule with a name. `RULES` is the closed
registry, in the order in which rules are applied: a row is excluded by the first rule that drops
it, so that the exclusions of all rules add up to the difference between what was read and what was
kept. `resolve` fills in the defaults and complains about unknown rules and actions; `rules_table`
lists them.

Defaults refuse what cannot be right (a line without customer), and keep, with a warning, what may
be right (a gift at price zero). Identical lines are refused where the source names its orders: one
line of an order then stands twice, which point-of-sale systems do write for a product scanned
twice, but which a join gone wrong writes too, and only the reader can tell. Without order ids they
are kept, as customer-lifetime packages do: CDNOW's own 255 are part of every published result.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.errors import Finding, Severity, printable, quoted
from keycustomer.customers.specification import Action, RuleSpecification


@dataclass(frozen=True)
class Rule:
    """One rule of the registry.

    Attributes
    ----------
    flags : str
        Which rows it finds.
    actions : tuple of str
        What may be done with them; the first is the default.
    meaning : str
        What the actions do, where their names do not say it.
    threshold : bool
        Whether the rule applies only with a threshold, `above`.
    """

    flags: str
    actions: tuple[Action, ...]
    meaning: str = ""
    threshold: bool = False

    @property
    def default(self) -> Action:
        """What is done when the case file does not say."""
        return self.actions[0]


@dataclass(frozen=True)
class Decision:
    """What is done about one rule's rows in this case.

    Attributes
    ----------
    action : str
        One of the rule's actions.
    above : float or None
        The threshold.
    declared : bool
        Whether the case file says so, or it is the default.
    """

    action: Action
    above: float | None = None
    declared: bool = False

    @property
    def severity(self) -> Severity:
        """How a finding of the rule is reported."""
        if self.action == "error":
            return "error"
        return "note" if self.declared else "warning"


_LISTED = 30

RULES: dict[str, Rule] = {
    "unreadable_value": Rule(
        "a value that cannot be read as declared, or a needed one that is empty", ("error", "drop")
    ),
    "missing_customer": Rule("a row without customer_id", ("error", "drop")),
    "mixed_currency": Rule("a line in another currency than the case's", ("error", "drop")),
    "outside_window": Rule("a line outside the days of `observed`", ("drop",)),
    "future_date": Rule("a line or contact dated after today", ("error", "drop", "keep")),
    "large_quantity": Rule(
        "a line whose quantity exceeds `above`, returns included", ("drop", "error"), "", True
    ),
    "large_amount": Rule(
        "a line whose amount exceeds `above`, returns included", ("drop", "error"), "", True
    ),
    "zero_quantity": Rule("a line of quantity 0", ("keep", "drop", "error")),
    "zero_price": Rule("a line for which nothing was paid", ("keep", "drop", "error")),
    "unknown_product": Rule(
        "a line whose product the products table lacks", ("keep", "drop", "error")
    ),
    "unknown_customer": Rule(
        "a contact or contract of a customer neither on file nor in the transactions",
        ("keep", "drop", "error"),
    ),
    "duplicate_line": Rule(
        "a source row that repeats an earlier one in every column",
        ("error", "drop", "keep"),
        "drop keeps the first; without order_id the default is keep",
    ),
    "duplicate_order": Rule(
        "an order_id that stands under several customers or days",
        ("error", "keep", "drop"),
        "drop keeps the lines of its first day, and of the first customer by id on that day",
    ),
    "duplicate_customer": Rule(
        "a customer_id that stands more than once in the customers table",
        ("error", "drop"),
        "drop keeps the record updated last, else the first",
    ),
    "duplicate_product": Rule(
        "a product_id that stands more than once in the products table",
        ("error", "drop"),
        "drop keeps the first",
    ),
    "id_blanks": Rule(
        "ids with blanks around them, or that differ only by blanks",
        ("keep", "trim", "error"),
        "trim removes the blanks around ids",
    ),
    "id_case": Rule("ids that differ only by upper and lower case", ("keep", "error")),
    "id_leading_zeros": Rule("ids that differ only by leading zeros", ("keep", "error")),
    "returns": Rule(
        "a line of negative quantity or amount",
        ("error", "net", "drop", "keep"),
        "net subtracts it from the latest earlier purchases of the same customer and product",
    ),
}


def resolve(
    declared: Mapping[str, RuleSpecification], *, has_orders: bool
) -> tuple[dict[str, Decision], list[Finding]]:
    """Decide what each rule does in a case.

    Parameters
    ----------
    declared : mapping of str to RuleSpecification
        The rules of the case file.
    has_orders : bool
        Whether the transactions have an order_id.

    Returns
    -------
    decisions : dict of str to Decision
        Every rule that applies; rules with a threshold only when one is given, wrong ones by
        their default.
    findings : list of Finding
        Unknown rules, actions that a rule does not allow, thresholds missing or out of place.
    """
    complaints = {name: _complaint(name, rule) for name, rule in declared.items()}
    decisions = {}
    for name, rule in RULES.items():
        if name in declared and complaints[name] is None:
            given = declared[name]
            decisions[name] = Decision(given.action, given.above, declared=True)
        elif not rule.threshold:
            decisions[name] = Decision(rule.default)
    if "duplicate_line" not in declared and not has_orders:
        decisions["duplicate_line"] = Decision("keep")
    return decisions, [complaint for complaint in complaints.values() if complaint]


def rules_table() -> pd.DataFrame:
    """List the rules in the order of their application.

    Returns
    -------
    DataFrame
        rule, flags (the rows it finds), actions (allowed), default, meaning.
    """
    rows = [
        {
            "rule": name,
            "flags": rule.flags,
            "actions": ", ".join(rule.actions),
            "default": "only when declared" if rule.threshold else rule.default,
            "meaning": rule.meaning,
        }
        for name, rule in RULES.items()
    ]
    return pd.DataFrame(rows)


def did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    """Suggest the known name closest to a wrong one, or list what is known."""
    by_fold = {str(k).casefold(): str(k) for k in known}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    if close:
        return f"did you mean {quoted(by_fold[close[0]])}?"
    names = [printable(k) for k in known]
    more = ", ..." if len(names) > _LISTED else ""
    return "there are: " + ", ".join(names[:_LISTED]) + more


def _complaint(name: str, given: RuleSpecification) -> Finding | None:
    if name not in RULES:
        return _refuse(name, f"there is no rule {quoted(name)}", did_you_mean(name, RULES))
    rule = RULES[name]
    if given.action not in rule.actions:
        allowed = ", ".join(rule.actions)
        what = f"the rule does not allow the action {quoted(given.action)}"
        return _refuse(name, what, f"write one of: {allowed}")
    if rule.threshold and given.above is None:
        cure = f"write `{name}: {{action: {given.action}, above: 1000}}` with your threshold"
        return _refuse(name, "the rule needs a threshold", cure)
    if not rule.threshold and given.above is not None:
        return _refuse(name, f"the rule has no threshold, got above: {given.above:g}", "remove it")
    return None


def _refuse(name: str, what: str, cure: str) -> Finding:
    return Finding("rules", printable(name), "rules", "error", what, 1, cure=cure)
