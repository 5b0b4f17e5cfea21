"""What can be wrong with the rows of a typed table, counted in the engine.

Row checks are conditions on one row; all of a table's are counted in one pass, and only those that
hold for some row are asked for their first five. Which condition belongs to which rule is told
here; what then happens is the rules' business (`exclusions`). Checks that compare rows, such as
duplicates, are in `comparisons`.

Names: `Check`, `line_checks`, `table_checks`, `run_checks`, `rule_conditions`, `Facts`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import zoneinfo
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from keycustomer.customers.casting import BLANKS, TypedTable, bound
from keycustomer.customers.errors import EXAMPLES, Finding, Severity, quoted
from keycustomer.customers.rendering import counted
from keycustomer.customers.rules import Decision
from keycustomer.customers.schema import TABLES, Kind
from keycustomer.customers.specification import Window
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Facts:
    """What the conditions of a case's checks refer to.

    Attributes
    ----------
    decisions : dict of str to Decision
        What each rule does.
    observed : Window
        The days observed, as far as the case file says.
    currency : str
        The case's currency.
    today : datetime.date
        The calendar day in the case's time zone.
    """

    decisions: dict[str, Decision]
    observed: Window
    currency: str
    today: dt.date

    def values(self) -> dict[str, object]:
        """Values of the parameters in conditions."""
        thresholds = {
            name: self.decisions[name].above
            for name in ("large_quantity", "large_amount")
            if name in self.decisions
        }
        window = {"start": self.observed.start, "end": self.observed.end}
        return {"blanks": BLANKS, "today": self.today} | window | thresholds


@dataclass(frozen=True)
class Check:
    """One condition on a row.

    Attributes
    ----------
    rule, column, severity
        As in `Finding`.
    condition : str
        SQL on the columns of the typed table.
    what : str
        Said after the count of rows.
    cure : str
        What to do.
    shows : tuple of str
        Columns shown of the first rows: of the source, as written, when `raw`.
    raw : bool
        Whether the values are shown as the source writes them.
    """

    rule: str
    column: str
    severity: Severity
    condition: str
    what: str
    cure: str
    shows: tuple[str, ...] = ()
    raw: bool = False


def today(zone: str) -> dt.date:
    """Tell the calendar day it is in a time zone."""
    return dt.datetime.now(zoneinfo.ZoneInfo(zone)).date()


def line_checks(lines: TypedTable, facts: Facts) -> list[Check]:
    """All row checks of the order lines."""
    return [
        *_unreadable(lines, facts),
        *_missing_values(lines, facts),
        *_window_checks(facts),
        *_sign_checks(lines, facts),
        *_size_checks(facts),
        *_currency_checks(lines, facts),
        *_remarks(lines),
        *_trimmed(lines, facts),
    ]


def table_checks(table: TypedTable, facts: Facts) -> list[Check]:
    """All row checks of a table other than the order lines."""
    checks = [*_unreadable(table, facts), *_missing_values(table, facts), *_trimmed(table, facts)]
    if table.name == "interactions":
        checks.append(_future(facts))
    if table.name == "contracts" and {"start", "end"} <= set(table.columns):
        checks.append(
            Check(
                rule="contradiction",
                column="end",
                severity="warning",
                condition='"start" > "end"',
                what="whose end lies before its start",
                cure="mend the dates in the source",
                shows=("start", "end"),
            )
        )
    if table.name == "contracts" and "tenure" in table.columns:
        checks.append(
            Check(
                rule="contradiction",
                column="tenure",
                severity="warning",
                condition='"tenure" < 0',
                what="that lasted less than no time",
                cure="write the months a contract has lasted, 0 or more",
                shows=("tenure",),
            )
        )
    return checks


def rule_conditions(table: TypedTable, facts: Facts) -> dict[str, str]:
    """Condition of each rule that looks at single rows of this table."""
    checks = line_checks if table.name == "transactions" else table_checks
    conditions: dict[str, list[str]] = {}
    for check in checks(table, facts):
        if check.rule in facts.decisions and check.condition != "false":
            conditions.setdefault(check.rule, []).append(f"({check.condition})")
    return {rule: " or ".join(parts) for rule, parts in conditions.items()}


def run_checks(
    connection: duckdb.DuckDBPyConnection, table: TypedTable, checks: list[Check], facts: Facts
) -> tuple[int, list[Finding]]:
    """Count the rows of every check in one pass, then fetch the first rows of those that hold.

    Returns
    -------
    rows : int
        Rows of the table.
    findings : list of Finding
        One a check that holds for some row.
    """
    possible = [check for check in checks if check.condition != "false"]
    counts = [f"count(*) filter (where {check.condition})" for check in possible]
    sql = statement(
        "check_counts", table=identifier(table.name), counts=",\n    ".join(["count(*)", *counts])
    )
    row = connection.execute(sql, bound(connection, sql, facts.values())).fetchone() or (0,)
    found = [(check, n) for check, n in zip(possible, row[1:], strict=True) if n]
    first = {check: _first_rows(connection, table, check, facts) for check, _ in found}
    written = _as_written(connection, table, first)
    findings = [
        Finding(
            table=table.name,
            column=check.column,
            rule=check.rule,
            severity=check.severity,
            what=f"{counted(n, 'row')} {check.what}",
            rows=n,
            examples=_examples(check, first[check], written),
            cure=check.cure,
            source=table.binding.source(check.column),
        )
        for check, n in found
    ]
    return row[0], findings


def _first_rows(
    connection: duckdb.DuckDBPyConnection, table: TypedTable, check: Check, facts: Facts
) -> list[tuple[Any, ...]]:
    shown = () if check.raw else check.shows
    sql = statement(
        "first_rows",
        table=identifier(table.name),
        columns="".join(f", {identifier(column)}" for column in shown),
        condition=check.condition,
        limit=str(EXAMPLES),
    )
    return connection.execute(sql, bound(connection, sql, facts.values())).fetchall()


def _as_written(
    connection: duckdb.DuckDBPyConnection,
    table: TypedTable,
    first: dict[Check, list[tuple[Any, ...]]],
) -> dict[int, dict[str, Any]]:
    """Values of the source, in one pass over it, for the rows of checks that show them."""
    wanted = sorted({row[0] for check, rows in first.items() if check.raw for row in rows})
    names = sorted({c for check in first if check.raw for c in check.shows if c in table.columns})
    if not wanted or not names:
        return {}
    columns = [f"{identifier(table.binding.columns[c].name)}::varchar" for c in names]
    sql = statement(
        "source_rows",
        relation=identifier(table.binding.relation),
        columns=", ".join(columns),
    )
    rows = connection.execute(sql, {"rows": wanted}).fetchall()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _examples(
    check: Check, rows: list[tuple[Any, ...]], written: dict[int, dict[str, Any]]
) -> tuple[str, ...]:
    said = []
    for row in rows:
        values = (
            written.get(row[0], {}) if check.raw else dict(zip(check.shows, row[1:], strict=True))
        )
        shown = [f"{c} {shown_value(values[c])}" for c in check.shows if c in values]
        said.append(f"row {row[0]:,}: {', '.join(shown)}" if shown else f"row {row[0]:,}")
    return tuple(said)


def shown_value(value: object) -> str:
    """Show a value: text between quotes, amounts without trailing zeros, nothing as `empty`."""
    if value is None:
        return "empty"
    if isinstance(value, decimal.Decimal):
        return f"{value.normalize():f}"
    return quoted(value) if isinstance(value, str) else str(value)


_READS: dict[Kind, str] = {
    "date": "as dates from 1800 on written {date!r}",
    "amount": "as amounts with decimal mark {decimal!r}{thousands}",
    "number": "as numbers with decimal mark {decimal!r}{thousands}",
    "real": "as numbers with decimal mark {decimal!r}{thousands}",
    "flag": "as yes or no (true, false, yes, no, 1, 0)",
}
_CURES: dict[Kind, str] = {
    "date": "declare the format, as in `format: {date: '%d.%m.%Y'}`",
    "amount": "declare the marks, as in `format: {decimal: ',', thousands: '.'}`",
    "number": "declare the marks, as in `format: {decimal: ',', thousands: '.'}`",
    "real": "declare the marks, as in `format: {decimal: ',', thousands: '.'}`",
    "flag": "write one of these in the source",
}
_OR_DROP = "; or mend the rows, or drop them with `rules: {unreadable_value: drop}`"


def _unreadable(table: TypedTable, facts: Facts) -> list[Check]:
    severity = facts.decisions["unreadable_value"].severity
    checks = [
        _unreadable_column(table, column, severity)
        for column in table.columns
        if f"unreadable.{column}" in table.bits
    ]
    if "unreadable.too_large" in table.bits:
        units = tuple(c for c in ("price", "list_price", "unit_cost") if c in table.columns)
        checks.append(
            Check(
                rule="unreadable_value",
                column="",
                severity=severity,
                condition=f"{table.marked('unreadable.too_large')} and not ({_other(table)})",
                what="whose unit price x quantity is too large to be an amount",
                cure="mend the rows, or drop them with `rules: {unreadable_value: drop}`",
                shows=("quantity", *units),
                raw=True,
            )
        )
    return checks


def _other(table: TypedTable) -> str:
    marks = [what for what in table.bits if what.startswith("unreadable.")]
    others = [table.marked(what) for what in marks if what != "unreadable.too_large"]
    return " or ".join(others) or "false"


def _unreadable_column(table: TypedTable, column: str, severity: Severity) -> Check:
    kind = TABLES[table.name].columns[column].kind
    form = table.binding.format
    thousands = f" and thousands separator {form.thousands!r}" if form.thousands else ""
    reads = _READS.get(kind, "").format(date=form.date, decimal=form.decimal, thousands=thousands)
    return Check(
        rule="unreadable_value",
        column=column,
        severity=severity,
        condition=table.marked(f"unreadable.{column}"),
        what=f"cannot be read {reads}",
        cure=_CURES.get(kind, "") + _OR_DROP,
        shows=(column,),
        raw=True,
    )


def _missing_values(table: TypedTable, facts: Facts) -> list[Check]:
    """Rows without a value that is needed: the customer by its own rule, others as unreadable."""
    needed = [c for c in table.columns if TABLES[table.name].columns[c].required]
    if "quantity" in table.columns and table.name == "transactions":
        needed.append("quantity")
    if table.name == "contracts":
        dated = "start" in table.columns
        needed += ["start"] if dated else [c for c in ("tenure", "ended") if c in table.columns]
    checks = [_missing(table, column, facts) for column in needed]
    if table.name == "transactions":
        any_unreadable = table.having("unreadable.")
        check = _missing(table, "revenue", facts)
        condition = f"revenue is null and not ({any_unreadable})"
        column = "amount" if "amount" in table.columns else "price"
        # A line without quantity lacks its price x quantity too; that is said once.
        if "quantity" in table.columns:
            condition += " and quantity is not null"
        what = "without amount or price"
        checks.append(replace(check, column=column, condition=condition, what=what))
    return checks


def _missing(table: TypedTable, column: str, facts: Facts) -> Check:
    rule = "missing_customer" if column == "customer_id" else "unreadable_value"
    unreadable = table.marked(f"unreadable.{column}")
    return Check(
        rule=rule,
        column=column,
        severity=facts.decisions[rule].severity,
        condition=f"{identifier(column)} is null and not ({unreadable})",
        what=f"without {column}",
        cure=f"complete them in the source, or drop them with `rules: {{{rule}: drop}}`",
    )


def _window_checks(facts: Facts) -> list[Check]:
    start, end = facts.observed.start, facts.observed.end
    parts = ["date < $start"] * (start is not None) + ["date > $end"] * (end is not None)
    checks = [_future(facts)]
    if parts:
        days = f"from {start or 'the first day'} to {end or 'the last day'}"
        outside = Check(
            rule="outside_window",
            column="date",
            severity="note",
            condition=" or ".join(parts),
            what=f"outside the observed days, {days}",
            cure="widen `observed` to keep them",
            shows=("date",),
        )
        checks.insert(0, outside)
    return checks


def _future(facts: Facts) -> Check:
    return Check(
        rule="future_date",
        column="date",
        severity=facts.decisions["future_date"].severity,
        condition="date > $today",
        what=f"dated after today, {facts.today}",
        cure="check `format: {date: ...}` (day and month swapped?), or choose "
        "`rules: {future_date: drop}` or keep",
        shows=("date",),
    )


def _sign_checks(lines: TypedTable, facts: Facts) -> list[Check]:
    signs = "quantity < 0 and revenue > 0 or quantity > 0 and revenue < 0"
    disagree = Check(
        rule="contradiction",
        column="quantity",
        severity="warning",
        condition=signs if "quantity" in lines.columns else "false",
        what="whose quantity and amount have different signs",
        cure="write returns with negative quantity and negative amount",
        shows=("quantity", "revenue"),
    )
    negative = Check(
        rule="negative_price",
        column="price",
        severity="warning",
        condition=lines.marked("negative_price"),
        what="of negative unit price",
        cure="write a return as a negative quantity at the positive price",
        shows=("quantity", "price"),
        raw=True,
    )
    return [_ruled("returns", "quantity", "quantity < 0 or revenue < 0", facts), disagree, negative]


def _size_checks(facts: Facts) -> list[Check]:
    checks = [
        _ruled("zero_quantity", "quantity", "quantity = 0", facts),
        _ruled("zero_price", "amount", "revenue = 0", facts),
    ]
    if "large_quantity" in facts.decisions:
        condition = "abs(quantity) > $large_quantity"
        checks.append(_ruled("large_quantity", "quantity", condition, facts))
    if "large_amount" in facts.decisions:
        checks.append(_ruled("large_amount", "amount", "abs(revenue) > $large_amount", facts))
    return checks


_WHAT = {
    "returns": "of negative quantity or amount (returns)",
    "zero_quantity": "of quantity 0",
    "zero_price": "for which nothing was paid",
    "large_quantity": "of a quantity above {above:g}",
    "large_amount": "of an amount above {above:g}",
}
_CHOICES = {
    "returns": "choose `rules: {returns: net}` (subtract from the purchase), drop or keep",
    "zero_quantity": "choose `rules: {zero_quantity: drop}`, keep or error",
    "zero_price": "choose `rules: {zero_price: drop}`, keep or error",
    "large_quantity": "judge the threshold in `rules`",
    "large_amount": "judge the threshold in `rules`",
}


def _ruled(rule: str, column: str, condition: str, facts: Facts) -> Check:
    decision = facts.decisions[rule]
    return Check(
        rule=rule,
        column=column,
        severity=decision.severity,
        condition=condition,
        what=_WHAT[rule].format(above=decision.above or 0),
        cure=_CHOICES[rule],
        shows=("quantity", "revenue"),
    )


_ACTION_SAID = {
    "drop": "dropped",
    "keep": "kept",
    "net": "set against the original purchases",
    "trim": "trimmed",
}


def settled(finding: Finding, decisions: dict[str, Decision]) -> Finding:
    """Say in place of the cure, or before it, what a rule has done already."""
    decision = decisions.get(finding.rule)
    if decision is None or decision.action not in _ACTION_SAID:
        return finding
    done = _ACTION_SAID[decision.action]
    if finding.severity == "note":
        return replace(finding, cure=f"{done}, as the case file says")
    if decision.declared:
        return finding
    return replace(finding, cure=f"{done} by default; {finding.cure}")


def _currency_checks(lines: TypedTable, facts: Facts) -> list[Check]:
    decision = facts.decisions["mixed_currency"]
    check = Check(
        rule="mixed_currency",
        column="currency",
        severity=decision.severity,
        condition=lines.marked("currency"),
        what=f"in another currency than {facts.currency}, or in none",
        cure="convert the amounts before import, or choose `rules: {mixed_currency: drop}`",
        shows=("currency",),
        raw=True,
    )
    return [check]


def _remarks(lines: TypedTable) -> list[Check]:
    """Remark on rounding, double statements and lines without order: no rule has a choice."""
    pairs = {"amount": "price", "list_amount": "list_price", "cost": "unit_cost"}
    checks = [
        _remark(
            lines, f"contradiction.{line}", line, (line, unit, "quantity"),
            f"where {line} and {unit} x quantity differ",
            f"{line} counts; map only one of the two, or mend the source",
        )
        for line, unit in pairs.items()
    ]  # fmt: skip
    checks += [
        _remark(
            lines, f"rounded.{column}", column, (column,),
            "with more than four decimals", "they are rounded, half away from zero",
            rule="rounded", severity="note",
        )
        for column in ("amount", "list_amount", "discount", "cost")
    ]  # fmt: skip
    listed = ("amount", "price", "list_amount", "list_price", "discount", "quantity")
    checks += [
        _remark(
            lines, "contradiction.discount", "discount", listed,
            "where discount and list value less amount differ",
            "the list value counts; map only one of the two, or mend the source",
        ),
        _remark(
            lines, "above_list", "discount", listed, "paid above list value",
            "they count as bought without discount; check which column is the list price",
            rule="above_list",
        ),
    ]  # fmt: skip
    if "order_id" in lines.columns:
        empty = _remark(
            lines, "", "order_id", (), "without order_id",
            "they count as the customer's own order of that day", rule="no_order", severity="note",
        )  # fmt: skip
        checks.append(replace(empty, condition="order_id is null"))
    return checks


def _remark(
    lines: TypedTable,
    mark: str,
    column: str,
    shows: tuple[str, ...],
    what: str,
    cure: str,
    *,
    rule: str = "contradiction",
    severity: Severity = "warning",
) -> Check:
    condition = lines.marked(mark) if mark else "false"
    return Check(rule, column, severity, condition, what, cure, shows, raw=True)


def _trimmed(table: TypedTable, facts: Facts) -> list[Check]:
    decision = facts.decisions["id_blanks"]
    return [
        Check(
            rule="id_blanks",
            column=column,
            severity=decision.severity,
            condition=table.marked(f"trimmed.{column}"),
            what=f"with blanks around {column}",
            cure="",
            shows=(column,),
            raw=True,
        )
        for column in table.columns
        if f"trimmed.{column}" in table.bits
    ]
