"""Rows from a Python source into the engine, batch by batch, with types that lose nothing.

A source such as a database driver or a workbook yields tuples whose types show only as they come.
`Sink` writes each batch to a temporary table and widens a column when a later batch needs it:
integers to decimals, dates to time stamps, and to text when nothing else holds both, so that no
value is rounded, cut or refused. No more than a batch is ever held in memory.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from keycustomer.customers.statements import identifier

BATCH = 20_000
_LARGEST = 2**63
_EXACT_FLOAT = 2**53
_MOST_DIGITS = 38


@dataclass(frozen=True)
class Kind:
    """What a column has been found to hold.

    Attributes
    ----------
    name : str
        One of nothing, flag, whole, decimal, float, day, moment, instant, bytes, text.
    whole, scale : int
        Digits before and after the point, of whole numbers and decimals.
    """

    name: str = "nothing"
    whole: int = 0
    scale: int = 0

    @property
    def sql(self) -> str:
        """Type in the engine."""
        if self.name == "decimal":
            return f"DECIMAL({max(1, self.whole + self.scale)},{self.scale})"
        return _SQL[self.name]

    @property
    def arrow(self) -> pa.DataType:
        """Type of a batch."""
        if self.name == "decimal":
            return pa.decimal128(max(1, self.whole + self.scale), self.scale)
        return _ARROW[self.name]


_SQL = {
    "nothing": "VARCHAR",
    "flag": "BOOLEAN",
    "whole": "BIGINT",
    "float": "DOUBLE",
    "day": "DATE",
    "moment": "TIMESTAMP",
    "instant": "TIMESTAMP WITH TIME ZONE",
    "bytes": "BLOB",
    "text": "VARCHAR",
}
_ARROW = {
    "nothing": pa.string(),
    "flag": pa.bool_(),
    "whole": pa.int64(),
    "float": pa.float64(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "instant": pa.timestamp("us", tz="UTC"),
    "bytes": pa.binary(),
    "text": pa.string(),
}
TEXT = Kind("text")


def kind_of(value: Any) -> Kind:
    """Tell what one value is."""
    if value is None:
        return Kind()
    if isinstance(value, bool):
        return Kind("flag")
    if isinstance(value, int):
        return Kind("whole", len(str(abs(value)))) if abs(value) < _LARGEST else _digits(value)
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, dt.datetime):
        return Kind("moment" if value.tzinfo is None else "instant")
    for types, name in _KINDS:
        if isinstance(value, types):
            return Kind(name)
    return TEXT


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (float, "float"),
    (dt.date, "day"),
    ((bytes, bytearray, memoryview), "bytes"),
)


def _digits(value: int | Decimal) -> Kind:
    number = Decimal(value)
    if not number.is_finite():
        return TEXT
    _, digits, exponent = number.as_tuple()
    scale = max(0, -int(exponent))
    whole = max(0, len(digits) + int(exponent))
    return Kind("decimal", whole, scale) if whole + scale <= _MOST_DIGITS else TEXT


def wider(one: Kind, other: Kind) -> Kind:
    """Find the narrowest kind that holds the values of both exactly."""
    if one == other or other.name == "nothing":
        return one
    if one.name == "nothing":
        return other
    names = {one.name, other.name}
    if names <= {"whole", "decimal"}:
        whole, scale = max(one.whole, other.whole), max(one.scale, other.scale)
        if names == {"whole"}:
            return Kind("whole", whole)
        return Kind("decimal", whole, scale) if whole + scale <= _MOST_DIGITS else TEXT
    if names == {"whole", "float"}:
        digits = max(one.whole, other.whole)
        return Kind("float") if 10**digits <= _EXACT_FLOAT else TEXT
    return Kind("moment") if names == {"day", "moment"} else TEXT


def as_text(value: Any) -> str:
    """Write a value as text that reads back as the same value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(*([" "] if isinstance(value, dt.datetime) else []))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)
    return str(value)


def shortest(value: float) -> str:
    """Write a float with the fewest digits that read back the same, without an exponent.

    ``shortest(0.1)`` is ``0.1``, ``shortest(7.0)`` is ``7`` and ``shortest(1e22)`` has 23 digits.
    """
    number = Decimal(repr(value))
    if not number.is_finite():
        return repr(value)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Sink:
    """A temporary table that grows by batches.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Where the table is made.
    relation : str
        Its name; a former one is replaced.
    names : sequence of str
        Columns of the rows, in order.
    write : callable
        Writes a value as text in a column of mixed values.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation: str,
        names: Sequence[str],
        write: Callable[[Any], str] = as_text,
    ) -> None:
        self.connection, self.relation = connection, identifier(relation)
        self.names, self.write = list(names), write
        self.kinds = [Kind() for _ in names]
        self.rows = 0
        columns = ", ".join(f"{identifier(name)} VARCHAR" for name in names)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {self.relation} ({columns}, source_row BIGINT)"
        )

    def take(self, rows: Sequence[Sequence[Any]], numbers: Iterable[int] | None = None) -> None:
        """Append a batch.

        Parameters
        ----------
        rows : sequence of sequences
            Tuples in the order of the columns.
        numbers : iterable of int or None
            Their row numbers; None counts on from the last.
        """
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        for i, values in enumerate(columns):
            self._widen(i, values)
        arrays = [self._array(i, values) for i, values in enumerate(columns)]
        counted = numbers or range(self.rows + 1, self.rows + len(rows) + 1)
        arrays.append(pa.array(list(counted), pa.int64()))
        labels = [f"c{i}" for i in range(len(arrays))]
        batch = pa.Table.from_arrays(arrays, names=labels)
        self.connection.register("staging_batch", batch)
        insert = f"INSERT INTO {self.relation} SELECT * FROM staging_batch"  # noqa: S608 - quoted
        self.connection.execute(insert)
        self.connection.unregister("staging_batch")
        self.rows += len(rows)

    def finish(self) -> dict[str, str]:
        """Tell the columns and their types."""
        return {name: kind.sql for name, kind in zip(self.names, self.kinds, strict=True)}

    def _widen(self, at: int, values: Sequence[Any]) -> None:
        former = self.kinds[at]
        kind = former
        for value in values:
            kind = wider(kind, kind_of(value))
        if kind.sql != former.sql:
            self._alter(at, former, kind)
        self.kinds[at] = kind

    def _alter(self, at: int, former: Kind, kind: Kind) -> None:
        column = identifier(self.names[at])
        change = f"ALTER TABLE {self.relation} ALTER {column} TYPE {kind.sql}"
        if kind.name == "text" and former.name in ("day", "moment") and self.write is not as_text:
            self._rewrite(at, column)
        self.connection.execute(change)

    def _rewrite(self, at: int, column: str) -> None:
        """Turn dates into text by the sink's own writing; their distinct values are few."""
        select = f"SELECT DISTINCT {column} FROM {self.relation} WHERE {column} IS NOT NULL"  # noqa: S608
        values = [row[0] for row in self.connection.execute(select).fetchall()]
        texts = pa.table({"was": pa.array(values), "said": pa.array(map(self.write, values))})
        self.connection.register("staging_texts", texts)
        aside = identifier(self.names[at] + " as text")
        for step in (
            f"ALTER TABLE {self.relation} ADD COLUMN {aside} VARCHAR",
            f"UPDATE {self.relation} SET {aside} = said FROM staging_texts WHERE {column} = was",  # noqa: S608
            f"ALTER TABLE {self.relation} ALTER {column} TYPE VARCHAR USING {aside}",
            f"ALTER TABLE {self.relation} DROP COLUMN {aside}",
        ):
            self.connection.execute(step)
        self.connection.unregister("staging_texts")

    def _array(self, at: int, values: Sequence[Any]) -> pa.Array:
        kind = self.kinds[at]
        if kind.name in ("text", "nothing"):
            return pa.array([None if v is None else self.write(v) for v in values], pa.string())
        if kind.name == "bytes":
            return pa.array([None if v is None else bytes(v) for v in values], pa.binary())
        if kind.name == "moment":
            values = [_moment(v) for v in values]
        if kind.name == "decimal":
            values = [None if v is None else Decimal(v) for v in values]
        return pa.array(values, kind.arrow)


def _moment(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value
