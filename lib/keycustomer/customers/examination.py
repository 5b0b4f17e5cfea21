"""The way of a case's tables through casting, checks and rules.

`stage_all` reads the sources, `examine` casts them, runs every check and applies the rules. Both go
on after a complaint as far as that makes sense, so that a reader sees everything at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from keycustomer.customers import comparisons
from keycustomer.customers.casting import TypedTable, cast_table, check_formats
from keycustomer.customers.checks import (
    Facts,
    line_checks,
    run_checks,
    settled,
    table_checks,
    today,
)
from keycustomer.customers.errors import Finding
from keycustomer.customers.exclusions import Excluded, Exclusions
from keycustomer.customers.lines import cast_lines
from keycustomer.customers.mapping import Binding, bind
from keycustomer.customers.netting import net_returns
from keycustomer.customers.reading import InputRecord, SourceError, StagedTable, inputs, stage
from keycustomer.customers.reading.simulated import simulated_inputs, stage_simulated
from keycustomer.customers.rendering import counted
from keycustomer.customers.rules import resolve
from keycustomer.customers.specification import BaseSpecification
from keycustomer.customers.statements import statement

if TYPE_CHECKING:
    import duckdb

Say = Callable[[str], None]


@dataclass
class Staged:
    """The sources as read.

    Attributes
    ----------
    tables : dict of str to StagedTable
        Sources that could be read.
    findings : list of Finding
        Why others could not.
    """

    tables: dict[str, StagedTable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def inputs(self) -> dict[str, tuple[InputRecord, ...]]:
        """What was read, by table."""
        return {name: table.inputs for name, table in self.tables.items()}


@dataclass
class Examination:
    """What became of the tables.

    Attributes
    ----------
    staged : Staged
        The sources.
    findings : list of Finding
        Everything that was found.
    tables : dict of str to TypedTable
        Tables that could be cast.
    rows : dict of str to dict of str to int
        Rows read and kept, by table.
    exclusions : Exclusions
        The rows taken out.
    excluded : list of Excluded
        Rows of the exclusions table.
    netted : bool
        Whether returns were set against purchases.
    start, end : datetime.date or None
        First and last day observed; None where a base of answers alone states none.
    checked_on : str
        The day of the checks, where the outcome depends on it.
    """

    staged: Staged
    findings: list[Finding]
    exclusions: Exclusions
    tables: dict[str, TypedTable] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    excluded: list[Excluded] = field(default_factory=list)
    netted: bool = False
    start: dt.date | None = None
    end: dt.date | None = None
    checked_on: str = ""

    @property
    def refused(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def stage_all(
    connection: duckdb.DuckDBPyConnection, specification: BaseSpecification, folder: Path, say: Say
) -> Staged:
    """Read the source of every table, collecting what cannot be read."""
    staged = Staged()
    for name in specification.tables:
        say(f"reading {name}")
        try:
            staged.tables[name] = _stage(connection, name, specification, folder)
        except SourceError as error:
            staged.findings += [
                Finding(name, "", "source", "error", problem, 0) for problem in error.problems
            ]
    return staged


def _stage(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    specification: BaseSpecification,
    folder: Path,
) -> StagedTable:
    table = specification.tables[name]
    if specification.simulation and table.kind == "simulated":
        return stage_simulated(connection, name, table.location, specification.simulation)
    return stage(connection, name, table, folder)


def _inputs(name: str, specification: BaseSpecification, folder: Path) -> tuple[InputRecord, ...]:
    table = specification.tables[name]
    if specification.simulation and table.kind == "simulated":
        return simulated_inputs(table.location, specification.simulation)
    return inputs(table, folder, name)


def known_inputs(
    specification: BaseSpecification, folder: Path
) -> dict[str, tuple[InputRecord, ...]]:
    """Fingerprint the tables whose source is there, without reading it into the engine."""
    known = {}
    for name in specification.tables:
        try:
            known[name] = _inputs(name, specification, folder)
        except SourceError:
            # Staging says what is wrong.
            continue
    return known


def examine(
    connection: duckdb.DuckDBPyConnection,
    specification: BaseSpecification,
    staged: Staged,
    say: Say,
) -> Examination:
    """Cast, check and rule on every table.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the sources staged; tables are written to its database, `work`.
    specification : BaseSpecification
        What the case file says.
    staged : Staged
        The sources.
    say : callable
        Called with a sentence at each step.
    """
    bindings, findings = _bindings(connection, specification, staged)
    lines = bindings.get("transactions")
    has_orders = lines is not None and "order_id" in lines.columns
    decisions, complaints = resolve(specification.rules, has_orders=has_orders)
    findings = [*staged.findings, *complaints, *findings]
    day = today(specification.time_zone)
    facts = Facts(decisions, specification.observed, specification.currency, day)
    examination = Examination(staged, findings, Exclusions(connection, facts))
    for name, binding in bindings.items():
        say(f"casting {name}")
        examination.tables[name] = _cast(connection, binding, specification, facts)
    _check(connection, examination, facts, say)
    if not examination.refused:
        _apply_last(connection, examination, specification)
    examination.findings = [settled(finding, decisions) for finding in examination.findings]
    return examination


def _bindings(
    connection: duckdb.DuckDBPyConnection, specification: BaseSpecification, staged: Staged
) -> tuple[dict[str, Binding], list[Finding]]:
    """Bindings of the tables that can be cast, and what keeps others from it."""
    bindings, findings = {}, []
    for name, table in staged.tables.items():
        findings += [Finding(name, "", "source", "note", note, 0) for note in table.notes]
        binding, wrong = bind(name, specification.tables[name], table)
        wrong += check_formats(connection, binding)
        findings += wrong
        if not wrong:
            bindings[name] = binding
    return bindings, findings


def _cast(
    connection: duckdb.DuckDBPyConnection,
    binding: Binding,
    specification: BaseSpecification,
    facts: Facts,
) -> TypedTable:
    zone, trim = specification.time_zone, facts.decisions["id_blanks"].action == "trim"
    if binding.table == "transactions":
        return cast_lines(connection, binding, zone, specification.currency, trim_ids=trim)
    return cast_table(connection, binding, zone, trim_ids=trim)


def _check(
    connection: duckdb.DuckDBPyConnection, examination: Examination, facts: Facts, say: Say
) -> None:
    tables, found = examination.tables, examination.findings
    for name, table in tables.items():
        say(f"checking {name}")
        checks = line_checks if name == "transactions" else table_checks
        rows, findings = run_checks(connection, table, checks(table, facts), facts)
        examination.rows[name] = {"read": rows, "kept": rows}
        found += findings or ([] if rows else [_no_rows(table)])
    say("comparing ids")
    comparisons.collect_ids(connection, tables)
    found += comparisons.look_alikes(connection, tables, facts)
    unknown = comparisons.unknown_products(connection, tables, facts)
    unknown += comparisons.unknown_customers(connection, tables, facts)
    found += unknown
    lacking = {f.table for f in unknown if f.rule.startswith("unknown_")}
    for table in tables.values():
        examination.exclusions.single_rows(table, lacking)
    say("looking for duplicates")
    for table in tables.values():
        found += _duplicates(connection, table, examination.exclusions, facts)


def _no_rows(table: TypedTable) -> Finding:
    needed = table.name == "transactions"
    return Finding(
        table=table.name,
        column="",
        rule="rows",
        severity="error" if needed else "warning",
        what="the table has no rows",
        rows=0,
        cure="check the source; leave the table out of the case file where it is not known",
        source=table.binding.label,
    )


def _duplicates(
    connection: duckdb.DuckDBPyConnection, table: TypedTable, exclusions: Exclusions, facts: Facts
) -> list[Finding]:
    if table.name in ("customers", "products"):
        remaining = exclusions.remaining(table.name)
        found = comparisons.duplicate_keys(connection, table, remaining, facts)
        rule = f"duplicate_{table.name.removesuffix('s')}"
        exclusions.listed(table.name, rule, f"work.repeated_{table.name}")
        return found
    if table.name != "transactions":
        return []
    found = comparisons.duplicate_lines(connection, table, exclusions.remaining(table.name), facts)
    exclusions.listed(table.name, "duplicate_line", "work.repeated_lines")
    found += comparisons.duplicate_orders(
        connection, table, exclusions.remaining(table.name), facts
    )
    exclusions.listed(table.name, "duplicate_order", "work.stray_lines")
    return found


def _apply_last(
    connection: duckdb.DuckDBPyConnection,
    examination: Examination,
    specification: BaseSpecification,
) -> None:
    """Deal with returns, sum up the exclusions, and see what is left."""
    exclusions, lines = examination.exclusions, examination.tables.get("transactions")
    netted: list[Excluded] = []
    removed = 0
    if lines is not None:
        exclusions.returns(lines)
        if exclusions.facts.decisions["returns"].action == "net":
            netting, findings = net_returns(connection, lines, exclusions.remaining(lines.name))
            examination.findings += findings
            examination.netted, removed = True, netting.removed
            netted = netting.exclusions()
    examination.excluded = exclusions.summary(list(examination.tables.values())) + netted
    for name, counts in examination.rows.items():
        gone = exclusions.dropped[name] + (removed if name == "transactions" else 0)
        counts["kept"] = counts["read"] - gone
        if counts["read"] and not counts["kept"]:
            examination.findings.append(_nothing_left(name, examination))
    if lines is not None and examination.rows[lines.name]["kept"]:
        examination.findings += _nobody_paid(connection, examination)
    if any(f.rule == "future_date" for f in examination.findings):
        examination.checked_on = exclusions.facts.today.isoformat()
    _set_window(connection, examination, specification)


def _nothing_left(name: str, examination: Examination) -> Finding:
    said = tuple(
        f"{gone.rule} ({gone.action}): {counted(gone.rows, 'row')}"
        for gone in examination.excluded
        if gone.table == name
    )
    return Finding(
        table=name,
        column="",
        rule="rows",
        severity="error",
        what="no row is left after the rules",
        rows=len(said),
        examples=said,
        cure="check `observed`, the date format and the rules that took the rows out",
    )


def _nobody_paid(connection: duckdb.DuckDBPyConnection, examination: Examination) -> list[Finding]:
    sql = statement("any_payer", remaining=examination.exclusions.remaining("transactions"))
    if connection.execute(sql).fetchone():
        return []
    binding = examination.tables["transactions"].binding
    column = "amount" if "amount" in binding.columns else "price"
    return [
        Finding(
            table="transactions",
            column=column,
            rule="rows",
            severity="error",
            what="no customer's lines add up to more than 0, so that there is no value to share",
            rows=0,
            cure=f"map `{column}` to what was paid; where purchases are written as negative "
            "amounts, turn their sign",
            source=binding.source(column),
        )
    ]


def _has(examination: Examination, table: str, column: str) -> bool:
    return table in examination.tables and column in examination.tables[table].columns


def _undated(examination: Examination) -> bool:
    """Whether nothing is dated: answers, choices and markets, or contracts known by tenure."""
    timeless = set(examination.tables) <= {"survey", "choices", "market"}
    return timeless or _has(examination, "contracts", "tenure")


def _set_window(
    connection: duckdb.DuckDBPyConnection,
    examination: Examination,
    specification: BaseSpecification,
) -> None:
    """Take the window as declared, else from the first to the last day of the lines."""
    start, end = specification.observed.start, specification.observed.end
    dated = {"transactions": "date", "interactions": "date", "contracts": "start"}
    for name, column in dated.items():
        if _has(examination, name, column) and not (start and end):
            sql = statement(
                "first_last_day", remaining=examination.exclusions.remaining(name), column=column
            )
            first, last = connection.execute(sql).fetchone() or (None, None)
            start, end = start or first, end or last
    if start and end:
        examination.start, examination.end = start, end
    elif not examination.refused and not _undated(examination):
        what = "no table tells which days the data cover"
        cure = "write `observed: {start: 2024-01-01, end: 2024-12-31}` with your days"
        examination.findings.append(Finding("observed", "", "window", "error", what, 0, cure=cure))
