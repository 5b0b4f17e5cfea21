"""Which column of a source stands for which column of the data model.

`bind` follows the case file's `columns`; a source column that already bears one of our names needs
no entry. What does not fit is reported, all of it: a mapped column the source lacks, a needed
column nobody mapped, one source column mapped twice, a column type that cannot hold what we need.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keycustomer.customers.errors import Finding, printable, quoted
from keycustomer.customers.rules import did_you_mean
from keycustomer.customers.schema import TABLES, Kind
from keycustomer.customers.specification import Format, TableSpecification

if TYPE_CHECKING:
    from keycustomer.customers.reading import StagedTable

INTERNAL = ("source_row", "row_flags")
"""Columns the engine adds; no attribute may be called so."""

RAW = "raw."
"""Beginning of the names under which steps carry source values; no attribute may begin so."""

_INTEGERS = r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"
_TEXT = r"VARCHAR|ENUM\(.*\)|UUID"
_WHOLE = rf"{_INTEGERS}|DECIMAL\(\d+,0\)"
_NUMBERS = rf"{_INTEGERS}|DECIMAL\(\d+,\d+\)|FLOAT|DOUBLE"
_DAYS = r"DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE"
_TYPES: dict[Kind, str] = {
    "id": rf"{_TEXT}|{_WHOLE}",
    "text": rf"{_TEXT}|{_NUMBERS}|{_DAYS}|BOOLEAN",
    "date": rf"{_TEXT}|{_WHOLE}|{_DAYS}",
    "amount": rf"{_TEXT}|{_NUMBERS}",
    "number": rf"{_TEXT}|{_NUMBERS}",
    "real": rf"{_TEXT}|{_NUMBERS}",
    "flag": rf"{_TEXT}|{_INTEGERS}|BOOLEAN",
}


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source: its name there and its type in the engine."""

    name: str
    type: str

    @property
    def is_text(self) -> bool:
        """Whether values are text, to be read by the declared format."""
        return re.fullmatch(_TEXT, self.type, re.DOTALL) is not None


@dataclass(frozen=True)
class Binding:
    """One table's source, with the columns it gives us.

    Attributes
    ----------
    table : str
        Name of our table.
    relation, label : str
        Name of the staged relation in the engine; how to call the source in messages.
    columns : dict of str to SourceColumn
        Our columns that the source has.
    attributes : dict of str to SourceColumn
        Further columns kept as text, under their own names.
    format : Format
        How text is written.
    timestamps_in : str or None
        Time zone of time stamps that carry none.
    """

    table: str
    relation: str
    label: str
    columns: dict[str, SourceColumn]
    attributes: dict[str, SourceColumn]
    format: Format
    timestamps_in: str | None

    def source(self, column: str) -> str:
        """How to call one of our columns in a message: its name in the source, and the source."""
        if column not in self.columns:
            return self.label
        return f"column {quoted(self.columns[column].name)} of {self.label}"


def bind(
    table: str, specification: TableSpecification, staged: StagedTable
) -> tuple[Binding, list[Finding]]:
    """Find the source column of each of our columns.

    Parameters
    ----------
    table : str
        Name of the table in the data model.
    specification : TableSpecification
        What the case file says about it.
    staged : StagedTable
        The source as read.

    Returns
    -------
    binding : Binding
        The columns that could be found and hold the right type.
    findings : list of Finding
        Everything that does not fit; all are errors.
    """
    label = printable(staged.label)
    found, findings = _found(table, specification, staged.columns, label)
    attributes, more = _attributes(table, specification, staged.columns, label)
    binding = Binding(
        table=table,
        relation=staged.relation,
        label=label,
        columns=found,
        attributes=attributes,
        format=specification.format,
        timestamps_in=staged.timestamps_in or specification.format.timestamps_in,
    )
    if not (found or attributes or findings or more):
        what = "none of the table's columns is there"
        more = [_refuse(table, "", what, f"map them in `columns`; {_list(staged.columns)}", label)]
    return binding, findings + more


def _found(
    table: str, specification: TableSpecification, theirs: dict[str, str], label: str
) -> tuple[dict[str, SourceColumn], list[Finding]]:
    names, findings = _names(table, specification, theirs, label)
    missing = [c for c in TABLES[table].required if c not in names and _unmapped(c, specification)]
    findings += [_missing(table, column, theirs, label) for column in missing]
    findings += _missing_choice(table, names, specification, label)
    columns = {ours: SourceColumn(name, theirs[name]) for ours, name in names.items()}
    wrong = [f for ours in columns if (f := _wrong_type(table, ours, columns[ours], label))]
    refused = {finding.column for finding in wrong}
    return {k: v for k, v in columns.items() if k not in refused}, findings + wrong


def _names(
    table: str, specification: TableSpecification, theirs: dict[str, str], label: str
) -> tuple[dict[str, str], list[Finding]]:
    mapped = specification.columns
    findings = [
        _absent(table, ours, name, theirs, label)
        for ours, name in mapped.items()
        if name not in theirs
    ]
    for name, times in Counter(mapped.values()).items():
        if times > 1:
            findings.append(_mapped_twice(table, name, mapped, label))
    names = {ours: name for ours, name in mapped.items() if name in theirs}
    taken = set(mapped.values())
    for ours in TABLES[table].columns:
        if ours not in mapped and ours in theirs and ours not in taken:
            names[ours] = ours
    return {ours: names[ours] for ours in TABLES[table].columns if ours in names}, findings


def _attributes(
    table: str, specification: TableSpecification, theirs: dict[str, str], label: str
) -> tuple[dict[str, SourceColumn], list[Finding]]:
    wanted = [name for names in specification.attributes.values() for name in names]
    reserved = {name.casefold() for name in (*TABLES[table].columns, *INTERNAL)}
    columns: dict[str, SourceColumn] = {}
    findings = []
    seen: set[str] = set()
    for name in wanted:
        if name not in theirs:
            findings.append(_absent(table, "attributes", name, theirs, label))
        elif name.casefold() in seen | reserved or name.casefold().startswith(RAW):
            findings.append(_name_taken(table, name, label))
        else:
            columns[name] = SourceColumn(name, theirs[name])
        seen.add(name.casefold())
    return columns, findings


def _unmapped(column: str, specification: TableSpecification) -> bool:
    return column not in specification.columns


def _refuse(table: str, column: str, what: str, cure: str, label: str) -> Finding:
    return Finding(table, column, "columns", "error", what, 1, cure=cure, source=label)


def _list(theirs: dict[str, str]) -> str:
    return "the source has: " + ", ".join(map(printable, theirs))


def _absent(table: str, ours: str, name: str, theirs: dict[str, str], label: str) -> Finding:
    what = f"the source has no column {quoted(name)}"
    cure = did_you_mean(name, list(theirs))
    return _refuse(table, ours, what, cure, label)


def _missing(table: str, column: str, theirs: dict[str, str], label: str) -> Finding:
    meaning = TABLES[table].columns[column].meaning
    cure = f"map it in `columns: {{{column}: ...}}`; {did_you_mean(column, list(theirs))}"
    what = f"the column is needed ({meaning}) and not there"
    return _refuse(table, column, what, cure, label)


def _missing_choice(
    table: str, names: dict[str, str], specification: TableSpecification, label: str
) -> list[Finding]:
    findings = []
    for choice in TABLES[table].one_of:
        if not any(c in names or c in specification.columns for c in choice):
            what = f"one of the columns {', '.join(choice)} is needed and none is there"
            cure = f"map one in `columns: {{{choice[0]}: ...}}`"
            findings.append(_refuse(table, choice[0], what, cure, label))
    return findings


def _mapped_twice(table: str, name: str, mapped: dict[str, str], label: str) -> Finding:
    ours = [k for k, v in mapped.items() if v == name]
    what = f"the source column {quoted(name)} is mapped to {' and '.join(ours)}"
    cure = "map each source column once; repeat the column in the source where it means both"
    return Finding(table, ours[0], "columns", "error", what, len(ours), cure=cure, source=label)


def _name_taken(table: str, name: str, label: str) -> Finding:
    what = f"the attribute {quoted(name)} bears a name that is taken or listed twice"
    cure = "list it once; a column of the data model belongs into `columns`"
    return _refuse(table, "attributes", what, cure, label)


def _wrong_type(table: str, ours: str, column: SourceColumn, label: str) -> Finding | None:
    kind = TABLES[table].columns[ours].kind
    if re.fullmatch(_TYPES[kind], column.type, re.DOTALL):
        return None
    source = f"column {quoted(column.name)} of {label}"
    what = f"the source's type {column.type} cannot hold {_HOLDS[kind]}"
    cure = _FRACTIONAL_ID if kind == "id" and re.fullmatch(_NUMBERS, column.type) else _OTHER_TYPE
    return Finding(table, ours, "type", "error", what, 1, cure=cure, source=source)


_HOLDS: dict[Kind, str] = {
    "id": "ids",
    "text": "text",
    "date": "dates",
    "amount": "amounts",
    "number": "numbers",
    "real": "numbers",
    "flag": "yes or no",
}
_FRACTIONAL_ID = (
    "an id such as '007' or '7' has become 7.0, often because some ids are missing; write the "
    "column as text (pandas: read it with dtype='string') or as whole numbers (dtype='Int64')"
)
_OTHER_TYPE = "write the column as text or in a fitting type, or map another column"
