"""From a source's columns to typed ones, by the declared formats; nothing is guessed.

`cast` gives the SQL of one value: NULL where the source is blank or cannot be read as declared; the
two are told apart by `unreadable`. Values enter the statements as parameters (`readings` gives
them), names through `identifier`.

Amounts are read exactly. `fine` keeps more decimals than the four that are stored, so that unit
price x quantity is multiplied first and rounded (half away from zero) after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keycustomer.customers.errors import Finding
from keycustomer.customers.mapping import RAW, Binding, SourceColumn
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
_FINE = "decimal(28,12)"
# Earlier dates are slips: a two-digit year read as four digits is the year 17. Contracts without
# an end are often written as ending in 9999.
_FIRST_DAY, _LAST_DAY = "date '1800-01-01'", "date '9999-12-31'"
_TIME_OF_DAY = re.compile(r"%-?[HIMSfncXT]")


@dataclass(frozen=True)
class Cast:
    """Write the SQL of one column.

    Attributes
    ----------
    value : str
        The typed value.
    fine : str
        For amounts and numbers the value before rounding to four decimals.
    """

    value: str
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


def bound(
    connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object]
) -> dict[str, object]:
    """Those of the values that a statement has a parameter for; the engine refuses others."""
    (parsed,) = connection.extract_statements(sql)
    return {name: values[name] for name in sorted(parsed.named_parameters)}


def cast(kind: Kind, column: SourceColumn, binding: Binding, *, trim_ids: bool = False) -> Cast:
    """Write the SQL that turns a source column into a typed value of the given kind."""
    raw = identifier(column.name)
    if kind in ("id", "text"):
        if not column.is_text:
            return Cast(f"{raw}::varchar")
        return Cast(_trimmed(raw) if kind == "id" and trim_ids else _unless_blank(raw))
    if kind == "date":
        return Cast(_calendar_day(raw, column, binding))
    if kind == "flag":
        return Cast(raw if column.type == "BOOLEAN" else _flag(raw))
    return _real(raw, column, binding) if kind == "real" else _number(raw, column, binding)


# Removing every blank of BLANKS costs more than all the rest of reading. A text that begins with a
# printable ASCII character is not blank, which one comparison of bytes tells.
def _unless_blank(raw: str) -> str:
    plain = f"{raw}::varchar >= '!' and {raw}::varchar < '~~'"
    return f"case when {plain} or trim({raw}::varchar, $blanks) <> '' then {raw}::varchar end"


def _trimmed(raw: str) -> str:
    return f"nullif(trim({raw}::varchar, $blanks), '')"


def _calendar_day(raw: str, column: SourceColumn, binding: Binding) -> str:
    if column.type == "DATE":
        return raw
    if column.type == "TIMESTAMP WITH TIME ZONE":
        return f"({raw} at time zone $zone)::date"
    if column.type.startswith("TIMESTAMP"):
        return _local_day(f"{raw}::timestamp", binding)
    text = f"{raw}::varchar"
    moment = f"try_strptime({text}, $date_format)"
    if column.is_text:
        moment = f"coalesce({moment}, try_strptime(trim({text}, $blanks), $date_format))"
    if "%z" in binding.format.date:
        return f"({moment} at time zone $zone)::date"
    if _TIME_OF_DAY.search(binding.format.date):
        return _local_day(moment, binding)
    return f"{moment}::date"


def _local_day(moment: str, binding: Binding) -> str:
    if binding.timestamps_in:
        return f"({moment} at time zone $timestamps_in at time zone $zone)::date"
    return f"({moment})::date"


def _flag(raw: str) -> str:
    word = f"lower(trim({raw}::varchar, $blanks))"
    return (
        f"case when {word} in ('true', 't', 'yes', 'y', '1') then true "
        f"when {word} in ('false', 'f', 'no', 'n', '0') then false end"
    )


def _number(raw: str, column: SourceColumn, binding: Binding) -> Cast:
    if column.is_text:
        return Cast(_text_number(raw, AMOUNT, binding), _text_number(raw, _FINE, binding))
    fine = _fine_number(raw, column.type)
    exact = f"try_cast({raw} as {AMOUNT})"
    if column.type not in ("FLOAT", "DOUBLE"):
        return Cast(exact, fine)
    # Ties are decided by the decimals that were written, not by the nearest binary fraction.
    return Cast(
        f"case when {exact} = {fine} then {exact} else try_cast({fine} as {AMOUNT}) end", fine
    )


def _real(raw: str, column: SourceColumn, binding: Binding) -> Cast:
    """Keep all digits; what is no finite number cannot be read."""
    real = SQL_TYPES["real"]
    read = _text_number(raw, real, binding) if column.is_text else f"try_cast({raw} as {real})"
    return Cast(f"case when isfinite({read}) then {read} end")


def _text_number(raw: str, kind: str, binding: Binding) -> str:
    """Read text as it stands, else without the blanks around it, which is slower."""
    text, trimmed = f"{raw}::varchar", f"trim({raw}::varchar, $blanks)"
    return (
        f"case when regexp_full_match({text}, $number_pattern) "
        f"then try_cast({_plain_number(text, binding)} as {kind}) "
        f"when regexp_full_match({trimmed}, $number_pattern) "
        f"then try_cast({_plain_number(trimmed, binding)} as {kind}) end"
    )


def _plain_number(text: str, binding: Binding) -> str:
    plain = f"translate({text}, $thousands, '')" if binding.format.thousands else text
    return plain if binding.format.decimal == "." else f"replace({plain}, $decimal, '.')"


def _fine_number(raw: str, kind: str) -> str:
    if kind == "FLOAT":
        # By way of text: the shortest text of a 4-byte 11.77 is 11.77, its 8-byte value is not.
        return f"try_cast({raw}::varchar as decimal(28,10))"
    if kind == "DOUBLE":
        return f"try_cast({raw} as decimal(28,10))"
    scale = re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind)
    if scale is None:
        return f"try_cast({raw} as decimal(20,0))"
    return raw if int(scale[1]) <= 12 else f"try_cast({raw} as {_FINE})"


def raw_name(ours: str) -> str:
    """Name under which a step carries the source's value of one of our columns along."""
    return identifier(f"{RAW}{ours}")


def unreadable(typed: str, ours: str, column: SourceColumn) -> str:
    """Condition: the source has something, and the typed column has nothing.

    Parameters
    ----------
    typed : str
        SQL of the typed value.
    ours : str
        Our name of the column, whose source value stands under `raw_name`.
    column : SourceColumn
        The source column.
    """
    raw = raw_name(ours)
    if column.is_text:
        return f"case when {typed} is null then coalesce(trim({raw}, $blanks), '') <> '' end"
    number = f" and not isnan({raw})" if column.type in ("FLOAT", "DOUBLE") else ""
    return f"{typed} is null and {raw} is not null{number}"


def plausible_days(columns: list[str]) -> str:
    """Write the SQL that removes days outside any plausible year from date columns."""
    parts = [
        f"case when {name} between {_FIRST_DAY} and {_LAST_DAY} then {name} end as {name}"
        for name in map(identifier, columns)
    ]
    return f"replace ({', '.join(parts)})" if parts else ""


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
    kinds = {ours: TABLES[binding.table].columns[ours].kind for ours in binding.columns}
    casts = {
        ours: cast(kinds[ours], column, binding, trim_ids=trim_ids)
        for ours, column in binding.columns.items()
    }
    texts = {name: cast("text", column, binding) for name, column in binding.attributes.items()}
    marks = {
        f"unreadable.{ours}": unreadable(identifier(ours), ours, binding.columns[ours])
        for ours, kind in kinds.items()
        if kind not in ("id", "text")
    }
    marks |= trimmed_marks(binding) if trim_ids else {}
    sql = statement(
        "typed_table",
        table=identifier(binding.table),
        relation=identifier(binding.relation),
        values=listed({identifier(name): c.value for name, c in (casts | texts).items()}),
        raw=listed(raw_values(binding)),
        names=", ".join(map(identifier, casts | texts)),
        days=plausible_days([ours for ours, kind in kinds.items() if kind == "date"]),
        flags=flags(marks),
    )
    connection.execute(sql, bound(connection, sql, readings(binding, zone)))
    return TypedTable(binding.table, binding, tuple(casts), bits(marks))


def listed(values: dict[str, str]) -> str:
    """Write a select list: SQL of each value by its quoted name."""
    return ",\n        ".join(f"{value} as {name}" for name, value in values.items())


def raw_values(binding: Binding) -> dict[str, str]:
    """Values of the source, text as text, under the names of `raw_name`."""
    return {
        raw_name(ours): identifier(column.name) + ("::varchar" if column.is_text else "")
        for ours, column in binding.columns.items()
    } or {raw_name(""): "null"}


def trimmed_marks(binding: Binding) -> dict[str, str]:
    """Condition of each mark for ids that lose the blanks around them."""
    kinds = TABLES[binding.table].columns
    return {
        f"trimmed.{ours}": f"{raw_name(ours)} <> {identifier(ours)}"
        for ours, column in binding.columns.items()
        if kinds[ours].kind == "id" and column.is_text
    }


def flags(marks: dict[str, str]) -> str:
    """Write the SQL of `row_flags`: one bit for each mark whose condition can hold."""
    terms = [
        f"case when {marks[what]} then {1 << bit} else 0 end" for what, bit in bits(marks).items()
    ]
    return " + ".join(terms) or "0"


def bits(marks: dict[str, str]) -> dict[str, int]:
    """Bit of each mark."""
    return {what: bit for bit, what in enumerate(marks)}


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
