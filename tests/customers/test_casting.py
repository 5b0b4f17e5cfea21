"""Values are read exactly as declared, or not at all."""

import datetime as dt
import zoneinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers.casting import cast_table, check_formats, number_pattern
from keycustomer.customers.lines import cast_lines
from keycustomer.customers.mapping import Binding, SourceColumn
from keycustomer.customers.specification import Format
from keycustomer.customers.statements import identifier

# A column of each kind in some table of the data model.
HOME = {
    "id": ("interactions", "customer_id"),
    "date": ("interactions", "date"),
    "amount": ("interactions", "cost"),
    "flag": ("interactions", "first_contact_resolution"),
    "text": ("interactions", "kind"),
    "number": ("contracts", "tenure"),
    "real": ("market", "price"),
}
BAD = object()


@pytest.fixture(scope="module")
def engine():
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as work")
    yield connection
    connection.close()


def stage_values(engine, columns: dict[str, str], rows: list[tuple]) -> None:
    """Put rows into a staged relation, values bound as text and cast to their type."""
    declared = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    engine.execute(f"create or replace table staged (source_row bigint, {declared})")
    places = ", ".join(["?", *(f"?::{kind}" for kind in columns.values())])
    numbered = [(n, *row) for n, row in enumerate(rows, 1)]
    engine.executemany(f"insert into staged values ({places})", numbered)


def read(
    engine,
    kind: str,
    values: list[Any],
    *,
    type: str = "VARCHAR",
    zone: str = "UTC",
    timestamps_in: str | None = None,
    trim_ids: bool = False,
    **form: str,
) -> list[Any]:
    """Cast values; BAD stands for what cannot be read."""
    stage_values(engine, {"x": type}, [(value,) for value in values])
    table, ours = HOME[kind]
    columns = {ours: SourceColumn("x", engine.execute("describe staged").fetchall()[1][1])}
    binding = Binding(table, "staged", "test", columns, {}, Format(**form), timestamps_in)
    engine.execute(f"drop table if exists work.{table}")
    typed = cast_table(engine, binding, zone, trim_ids=trim_ids)
    marked = typed.marked(f"unreadable.{ours}")
    sql = f"select {identifier(ours)}, {marked} from work.{table} order by source_row"
    return [BAD if bad else value for value, bad in engine.execute(sql).fetchall()]


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1.234,5", ",", ".", Decimal("1234.5")),
        ("1234,5", ",", ".", Decimal("1234.5")),
        ("-1.234.567,0001", ",", ".", Decimal("-1234567.0001")),
        ("1.23.4", ",", ".", BAD),
        ("1.23", ",", ".", BAD),
        ("12.34", ",", ".", BAD),
        (".123", ",", ".", BAD),
        ("1.234.56", ",", ".", BAD),
        ("1,234.5", ".", ",", Decimal("1234.5")),
        ("1,5", ".", ",", BAD),
        ("1,5", ".", "", BAD),
        ("12.50", ".", "", Decimal("12.5")),
        ("+3.", ".", "", Decimal(3)),
        (".5", ".", "", Decimal("0.5")),
        ("  12.5\t", ".", "", Decimal("12.5")),
        ("\u00a012.5\u3000", ".", "", Decimal("12.5")),
        ("1 234,5", ",", " ", Decimal("1234.5")),
        ("1\u202f234,5", ",", " ", Decimal("1234.5")),
        ("1\u2019234.50", ".", "'", Decimal("1234.5")),
        ("1_000", ".", "", BAD),
        ("1e3", ".", "", BAD),
        ("NaN", ".", "", BAD),
        ("inf", ".", "", BAD),
        ("(12.00)", ".", "", BAD),
        ("12-", ".", "", BAD),
        ("€ 12", ".", "", BAD),
        ("0x1F", ".", "", BAD),
        ("-", ".", "", BAD),
        (".", ".", "", BAD),
        ("99999999999999.9999", ".", "", Decimal("99999999999999.9999")),
        ("100000000000000", ".", "", BAD),
        ("", ".", "", None),
        ("   ", ".", "", None),
        ("\u00a0", ".", "", None),
        (None, ".", "", None),
    ],
)
def test_a_number_is_read_by_its_declared_marks(engine, text, decimal, thousands, value):
    assert read(engine, "amount", [text], decimal=decimal, thousands=thousands) == [value]


AMOUNTS = st.decimals(-(10**9), 10**9, places=4, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(AMOUNTS, min_size=1, max_size=30),
    st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'"), (".", "_"), (",", "")]),
)
def test_a_written_amount_comes_back_exactly(engine, amounts, marks):
    decimal, thousands = marks
    swap = str.maketrans({",": thousands or None, ".": decimal})
    written = [f"{amount:,.4f}".translate(swap) for amount in amounts]
    assert read(engine, "amount", written, decimal=decimal, thousands=thousands) == amounts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(-(10**9), 10**9, places=7, allow_nan=False), min_size=1, max_size=20))
def test_further_decimals_are_rounded_half_away_from_zero(engine, amounts):
    expected = [a.quantize(Decimal("0.0001"), ROUND_HALF_UP) for a in amounts]
    assert read(engine, "amount", [f"{a:f}" for a in amounts]) == expected
    assert read(engine, "amount", amounts, type="DECIMAL(18,7)") == expected


@pytest.mark.parametrize(
    ("type", "given_value", "value"),
    [
        ("DOUBLE", 11.77, Decimal("11.77")),
        ("DOUBLE", 0.1 + 0.2, Decimal("0.3")),
        ("DOUBLE", 1.00005, Decimal("1.0001")),
        ("DOUBLE", -0.12345, Decimal("-0.1235")),
        ("DOUBLE", float("nan"), None),
        ("DOUBLE", float("inf"), BAD),
        ("DOUBLE", 1e15, BAD),
        ("FLOAT", 11.77, Decimal("11.77")),
        ("BIGINT", 7, Decimal(7)),
        ("BIGINT", 10**15, BAD),
        ("DECIMAL(38,20)", Decimal("1.00005"), Decimal("1.0001")),
        ("UTINYINT", None, None),
    ],
)
def test_typed_numbers_keep_the_decimals_that_were_written(engine, type, given_value, value):
    assert read(engine, "amount", [given_value], type=type) == [value]


@pytest.mark.parametrize("text", ["007", "7", " 7", "A-1", "7.0", "1e5", "未知", "'; drop table x"])
def test_an_id_is_kept_exactly_as_text(engine, text):
    assert read(engine, "id", [text]) == [text]


def test_a_real_number_keeps_all_its_digits(engine):
    texts = ["0.00105112", "1,234.5", "1e-3", "x", "999999999999"]
    read_back = [0.00105112, 1234.5, BAD, BAD, 999999999999.0]
    assert read(engine, "real", texts, thousands=",") == read_back
    values = [0.001051, 1e-9, float("inf"), float("nan"), -2.5]
    assert read(engine, "real", values, type="DOUBLE") == [0.001051, 1e-9, BAD, None, -2.5]


def test_ids_of_whole_numbers_become_their_digits(engine):
    assert read(engine, "id", [9007199254740993, None], type="BIGINT") == ["9007199254740993", None]
    assert read(engine, "id", [7], type="DECIMAL(18,0)") == ["7"]


def test_blank_ids_are_missing_and_trimming_is_a_choice(engine):
    written = ["", " ", "\u3000", " 7 ", "\u00a07"]
    assert read(engine, "id", written) == [None, None, None, " 7 ", "\u00a07"]
    assert read(engine, "id", written, trim_ids=True) == [None, None, None, "7", "7"]


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("2017-02-28", "%Y-%m-%d", dt.date(2017, 2, 28)),
        (" 2017-02-28\u00a0", "%Y-%m-%d", dt.date(2017, 2, 28)),
        ("2017-02-29", "%Y-%m-%d", BAD),
        ("2016-02-29", "%Y-%m-%d", dt.date(2016, 2, 29)),
        ("28.02.2017", "%d.%m.%Y", dt.date(2017, 2, 28)),
        ("02/28/2017", "%d/%m/%Y", BAD),
        ("2017-02-28 10:00", "%Y-%m-%d", BAD),
        ("17-02-28", "%Y-%m-%d", BAD),
        ("9999-12-31", "%Y-%m-%d", dt.date(9999, 12, 31)),
        ("42794", "%Y-%m-%d", BAD),
        ("n/a", "%Y-%m-%d", BAD),
        ("", "%Y-%m-%d", None),
    ],
)
def test_a_date_is_read_by_its_declared_format(engine, text, form, value):
    assert read(engine, "date", [text], date=form) == [value]


def test_dates_written_as_whole_numbers_follow_the_format_too(engine):
    assert read(engine, "date", [19970101, 19971301], type="INTEGER", date="%Y%m%d") == [
        dt.date(1997, 1, 1),
        BAD,
    ]


STAMP = "%Y-%m-%d %H:%M:%S"
STAMPED = ["VARCHAR", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"]


@pytest.mark.parametrize(
    ("stamp", "zone", "day"),
    [
        # The grocery's year ends at 04:01 UTC of the next.
        ("2018-01-01 04:01:00", "America/New_York", "2017-12-31"),
        ("2018-01-01 05:00:00", "America/New_York", "2018-01-01"),
        # Half past four in the morning UTC is still yesterday in winter, today in summer.
        ("2017-01-02 04:30:00", "America/New_York", "2017-01-01"),
        ("2017-07-02 04:30:00", "America/New_York", "2017-07-02"),
        # The clock goes forward at 07:00 UTC of March 12: an hour later midnight comes earlier.
        ("2017-03-12 04:59:59", "America/New_York", "2017-03-11"),
        ("2017-03-13 04:00:00", "America/New_York", "2017-03-13"),
        ("2017-03-31 22:30:00", "Europe/Berlin", "2017-04-01"),
        ("2017-06-30 16:00:00", "Asia/Shanghai", "2017-07-01"),
    ],
)
@pytest.mark.parametrize("type", STAMPED)
def test_a_time_stamp_becomes_the_calendar_day_of_the_case(engine, stamp, zone, day, type):
    written = stamp + "+00:00" if type == "TIMESTAMP WITH TIME ZONE" else stamp
    days = read(engine, "date", [written], type=type, zone=zone, timestamps_in="UTC", date=STAMP)
    assert days == [dt.date.fromisoformat(day)]


def test_time_stamps_without_a_zone_are_local_already(engine):
    assert read(
        engine, "date", ["2018-01-01 00:30:00"], type="TIMESTAMP", zone="America/New_York"
    ) == [dt.date(2018, 1, 1)]


def test_a_zone_written_with_the_stamp_counts(engine):
    written = ["2018-01-01 00:30:00+0200", "2018-01-01 00:30:00-0800"]
    days = read(engine, "date", written, zone="UTC", date="%Y-%m-%d %H:%M:%S%z")
    assert days == [dt.date(2017, 12, 31), dt.date(2018, 1, 1)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1)), min_size=1, max_size=20
    ),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_calendar_days_agree_with_the_standard_library(engine, stamps, zone):
    days = read(engine, "date", stamps, type="TIMESTAMP", zone=zone, timestamps_in="UTC")
    local = zoneinfo.ZoneInfo(zone)
    assert days == [s.replace(tzinfo=dt.UTC).astimezone(local).date() for s in stamps]


def test_flags_are_read_from_words_and_digits(engine):
    words = ["true", "F", " yes", "No", "1", "0", "perhaps", "", None]
    assert read(engine, "flag", words) == [True, False, True, False, True, False, BAD, None, None]
    assert read(engine, "flag", [1, 0, 2], type="INTEGER") == [True, False, BAD]
    assert read(engine, "flag", [True, None], type="BOOLEAN") == [True, None]


def test_text_is_kept_as_written_and_blank_text_is_missing(engine):
    assert read(engine, "text", [" a ", "", "\t"]) == [" a ", None, None]
    assert read(engine, "text", [3.5], type="DOUBLE") == ["3.5"]


def test_an_unknown_date_format_is_a_finding(engine):
    form = Format(date="%Q")
    binding = Binding("transactions", "staged", "test", {}, {}, form, None)
    (found,) = check_formats(engine, binding)
    assert found.what == "the date format '%Q' is not in strptime notation"
    fine = Binding("transactions", "staged", "test", {}, {}, Format(), None)
    assert check_formats(engine, fine) == []


def test_the_number_pattern_is_plain_where_no_thousands_are_declared():
    assert number_pattern(".", "") == r"[+-]?(\d+(\.\d*)?|\.\d+)"


def money(engine, **columns: str) -> dict[str, Any]:
    """Cast one order line and give its amounts and marks."""
    names = dict.fromkeys(columns, "VARCHAR")
    stage_values(engine, names, [tuple(columns.values())])
    bound = {ours: SourceColumn(ours, "VARCHAR") for ours in columns}
    binding = Binding("transactions", "staged", "test", bound, {}, Format(), None)
    engine.execute("drop table if exists work.transactions")
    typed = cast_lines(engine, binding, "UTC", "EUR")
    wanted = "quantity, revenue, discount, cost, row_flags"
    *values, bits = engine.execute(f"select {wanted} from work.transactions").fetchone()
    marks = {what for what, bit in typed.bits.items() if bits >> bit & 1}
    return dict(zip(("quantity", "revenue", "discount", "cost"), values, strict=True)) | {
        "marks": marks
    }


@pytest.mark.parametrize(
    ("line", "revenue", "discount", "cost"),
    [
        ({"amount": "10"}, "10", None, None),
        ({"price": "2.5", "quantity": "4"}, "10", None, None),
        ({"amount": "", "price": "2.5", "quantity": "4"}, "10", None, None),
        ({"amount": "10", "list_amount": "12"}, "10", "2", None),
        ({"amount": "10", "list_price": "3", "quantity": "4"}, "10", "2", None),
        ({"amount": "10", "discount": "2"}, "10", "2", None),
        ({"amount": "10", "list_amount": ""}, "10", None, None),
        ({"price": "2.5", "quantity": "4", "unit_cost": "2"}, "10", None, "8"),
        ({"amount": "10", "cost": "7"}, "10", None, "7"),
        ({"amount": "-10", "quantity": "-4", "list_price": "3"}, "-10", "-2", None),
        ({"amount": "-10", "quantity": "-1", "discount": "2"}, "-10", "-2", None),
        # Multiplied before rounding: .33335 x 3 is 1.00005, not .3334 x 3.
        ({"price": "0.33335", "quantity": "3"}, "1.0001", None, None),
        ({"price": "-0.33335", "quantity": "3"}, "-1.0001", None, None),
        ({"price": "2", "quantity": "0.00005"}, "0.0001", None, None),
    ],
)
def test_a_line_is_brought_to_revenue_discount_and_cost(engine, line, revenue, discount, cost):
    found = money(engine, **line)
    expected = [None if v is None else Decimal(v) for v in (revenue, discount, cost)]
    assert [found["revenue"], found["discount"], found["cost"]] == expected
    assert not {m for m in found["marks"] if not m.startswith(("rounded", "negative_price"))}


def test_quantity_is_one_where_it_is_not_mapped(engine):
    assert money(engine, amount="5")["quantity"] == 1


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ({"amount": "10", "price": "3", "quantity": "4"}, "contradiction.amount"),
        (
            {"amount": "9", "list_amount": "10", "list_price": "3", "quantity": "4"},
            "contradiction.list_amount",
        ),
        ({"amount": "9", "cost": "1", "unit_cost": "3", "quantity": "4"}, "contradiction.cost"),
        ({"amount": "9", "list_amount": "10", "discount": "2"}, "contradiction.discount"),
        ({"amount": "11", "list_amount": "10"}, "above_list"),
        ({"amount": "11", "discount": "-1"}, "above_list"),
        ({"amount": "1.00001"}, "rounded.amount"),
        ({"price": "-1", "quantity": "1"}, "negative_price"),
        ({"amount": "1", "currency": "USD"}, "currency"),
        ({"amount": "1", "currency": ""}, "currency"),
        ({"price": "99999999999999", "quantity": "99999999999999"}, "unreadable.too_large"),
        ({"price": "99999999", "quantity": "99999999"}, "unreadable.too_large"),
    ],
)
def test_a_line_that_contradicts_itself_is_marked(engine, line, mark):
    assert money(engine, **line)["marks"] == {mark}


def test_the_case_currency_may_be_written_in_any_case(engine):
    assert money(engine, amount="1", currency=" eur ")["marks"] == set()


def test_prices_rounded_to_cents_do_not_contradict_the_amount(engine):
    assert money(engine, amount="10", price="3.33", quantity="3")["marks"] == set()


def test_a_purchase_above_list_counts_as_bought_without_discount(engine):
    assert money(engine, amount="11", list_amount="10")["discount"] == 0


PRICES = st.decimals(0, 10**5, places=8, allow_nan=False)
QUANTITIES = st.decimals(-(10**4), 10**4, places=6, allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(PRICES, QUANTITIES), min_size=1, max_size=20))
def test_price_times_quantity_is_exact_before_it_is_rounded(engine, pairs):
    rows = [(f"{p:f}", f"{q:f}") for p, q in pairs]
    stage_values(engine, {"price": "VARCHAR", "quantity": "VARCHAR"}, rows)
    bound = {ours: SourceColumn(ours, "VARCHAR") for ours in ("price", "quantity")}
    binding = Binding("transactions", "staged", "test", bound, {}, Format(), None)
    engine.execute("drop table if exists work.transactions")
    cast_lines(engine, binding, "UTC", "EUR")
    sql = "select revenue from work.transactions order by source_row"
    found = [row[0] for row in engine.execute(sql).fetchall()]
    # The built-in context keeps 28 digits, enough for both factors.
    assert found == [(p * q).quantize(Decimal("0.0001"), ROUND_HALF_UP) for p, q in pairs]
