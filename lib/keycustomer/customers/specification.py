"""What a case file says about its data: sources, column names, formats, rules and assumptions.

`BaseSpecification` is the whole; `TableSpecification` describes one table's source, `Format` how
text is to be read, `RuleSpecification` what is done with lines a check has found, `Economics` the
assumptions behind profit. The models are strict: an unknown key is an error.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from keycustomer.customers.schema import TABLES

SOURCE_KINDS = ("shipped", "simulated", "csv", "parquet", "excel", "duckdb", "sql")

Action = Literal["drop", "keep", "net", "trim", "error"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Format(Strict):
    """How the text of a source is written.

    Attributes
    ----------
    delimiter : str
        Separator of a CSV file, one character; `auto` takes it from the header line.
    encoding : str or None
        Encoding of a CSV file; None detects UTF-8 (with or without byte-order mark), GB18030 and
        Latin-1, and refuses what is ambiguous.
    decimal, thousands : str
        Decimal mark and thousands separator of numbers written as text.
    date : str
        Format of dates written as text, in `strptime` notation.
    timestamps_in : str or None
        Time zone of time stamps that carry none; None takes them as local already.
    header : bool
        Whether the first line holds the column names; without, columns are `column1`, ...
    """

    delimiter: str = ","
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'", "_"] = ""
    date: str = "%Y-%m-%d"
    quote: str = '"'
    timestamps_in: str | None = None
    header: bool = True

    @field_validator("delimiter", "quote")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value == "tab":
            return "\t"
        if value != "auto" and len(value) != 1:
            raise ValueError(f"must be one character, 'tab' or 'auto', got {value!r}")
        return value

    @field_validator("timestamps_in")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return value if value is None else _time_zone(value)

    @model_validator(mode="after")
    def _distinct_marks(self) -> Format:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; name two marks")
        return self


class TableSpecification(Strict):
    """Where one table comes from and how its columns are called there.

    Attributes
    ----------
    shipped, simulated, csv, parquet, excel, duckdb, sql : str or None
        Exactly one: a shipped set's name, a simulated company's name, a path (a file; for Parquet
        also a folder or glob), or an SQLAlchemy URL whose secrets stand as `${NAME}` and come from
        the environment.
    sheet : str or None
        Sheet of an Excel file.
    table, query : str or None
        Table or query of a DuckDB file or a database, exactly one of them.
    columns : dict of str to str
        Our column name to the source's; a column of our name needs no entry.
    attributes : dict of str to list of str
        Further columns to keep as text, by kind (demographic, geographic, ...).
    format : Format
        How text is written.
    """

    shipped: str | None = None
    simulated: str | None = None
    csv: str | None = None
    parquet: str | None = None
    excel: str | None = None
    duckdb: str | None = None
    sql: str | None = Field(default=None, repr=False)
    sheet: str | None = None
    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, list[str]] = Field(default_factory=dict)
    format: Format = Field(default_factory=Format)

    @property
    def kind(self) -> str:
        """Which of `SOURCE_KINDS` the source is."""
        return next(kind for kind in SOURCE_KINDS if getattr(self, kind) is not None)

    @property
    def location(self) -> str:
        """The source's name, path or URL as written in the case file."""
        return str(getattr(self, self.kind))

    @model_validator(mode="after")
    def _one_source(self) -> TableSpecification:
        given = [kind for kind in SOURCE_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"name exactly one source of {', '.join(SOURCE_KINDS)}; got {given or 'none'}"
            )
        if given[0] in ("duckdb", "sql") and (self.table is None) == (self.query is None):
            raise ValueError(f"a {given[0]} source needs either `table` or `query`")
        if given[0] not in ("duckdb", "sql") and (self.table or self.query):
            raise ValueError(f"`table` and `query` do not belong to a {given[0]} source")
        if self.sheet is not None and given[0] != "excel":
            raise ValueError("`sheet` belongs to an excel source")
        return self


class RuleSpecification(Strict):
    """What is done with the lines that a named check has found.

    Attributes
    ----------
    action : {"drop", "keep", "net", "trim", "error"}
        Which of these a rule allows is told by the rule itself.
    above : float or None
        Threshold, for rules that have one.
    """

    action: Action
    above: float | None = None


class Window(Strict):
    """The days the data cover, both inclusive; a missing end is the last day seen."""

    start: dt.date | None = None
    end: dt.date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} lies after end {self.end}")
        return self


class Economics(Strict):
    """Assumptions behind profit, used where the data record no cost.

    Attributes
    ----------
    margin : float or None
        Assumed gross margin as a share of list value, 0..1: cost = (1 - margin) x list value, so
        that a discount comes out of the margin. None: no assumption.
    cost_per_order : float
        Assumed cost of handling one order, currency.
    """

    margin: Share | None = None
    cost_per_order: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Simulation(Strict):
    """Size and seed of the company that simulated tables come from.

    Attributes
    ----------
    accounts : int
        Business customers.
    months : int
        Months observed.
    seed : int
        Seed of all its random numbers: another seed is another company.
    """

    accounts: Annotated[int, Field(ge=50, le=1_000_000)] = 2000
    months: Annotated[int, Field(ge=12, le=120)] = 36
    seed: Annotated[int, Field(ge=0)] = 1


class BaseSpecification(Strict):
    """A customer base as a case file describes it.

    Attributes
    ----------
    title, data : str
        Title of the case; one or two sentences on what the data are, printed on every report.
    simulated : bool
        Whether the data are made up; every page made from them says so.
    identifiable : bool
        Whether reports may name customers by their own ids and names.
    currency, time_zone : str
        The one currency of all amounts (none where there are no amounts); the time zone whose
        calendar days are used.
    simulation : Simulation or None
        The company that simulated tables come from.
    """

    title: str
    data: str = ""
    simulated: bool = False
    identifiable: bool = False
    currency: str
    time_zone: str = "UTC"
    observed: Window = Field(default_factory=Window)
    economics: Economics = Field(default_factory=Economics)
    simulation: Simulation | None = None
    tables: dict[str, TableSpecification]
    rules: dict[str, RuleSpecification] = Field(default_factory=dict)

    @field_validator("rules", mode="before")
    @classmethod
    def _bare_actions(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: {"action": v} if isinstance(v, str) else v for k, v in value.items()}

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _time_zone(value)

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, value: dict[str, TableSpecification]) -> dict[str, TableSpecification]:
        unknown = [name for name in value if name not in TABLES]
        if unknown:
            raise ValueError(f"no such table {unknown}; the data model has {', '.join(TABLES)}")
        for name, table in value.items():
            _check_columns(name, table)
        return value

    @model_validator(mode="after")
    def _simulated_as_such(self) -> BaseSpecification:
        made_up = [name for name, table in self.tables.items() if table.kind == "simulated"]
        if made_up and not self.simulated:
            raise ValueError(f"table {made_up[0]} is simulated; write `simulated: true`")
        if made_up and self.simulation is None:
            raise ValueError(
                f"table {made_up[0]} is simulated; say which company, as in "
                "`simulation: {accounts: 2000, months: 36, seed: 1}`"
            )
        if self.simulation and not made_up:
            raise ValueError(
                "`simulation` is given, but no table is simulated; write, for example, "
                "`transactions: {simulated: telecom}`"
            )
        return self


def _check_columns(name: str, table: TableSpecification) -> None:
    known = TABLES[name]
    unknown = [ours for ours in table.columns if ours not in known.columns]
    if unknown:
        raise ValueError(
            f"table {name}: no such column {unknown} on our side of `columns`; "
            f"it has {', '.join(known.columns)}"
        )
    if table.attributes and not known.attributes:
        raise ValueError(f"table {name} keeps no `attributes`")


def _time_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError(f"no time zone {value!r}; write one such as 'Europe/Berlin' or 'UTC'")
    return value
