"""From a case's raw tables to a trusted customer base, or to a list of what is wrong with them.

`prepare_base` stages the sources, casts them, runs all checks, applies the rules and writes one
DuckDB file, aside and then renamed; it is reused while the specification and the inputs' contents
are unchanged. `check_base` does the same without writing a base. Both report every complaint at
once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keycustomer.customers.aside import aside, put_in_place
from keycustomer.customers.base import DATA_VERSION, CustomerBase, configure, open_base
from keycustomer.customers.casting import TypedTable
from keycustomer.customers.checks import today
from keycustomer.customers.errors import (
    FINDING_COLUMNS,
    CheckReport,
    DataError,
    worst_first,
)
from keycustomer.customers.examination import (
    Examination,
    Staged,
    examine,
    known_inputs,
    stage_all,
)
from keycustomer.customers.exclusions import COLUMNS, exclusions_frame
from keycustomer.customers.lines import LINE_COLUMNS
from keycustomer.customers.reading import InputRecord
from keycustomer.customers.specification import BaseSpecification
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]


def prepare_base(
    specification: BaseSpecification,
    folder: str | Path,
    path: str | Path,
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> CustomerBase:
    """Make the customer base of a case, or reuse the one that is there.

    Parameters
    ----------
    specification : BaseSpecification
        What the case file says.
    folder : str or Path
        Folder that the paths in it are relative to.
    path : str or Path
        The DuckDB file to write.
    threads : int, optional
        Threads of the engine; default: environment `KEYCUSTOMER_THREADS`, else all cores.
    memory_limit : str, optional
        Memory limit of the engine, such as `2GB`; default: `KEYCUSTOMER_MEMORY_LIMIT`, else the
        engine's own. What does not fit is spilled beside the file.
    force : bool
        Make the base even when the one there is up to date.
    progress : callable, optional
        Called with a sentence at each step.

    Returns
    -------
    CustomerBase
        Opened read-only.

    Raises
    ------
    DataError
        When the data may not be used as they are; it holds all findings. The former base stays.
    """
    path, say = Path(path), progress or _silent
    with aside(path, lambda: say("waiting for another run that prepares the same base")) as scratch:
        with _engine(scratch, threads, memory_limit) as connection:
            make = _make_unless_fresh
            written = make(connection, specification, Path(folder), path, scratch, force, say)
        if written:
            put_in_place(written, path)
        else:
            say("the base is up to date")
    return open_base(path, threads=threads, memory_limit=memory_limit)


def check_base(
    specification: BaseSpecification,
    folder: str | Path,
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Check the tables of a case without writing a base.

    Parameters
    ----------
    specification, folder, threads, memory_limit, progress
        As in `prepare_base`.

    Returns
    -------
    CheckReport
        All findings, and what the rules would exclude.
    """
    with (
        tempfile.TemporaryDirectory(prefix="keycustomer-") as scratch,
        _engine(Path(scratch), threads, memory_limit) as connection,
    ):
        say = progress or _silent
        staged = stage_all(connection, specification, Path(folder), say)
        return _report(specification, examine(connection, specification, staged, say))


def _make_unless_fresh(
    connection: duckdb.DuckDBPyConnection,
    specification: BaseSpecification,
    folder: Path,
    path: Path,
    scratch: Path,
    force: bool,
    say: Progress,
) -> Path | None:
    """Write the base into the scratch folder; None when the one there is up to date."""
    if not force and _is_fresh(
        path, fingerprint(specification, known_inputs(specification, folder))
    ):
        return None
    staged = stage_all(connection, specification, folder, say)
    mark = fingerprint(specification, staged.inputs)
    # An extract of a database is known only now.
    if not force and not staged.findings and _is_fresh(path, mark):
        return None
    examination = examine(connection, specification, staged, say)
    report = _report(specification, examination)
    if report.errors:
        raise DataError(report)
    say("writing the base")
    written = scratch / "base.duckdb"
    _write(connection, written, specification, examination, report, mark)
    return written


def fingerprint(
    specification: BaseSpecification, inputs: dict[str, tuple[InputRecord, ...]]
) -> str:
    """Hash what decides the content of a base.

    Parameters
    ----------
    specification : BaseSpecification
        What the case file says of the data.
    inputs : dict of str to tuple of InputRecord
        The inputs of every table.

    Returns
    -------
    str
        Hexadecimal; empty where an input is missing or its content not known.
    """
    known = {name: getattr(specification, name) for name in BaseSpecification.model_fields}
    said = BaseSpecification.model_construct(**known).model_dump(mode="json")
    contents = [(name, record.sha256) for name in inputs for record in inputs[name]]
    if set(inputs) != set(specification.tables) or any(sha is None for _, sha in contents):
        return ""
    text = json.dumps([DATA_VERSION, said, contents], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _silent(_: str) -> None:
    return None


@contextmanager
def _engine(
    scratch: Path, threads: int | None, memory_limit: str | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine that keeps its work, and what does not fit into memory, in a folder."""
    import duckdb

    settings: dict[str, Any] = {"temp_directory": str(scratch / "spill")}
    connection = duckdb.connect(str(scratch / "work.duckdb"), config=settings)
    try:
        configure(connection, threads=threads, memory_limit=memory_limit)
        yield connection
    finally:
        connection.close()


def _is_fresh(path: Path, mark: str) -> bool:
    import duckdb

    if not mark or not path.is_file():
        return False
    try:
        base = open_base(path)
    except (duckdb.Error, ValueError, KeyError):
        # Not a base of ours, or one of another version of the engine: it is made anew.
        return False
    try:
        facts = dict(base.connection.execute("select key, value from provenance").fetchall())
    finally:
        base.close()
    # Which dates lie in the future changes from day to day.
    day = facts.get("checked_on", "")
    return facts["fingerprint"] == mark and day in ("", today(facts["time_zone"]).isoformat())


def _report(specification: BaseSpecification, examination: Examination) -> CheckReport:
    return CheckReport(
        title=specification.title,
        findings=worst_first(examination.findings),
        exclusions=exclusions_frame(examination.excluded),
    )


def _write(
    connection: duckdb.DuckDBPyConnection,
    written: Path,
    specification: BaseSpecification,
    examination: Examination,
    report: CheckReport,
    mark: str,
) -> None:
    """Write all tables of the base into a new file."""
    place = str(written).replace("'", "''")
    connection.execute(f"attach '{place}' as base")
    for table in examination.tables.values():
        if table.name == "transactions":
            _write_lines(connection, examination)
        else:
            _write_table(connection, table, examination)
    _write_rows(connection, "exclusions", COLUMNS, examination.excluded)
    findings = [tuple(row) for row in report.to_frame().itertuples(index=False)]
    _write_rows(connection, "findings", FINDING_COLUMNS, findings)
    facts = _provenance(specification, examination, mark)
    _write_rows(connection, "provenance", {"key": "VARCHAR", "value": "VARCHAR"}, facts)
    connection.execute("detach base")


def _write_lines(connection: duckdb.DuckDBPyConnection, examination: Examination) -> None:
    step = "write_netted_lines" if examination.netted else "write_lines"
    # A join may hand its rows on in any order.
    joined = examination.netted or examination.exclusions.dropped["transactions"]
    connection.execute(
        statement(
            step,
            columns=", ".join(LINE_COLUMNS),
            remaining=examination.exclusions.remaining("transactions"),
            order="order by line" if joined else "",
        )
    )


def _write_table(
    connection: duckdb.DuckDBPyConnection, table: TypedTable, examination: Examination
) -> None:
    columns = [*table.columns, *table.binding.attributes]
    connection.execute(
        statement(
            "write_table",
            table=identifier(table.name),
            columns=", ".join(map(identifier, columns)),
            remaining=examination.exclusions.remaining(table.name),
        )
    )


def _write_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    declared = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    places = ", ".join("?" for _ in columns)
    connection.execute(statement("rows_table", table=table, columns=declared))
    if rows:
        connection.executemany(statement("rows_insert", table=table, places=places), rows)


def _provenance(
    specification: BaseSpecification, examination: Examination, mark: str
) -> list[tuple[object, ...]]:
    economics = specification.economics
    simulation = specification.simulation
    facts = {
        "title": specification.title,
        "data": specification.data,
        "currency": specification.currency,
        "time_zone": specification.time_zone,
        "simulated": str(specification.simulated).lower(),
        "identifiable": str(specification.identifiable).lower(),
        "start": examination.start.isoformat() if examination.start else "",
        "end": examination.end.isoformat() if examination.end else "",
        "margin": "" if economics.margin is None else repr(economics.margin),
        "cost_per_order": repr(economics.cost_per_order),
        "attributes": _attributes(specification, "customers"),
        "constructs": _attributes(specification, "survey"),
        "simulation": json.dumps(simulation.model_dump() if simulation else None),
        "fingerprint": mark,
        "data_version": str(DATA_VERSION),
        "inputs": json.dumps(_inputs(examination.staged), ensure_ascii=False),
        "rows": json.dumps(examination.rows),
        "checked_on": examination.checked_on,
    }
    return list(facts.items())


def _attributes(specification: BaseSpecification, table: str) -> str:
    found = specification.tables.get(table)
    return json.dumps(found.attributes if found else {}, ensure_ascii=False)


def _inputs(staged: Staged) -> list[dict[str, object]]:
    return [
        {"table": name} | dataclasses.asdict(record)
        for name, records in staged.inputs.items()
        for record in records
    ]
