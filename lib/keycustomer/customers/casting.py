"""From a source's columns to typed ones, by the declared formats; nothing is guessed.

Each function gives the SQL of one value: NULL where the source is blank, and NULL together with a
true `unreadable` condition where there is something that cannot be read as declared. Values enter
the statements as parameters (`readings` gives them), names through `identifier`.

Amounts are read exactly. `fine` keeps more decimals than the four that are stored, so that unit
price x quantity is multiplied first and rounded (half away from zero) after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keycustomer.customers.errors import Finding
from keycustomer.customers.mapping import Binding, SourceColumn
from keycustomer.customers.schema import SQL_TYPES, TABLES, Kind
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb

AMOUNT = SQL_TYPES["amount"]
BLANKS = " \t\r\n\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2007\u2009\u202f\u3000\ufeff"
"""Characters that count as blank around a value."""

# Marks that stand for the declared thousands separator: typographic twins of the blank and the
# apostrophe are what spreadsheets in French and Swiss locales really write.
_THOUSANDS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
# Dates outside these years are slips: a two-digit year read as four digits is the year 17.
_FIRST_DAY, _LAST_DAY = "date '1800-01-01'", "date '2200-12-31'"
_TIME_OF_DAY = re.compile(r"%-?[HIMSfncXT]")


@dataclass(frozen=True)
class Cast:
    """SQL of one column.

    Attributes
    ----------
    value : str
        The typed value.
    unreadable : str
        Condition: something is there, and it cannot be read.
    fine : str
        For amounts and numbers the value before rounding to four decimals.
    """

    value: str
    unreadable: str = "false"
    fine: str = ""


def readings(binding: Binding, zone: str) -> dict[str, object]:
    """Values of the parameters that the casts of a table refer to."""
    form = binding.format
    thousands = _THOUSANDS.get(form.thousands, form.thousands)
    return {
        "blanks": BLANKS,
        "zone": zone,
        "timestamps_in": binding.timestamps_in,
        "date_format": form.date,
        "number_pattern": number_pattern(form.decimal, form.thousands),
        "thousands": thousands,
        "decimal": form.decimal,
    }


def number_pattern(decimal: str, thousands: str) -> str:
    """Regular expression of a number written with these marks.

    Thousands separators, where there are any, stand before each group of three digits:
    with `,` and `.`, ``1.234,5`` and ``1234,5`` are numbers, ``1.23.4`` and ``12.34`` are not.
    """
    point = re.escape(decimal)
    whole = r"\d+"
    if thousands:
        marks = "[" + re.escape(_THOUSANDS.get(thousands, thousands)) + "]"
        whole = rf"(\d+|\d{{1,3}}({marks}\d{{3}})+)"
    return rf"[+-]?({whole}({point}\d*)?|{point}\d+)"


def used(sql: str, values: dict[str, object]) -> dict[str, object]:
    """Those of the values that a statement refers to; the engine refuses others."""
    names = set(re.findall(r"\$([a-z_]+)", sql))
    return {name: values[name] for name in sorted(names)}


def cast(kind: Kind, column: SourceColumn, binding: Binding, *, trim_ids: bool = False) -> Cast:
    """Write the SQL that turns a source column into a typed value of the given kind."""
    raw = identifier(column.name)
    given = _given(raw, column)
    if kind in ("id", "text"):
        exact = f"case when {given} is not null then {raw}::varchar end"
        return Cast(f"{given}::varchar" if kind == "id" and trim_ids else exact)
    if kind == "date":
        return _date(given, column, binding)
    if kind == "flag":
        return _flag(given, column)
    return _number(given, column, binding)


def _given(raw: str, column: SourceColumn) -> str:
    """Take what is there: NULL for blank text and for what is not a number in a float column."""
    if column.is_text:
        return f"nullif(trim({raw}::varchar, $blanks), '')"
    if column.type in ("FLOAT", "DOUBLE"):
        return f"case when not isnan({raw}) then {raw} end"
    return raw


def _date(given: str, column: SourceColumn, binding: Binding) -> Cast:
    day = f"({_calendar_day(given, column, binding)})"
    value = f"case when {day} between {_FIRST_DAY} and {_LAST_DAY} then {day} end"
    return Cast(value, _unreadable(given, value))


def _calendar_day(given: str, column: SourceColumn, binding: Binding) -> str:
    if column.type == "DATE":
        return given
    if column.type == "TIMESTAMP WITH TIME ZONE":
        return f"({given} at time zone $zone)::date"
    if column.type.startswith("TIMESTAMP"):
        return _local_day(f"{given}::timestamp", binding)
    moment = f"try_strptime({given}::varchar, $date_format)"
    if "%z" in binding.format.date:
        return f"({moment} at time zone $zone)::date"
    if _TIME_OF_DAY.search(binding.format.date):
        return _local_day(moment, binding)
    return f"{moment}::date"


def _local_day(moment: str, binding: Binding) -> str:
    if binding.timestamps_in:
        return f"({moment} at time zone $timestamps_in at time zone $zone)::date"
    return f"({moment})::date"


def _flag(given: str, column: SourceColumn) -> Cast:
    if column.type == "BOOLEAN":
        return Cast(given)
    value = (
        f"case when lower({given}::varchar) in ('true', 't', 'yes', 'y', '1') then true "
        f"when lower({given}::varchar) in ('false', 'f', 'no', 'n', '0') then false end"
    )
    return Cast(value, _unreadable(given, value))


def _number(given: str, column: SourceColumn, binding: Binding) -> Cast:
    if column.is_text:
        number = _plain_number(given, binding)
        fine, value = (
            f"case when regexp_full_match({given}, $number_pattern) "
            f"then try_cast({number} as {kind}) end"
            for kind in ("decimal(28,12)", AMOUNT)
        )
    else:
        fine = _fine_number(given, column.type)
        value = f"try_cast({fine} as {AMOUNT})"
    return Cast(value, _unreadable(given, value), fine)


def _plain_number(given: str, binding: Binding) -> str:
    plain = f"translate({given}, $thousands, '')" if binding.format.thousands else given
    return plain if binding.format.decimal == "." else f"replace({plain}, $decimal, '.')"


def _fine_number(given: str, kind: str) -> str:
    if kind == "FLOAT":
        # By way of text: the shortest text of a 4-byte 11.77 is 11.77, its 8-byte value is not.
        return f"try_cast({given}::varchar as decimal(28,10))"
    if kind == "DOUBLE":
        return f"try_cast({given} as decimal(28,10))"
    scale = re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind)
    if scale is None:
        return f"try_cast({given} as decimal(20,0))"
    return given if int(scale[1]) <= 12 else f"try_cast({given} as decimal(28,12))"


def _unreadable(given: str, value: str) -> str:
    return f"{given} is not null and ({value}) is null"


@dataclass(frozen=True)
class TypedTable:
    """A table of typed rows in the engine, before the rules.

    Attributes
    ----------
    name : str
        Name of the table in the data model; in the engine it is `work.<name>`.
    binding : Binding
        Where its rows come from.
    columns : tuple of str
        Columns of the data model it has.
    bits : dict of str to int
        Bit of `row_flags` by what it marks: `unreadable.<column>` and others.
    """

    name: str
    binding: Binding
    columns: tuple[str, ...]
    bits: dict[str, int]

    def marked(self, what: str) -> str:
        """Condition that a row bears a mark; `false` where no row can."""
        return f"row_flags & {1 << self.bits[what]} <> 0" if what in self.bits else "false"

    def having(self, prefix: str) -> str:
        """Condition that a row bears one of the marks that begin so."""
        mask = sum(1 << bit for what, bit in self.bits.items() if what.startswith(prefix))
        return f"row_flags & {mask} <> 0" if mask else "false"


def cast_table(
    connection: duckdb.DuckDBPyConnection, binding: Binding, zone: str, *, trim_ids: bool = False
) -> TypedTable:
    """Write `work.<table>`: the declared columns typed, attributes as text, one row a source row.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the source staged and a database attached as `work`.
    binding : Binding
        Where the columns come from.
    zone : str
        Time zone whose calendar days are used.
    trim_ids : bool
        Whether blanks around ids are removed.

    Returns
    -------
    TypedTable
        `row_flags` holds a bit for each column that has something unreadable.
    """
    kinds = TABLES[binding.table].columns
    casts = {
        ours: cast(kinds[ours].kind, column, binding, trim_ids=trim_ids)
        for ours, column in binding.columns.items()
    }
    texts = {name: cast("text", column, binding) for name, column in binding.attributes.items()}
    values = [f"{c.value} as {identifier(name)}" for name, c in (casts | texts).items()]
    marks = unreadable_marks(casts) | (trimmed_marks(binding) if trim_ids else {})
    sql = statement(
        "typed_table",
        table=identifier(binding.table),
        relation=identifier(binding.relation),
        values=",\n    ".join(values),
        flags=flags(marks),
    )
    connection.execute(sql, used(sql, readings(binding, zone)))
    return TypedTable(binding.table, binding, tuple(casts), bits(marks))


def unreadable_marks(casts: dict[str, Cast]) -> dict[str, str]:
    """Condition of each mark for values that cannot be read."""
    return {f"unreadable.{ours}": c.unreadable for ours, c in casts.items()}


def trimmed_marks(binding: Binding) -> dict[str, str]:
    """Condition of each mark for ids that lose the blanks around them."""
    kinds = TABLES[binding.table].columns
    return {
        f"trimmed.{ours}": f"{raw}::varchar <> trim({raw}::varchar, $blanks)"
        for ours, column in binding.columns.items()
        if kinds[ours].kind == "id" and column.is_text and (raw := identifier(column.name))
    }


def flags(marks: dict[str, str]) -> str:
    """Write the SQL of `row_flags`: one bit for each mark whose condition can hold."""
    terms = [
        f"case when {marks[what]} then {1 << bit} else 0 end" for what, bit in bits(marks).items()
    ]
    return " + ".join(terms) or "0"


def bits(marks: dict[str, str]) -> dict[str, int]:
    """Bit of each mark whose condition can hold."""
    possible = [what for what, condition in marks.items() if condition != "false"]
    return {what: bit for bit, what in enumerate(possible)}


def check_formats(connection: duckdb.DuckDBPyConnection, binding: Binding) -> list[Finding]:
    """Complain about a date format that the engine does not know."""
    import duckdb

    try:
        connection.execute("select try_strptime('', $format)", {"format": binding.format.date})
    except duckdb.Error as error:
        what = f"the date format {binding.format.date!r} is not in strptime notation"
        cure = "write one such as '%Y-%m-%d' or '%d.%m.%Y %H:%M'"
        problem = str(error).splitlines()[0]
        return [Finding(binding.table, "", "format", "error", what, 1, (problem,), cure)]
    return []
