"""Every kind of bad input is reported, with its exact message."""

# ruff: noqa: E501  (messages stand here as they are printed)

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer.customers import checks
from keycustomer.customers.errors import CheckReport, DataError, Finding, printable
from keycustomer.customers.prepare import prepare_base
from raw_tables import LINES, case, check, finding

GOOD = "c1,o1,2024-01-05,p1,2,10\n"

CASES = {
    "dates in another format, and days that do not exist": (
        {"transactions": LINES + GOOD + "c1,o2,05.01.2024,p1,2,10\nc2,o3,2024-02-30,p1,1,5\n"},
        """
error: transactions.date (column 'date' of CSV file transactions.csv): 2 rows cannot be read as dates from 1800 on written '%Y-%m-%d' [unreadable_value]
    row 2: date '05.01.2024'
    row 3: date '2024-02-30'
  cure: declare the format, as in `format: {date: '%d.%m.%Y'}`; or mend the rows, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "a decimal comma where a point is declared": (
        {"transactions": LINES + GOOD + 'c1,o2,2024-01-06,p1,2,"10,5"\n'},
        """
error: transactions.amount (column 'amount' of CSV file transactions.csv): 1 row cannot be read as amounts with decimal mark '.' [unreadable_value]
    row 2: amount '10,5'
  cure: declare the marks, as in `format: {decimal: ',', thousands: '.'}`; or mend the rows, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "words for numbers": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,two,10\n"},
        """
error: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row cannot be read as numbers with decimal mark '.' [unreadable_value]
    row 2: quantity 'two'
  cure: declare the marks, as in `format: {decimal: ',', thousands: '.'}`; or mend the rows, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "orders without customer": (
        {"transactions": LINES + GOOD + ",o2,2024-01-06,p1,2,10\n ,o2,2024-01-06,p1,2,10\n"},
        """
error: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 2 rows without customer_id [missing_customer]
    row 2
    row 3
  cure: complete them in the source, or drop them with `rules: {missing_customer: drop}`
""",
    ),
    "lines without a date": (
        {"transactions": LINES + GOOD + "c1,o2,,p1,2,10\n"},
        """
error: transactions.date (column 'date' of CSV file transactions.csv): 1 row without date [unreadable_value]
    row 2
  cure: complete them in the source, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "lines without a quantity": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,,10\n"},
        """
error: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row without quantity [unreadable_value]
    row 2
  cure: complete them in the source, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "lines without an amount": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,2,\n"},
        """
error: transactions.amount (column 'amount' of CSV file transactions.csv): 1 row without amount or price [unreadable_value]
    row 2
  cure: complete them in the source, or drop them with `rules: {unreadable_value: drop}`
""",
    ),
    "days outside the window": (
        {
            "transactions": LINES + GOOD + "c1,o2,2023-01-06,p1,2,10\n",
            "observed": {"start": "2024-01-01", "end": "2024-12-31"},
        },
        """
note: transactions.date (column 'date' of CSV file transactions.csv): 1 row outside the observed days, from 2024-01-01 to 2024-12-31 [outside_window]
    row 2: date 2023-01-06
  cure: dropped, as the case file says
""",
    ),
    "returns": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,-2,-10\n"},
        """
error: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of negative quantity or amount (returns) [returns]
    row 2: quantity -2, revenue -10
  cure: choose `rules: {returns: net}` (subtract from the purchase), drop or keep
""",
    ),
    "signs that disagree": (
        {
            "transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,-2,10\n",
            "rules": {"returns": "keep"},
        },
        """
warning: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row whose quantity and amount have different signs [contradiction]
    row 2: quantity -2, revenue 10
  cure: write returns with negative quantity and negative amount

note: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of negative quantity or amount (returns) [returns]
    row 2: quantity -2, revenue 10
  cure: kept, as the case file says
""",
    ),
    "quantity zero": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,0,10\n"},
        """
warning: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of quantity 0 [zero_quantity]
    row 2: quantity 0, revenue 10
  cure: kept by default; choose `rules: {zero_quantity: drop}`, keep or error
""",
    ),
    "price zero": (
        {"transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,1,0\n"},
        """
warning: transactions.amount (column 'amount' of CSV file transactions.csv): 1 row for which nothing was paid [zero_price]
    row 2: quantity 1, revenue 0
  cure: kept by default; choose `rules: {zero_price: drop}`, keep or error
""",
    ),
    "negative prices": (
        {
            "transactions": "customer_id,date,price,quantity\n"
            "c1,2024-01-05,-5,2\nc1,2024-01-06,9,2\n",
            "rules": {"returns": "keep"},
        },
        """
warning: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row whose quantity and amount have different signs [contradiction]
    row 1: quantity 2, revenue -10
  cure: write returns with negative quantity and negative amount

warning: transactions.price (column 'price' of CSV file transactions.csv): 1 row of negative unit price [negative_price]
    row 1: quantity '2', price '-5'
  cure: write a return as a negative quantity at the positive price

note: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of negative quantity or amount (returns) [returns]
    row 1: quantity 2, revenue -10
  cure: kept, as the case file says
""",
    ),
    "a line twice": (
        {"transactions": LINES + GOOD + "c1,o1,2024-01-05,p1,2,10\n"},
        """
error: transactions (CSV file transactions.csv): 1 row repeating an earlier row in every column [duplicate_line]
    row 2 repeats row 1
  cure: choose `rules: {duplicate_line: drop}` (a slip of the export) or keep (bought twice)
""",
    ),
    "an order of two customers": (
        {"transactions": LINES + GOOD + "c2,o1,2024-01-05,p1,2,10\nc2,o1,2024-01-09,p1,2,10\n"},
        """
error: transactions.order_id (column 'order_id' of CSV file transactions.csv): 1 order with several customers or days [duplicate_order]
    order 'o1': 2 customers, 2 days, first in row 1
  cure: map the column that tells orders apart, or choose `rules: {duplicate_order: keep}` (parts of an order on several days) or drop
""",
    ),
    "mixed currencies": (
        {
            "transactions": "customer_id,date,amount,currency\nc1,2024-01-05,5,EUR\nc1,2024-01-05,5,USD\nc2,2024-01-05,5,\n"
        },
        """
error: transactions.currency (column 'currency' of CSV file transactions.csv): 2 rows in another currency than EUR, or in none [mixed_currency]
    row 2: currency 'USD'
    row 3: currency empty
  cure: convert the amounts before import, or choose `rules: {mixed_currency: drop}`
""",
    ),
    "a large quantity": (
        {
            "transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,1001,10\n",
            "rules": {"large_quantity": {"action": "error", "above": 1000}},
        },
        """
error: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of a quantity above 1000 [large_quantity]
    row 2: quantity 1001, revenue 10
  cure: judge the threshold in `rules`
""",
    ),
    "a large amount": (
        {
            "transactions": LINES + GOOD + "c1,o2,2024-01-06,p1,1,10000.01\n",
            "rules": {"large_amount": {"action": "error", "above": 10000}},
        },
        """
error: transactions.amount (column 'amount' of CSV file transactions.csv): 1 row of an amount above 10000 [large_amount]
    row 2: quantity 1, revenue 10000.01
  cure: judge the threshold in `rules`
""",
    ),
    "products missing from the product table": (
        {
            "transactions": LINES + GOOD + "c1,o2,2024-01-06,p2,1,5\n",
            "products": "product_id,name\np1,one\n",
        },
        """
warning: transactions.product_id (column 'product_id' of CSV file transactions.csv): 1 row of 1 id missing from products [unknown_product]
    row 2: 'p2'
  cure: kept by default; complete the table, or choose `rules: {unknown_product: drop}`, keep or error
""",
    ),
    "a customer twice": (
        {"transactions": LINES + GOOD, "customers": "customer_id,name\nc1,A\nc1,B\nc2,C\n"},
        """
error: customers.customer_id (column 'customer_id' of CSV file customers.csv): 1 row whose customer_id another row has too [duplicate_customer]
    row 2: 'c1'
  cure: merge the records in the source, or choose `rules: {duplicate_customer: drop}`
""",
    ),
    "a product twice": (
        {"transactions": LINES + GOOD, "products": "product_id,name\np1,A\np1,B\n"},
        """
error: products.product_id (column 'product_id' of CSV file products.csv): 1 row whose product_id another row has too [duplicate_product]
    row 2: 'p1'
  cure: merge the records in the source, or choose `rules: {duplicate_product: drop}`
""",
    ),
    "contacts of unknown customers": (
        {
            "transactions": LINES + GOOD,
            "interactions": "customer_id,date,kind\nc9,2024-01-05,visit\nc1,2024-01-05,visit\n",
        },
        """
warning: interactions.customer_id (column 'customer_id' of CSV file interactions.csv): 1 row of 1 id missing from customers and transactions [unknown_customer]
    row 1: 'c9'
  cure: kept by default; complete the table, or choose `rules: {unknown_customer: drop}`, keep or error
""",
    ),
    "contracts that end before they start": (
        {
            "transactions": LINES + GOOD,
            "contracts": "customer_id,start,end\nc9,2024-01-05,2024-01-01\n",
        },
        """
warning: contracts.end (column 'end' of CSV file contracts.csv): 1 row whose end lies before its start [contradiction]
    row 1: start 2024-01-05, end 2024-01-01
  cure: mend the dates in the source

warning: contracts.customer_id (column 'customer_id' of CSV file contracts.csv): 1 row of 1 id missing from customers and transactions [unknown_customer]
    row 1: 'c9'
  cure: kept by default; complete the table, or choose `rules: {unknown_customer: drop}`, keep or error
""",
    ),
    "buyers not on file": (
        {"transactions": LINES + GOOD, "customers": "customer_id\nc2\n"},
        """
note: transactions.customer_id: 1 customer with 1 order line not in the customers table [not_on_file]
    row 1: 'c1'
  cure: nothing, where the customers table is known to be partial: they count as not on file
""",
    ),
    "ids that differ by case": (
        {"transactions": LINES + GOOD + "C1,o2,2024-01-06,p1,1,5\n"},
        """
warning: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 2 ids that differ only by upper and lower case, in 1 group [id_case]
    'C1', 'c1'
  cure: kept by default; write each id in one way in the source; as they stand they count as different
""",
    ),
    "ids that differ by leading zeros": (
        {"transactions": LINES + "007,o1,2024-01-05,p1,2,10\n7,o2,2024-01-06,p1,1,5\n"},
        """
warning: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 2 ids that differ only by leading zeros, in 1 group [id_leading_zeros]
    '007', '7'
  cure: kept by default; write each id in one way in the source; as they stand they count as different
""",
    ),
    "ids with blanks around": (
        {"transactions": LINES + GOOD + " c1,o2,2024-01-06,p1,1,5\n"},
        """
warning: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 2 ids that differ only by blanks, in 1 group [id_blanks]
    ' c1', 'c1'
  cure: kept by default; write each id in one way in the source; as they stand they count as different

warning: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 1 id with blanks around [id_blanks]
    ' c1'
  cure: kept by default; choose `rules: {id_blanks: trim}`, or keep
""",
    ),
    "ids that differ by blanks within": (
        {"transactions": LINES + "c 1,o1,2024-01-05,p1,2,10\nc1,o2,2024-01-06,p1,1,5\n"},
        """
warning: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): 2 ids that differ only by blanks, in 1 group [id_blanks]
    'c 1', 'c1'
  cure: kept by default; write each id in one way in the source; as they stand they count as different
""",
    ),
    "order ids that differ by case": (
        {"transactions": LINES + GOOD + "c1,O1,2024-01-06,p1,1,5\n"},
        """
warning: transactions.order_id (column 'order_id' of CSV file transactions.csv): 2 ids that differ only by upper and lower case, in 1 group [id_case]
    'O1', 'o1'
  cure: kept by default; write each id in one way in the source; as they stand they count as different
""",
    ),
    "a table without rows": (
        {"transactions": LINES},
        """
error: transactions (CSV file transactions.csv): the table has no rows [rows]
  cure: check the source; leave the table out of the case file where it is not known
""",
    ),
    "a side table without rows": (
        {"transactions": LINES + GOOD, "customers": "customer_id\n"},
        """
warning: customers (CSV file customers.csv): the table has no rows [rows]
  cure: check the source; leave the table out of the case file where it is not known

note: transactions.customer_id: 1 customer with 1 order line not in the customers table [not_on_file]
    row 1: 'c1'
  cure: nothing, where the customers table is known to be partial: they count as not on file
""",
    ),
    "lines without an order": (
        {"transactions": LINES + GOOD + "c1,,2024-01-06,p1,1,5\n"},
        """
note: transactions.order_id (column 'order_id' of CSV file transactions.csv): 1 row without order_id [no_order]
    row 2
  cure: they count as the customer's own order of that day
""",
    ),
    "missing columns": (
        {"transactions": "customer,order_id,date,quantity\nc1,o1,2024-01-05,2\n"},
        """
error: transactions.customer_id (CSV file transactions.csv): the column is needed (the customer; text, exactly as in the source) and not there [columns]
  cure: map it in `columns: {customer_id: ...}`; did you mean 'customer'?

error: transactions.amount (CSV file transactions.csv): one of the columns amount, price is needed and none is there [columns]
  cure: map one in `columns: {amount: ...}`
""",
    ),
    "a misspelt mapping": (
        {
            "transactions": "Cust,Date,Value\nc1,2024-01-05,2\n",
            "columns": {"customer_id": "cust", "date": "Date", "amount": "Value"},
        },
        """
error: transactions.customer_id (CSV file transactions.csv): the source has no column 'cust' [columns]
  cure: did you mean 'Cust'?
""",
    ),
    "a column mapped twice": (
        {
            "transactions": "Cust,Date,Value\nc1,2024-01-05,2\n",
            "columns": {"customer_id": "Cust", "date": "Date", "amount": "Value", "price": "Value"},
        },
        """
error: transactions.amount (CSV file transactions.csv): the source column 'Value' is mapped to amount and price [columns]
  cure: map each source column once; repeat the column in the source where it means both
""",
    ),
    "misspelt and repeated attributes": (
        {
            "transactions": LINES + GOOD,
            "customers": "customer_id,age\nc1,5\n",
            "attributes": {"demographic": ["agee", "age", "age"]},
        },
        """
error: customers.attributes (CSV file customers.csv): the source has no column 'agee' [columns]
  cure: did you mean 'age'?

error: customers.attributes (CSV file customers.csv): the attribute 'age' bears a name that is taken or listed twice [columns]
  cure: list it once; a column of the data model belongs into `columns`
""",
    ),
    "wrong rules": (
        {
            "transactions": LINES + GOOD,
            "rules": {
                "return_": "drop",
                "zero_price": "net",
                "large_amount": "drop",
                "returns": {"action": "drop", "above": 3},
            },
        },
        """
error: rules.return_: there is no rule 'return_' [rules]
  cure: did you mean 'returns'?

error: rules.zero_price: the rule does not allow the action 'net' [rules]
  cure: write one of: keep, drop, error

error: rules.large_amount: the rule needs a threshold [rules]
  cure: write `large_amount: {action: drop, above: 1000}` with your threshold

error: rules.returns: the rule has no threshold, got above: 3 [rules]
  cure: remove it
""",
    ),
    "nothing paid": (
        {
            "transactions": LINES + "1,o1,2024-01-05,p,1,5\n1,o2,2024-01-06,p,-1,-5\n",
            "rules": {"returns": "keep"},
        },
        """
error: transactions.amount (column 'amount' of CSV file transactions.csv): no customer's lines add up to more than 0, so that there is no value to share [rows]
  cure: map `amount` to what was paid; where purchases are written as negative amounts, turn their sign

note: transactions.quantity (column 'quantity' of CSV file transactions.csv): 1 row of negative quantity or amount (returns) [returns]
    row 2: quantity -1, revenue -5
  cure: kept, as the case file says
""",
    ),
    "nothing left": (
        {"transactions": LINES + GOOD, "observed": {"start": "2030-01-01", "end": "2030-12-31"}},
        """
error: transactions: no row is left after the rules [rows]
    outside_window (drop): 1 row
  cure: check `observed`, the date format and the rules that took the rows out

note: transactions.date (column 'date' of CSV file transactions.csv): 1 row outside the observed days, from 2030-01-01 to 2030-12-31 [outside_window]
    row 1: date 2024-01-05
  cure: dropped, as the case file says
""",
    ),
    "no days at all": (
        {"products": "product_id\np1\n"},
        """
error: observed: no table tells which days the data cover [window]
  cure: write `observed: {start: 2024-01-01, end: 2024-12-31}` with your days
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_reported_with_place_count_rows_and_cure(tmp_path, name):
    options, expected = CASES[name]
    report = check(tmp_path, **options)
    assert "\n\n".join(map(str, report.findings)) == expected.strip("\n")


def test_good_input_is_reported_as_such(tmp_path):
    report = check(tmp_path, LINES + GOOD)
    assert str(report) == "Test: the checks found nothing"
    assert report.findings == ()
    assert report.to_frame().empty


def test_future_dates_follow_the_calendar_of_the_case(tmp_path, monkeypatch):
    asked = []

    def today(zone: str) -> dt.date:
        asked.append(zone)
        return dt.date(2024, 1, 5)

    monkeypatch.setattr("keycustomer.customers.examination.today", today)
    text = LINES + GOOD + "c1,o2,2024-01-06,p1,2,10\n"
    report = check(tmp_path, text, time_zone="Asia/Tokyo")
    assert str(finding(report, "future_date")) == (
        "error: transactions.date (column 'date' of CSV file transactions.csv): "
        "1 row dated after today, 2024-01-05 [future_date]\n"
        "    row 2: date 2024-01-06\n"
        "  cure: check `format: {date: ...}` (day and month swapped?), or choose "
        "`rules: {future_date: drop}` or keep"
    )
    assert asked == ["Asia/Tokyo"]


def test_today_is_the_day_of_the_zone():
    # Kiritimati and Niue are 25 hours apart: it is never the same day in both.
    gap = checks.today("Pacific/Kiritimati") - checks.today("Pacific/Niue")
    assert gap in (dt.timedelta(days=1), dt.timedelta(days=2))


def test_everything_is_reported_at_once(tmp_path):
    text = LINES + "c1,o1,05.01.2024,p1,2,10\n,o2,2024-01-05,p1,two,10\nc1,o3,2024-01-05,p1,-1,-5\n"
    report = check(
        tmp_path,
        text,
        rules={"no_such": "drop"},
        products="id,name\np1,one\n",
        customers="customer_id\nc1\nc1\n",
        interactions="customer_id,date\nc1,2024-01-05\n",
    )
    places = {(f.place, f.rule) for f in report.errors}
    assert places == {
        ("rules.no_such", "rules"),
        ("products.product_id", "columns"),
        ("interactions.kind", "columns"),
        ("transactions.date", "unreadable_value"),
        ("transactions.quantity", "unreadable_value"),
        ("transactions.customer_id", "missing_customer"),
        ("transactions.quantity", "returns"),
        ("customers.customer_id", "duplicate_customer"),
    }


def test_only_the_first_five_rows_are_shown(tmp_path):
    bad = "".join(f"c1,o{n},2024-01-05,p1,1,x{n}\n" for n in range(2000))
    found = finding(check(tmp_path, LINES + GOOD + bad), "unreadable_value")
    assert found.rows == 2000
    assert found.examples == tuple(f"row {n + 2}: amount 'x{n}'" for n in range(5))
    assert str(found).splitlines()[6] == "    ..."


@pytest.mark.parametrize(
    ("type", "values", "message"),
    [
        (
            "DOUBLE",
            "7.0",
            "error: transactions.customer_id (column 'customer_id' of Parquet transactions.parquet): "
            "the source's type DOUBLE cannot hold ids [type]\n"
            "  cure: an id such as '007' or '7' has become 7.0, often because some ids are missing; "
            "write the column as text (pandas: read it with dtype='string') or as whole numbers "
            "(dtype='Int64')",
        ),
        (
            "INTEGER[]",
            "[7]",
            "error: transactions.customer_id (column 'customer_id' of Parquet transactions.parquet): "
            "the source's type INTEGER[] cannot hold ids [type]\n"
            "  cure: write the column as text or in a fitting type, or map another column",
        ),
    ],
)
def test_a_type_that_cannot_hold_a_column_is_refused(tmp_path, type, values, message):
    report = _parquet(
        tmp_path, f"select {values}::{type} as customer_id, date '2024-01-05' as date, 5 as amount"
    )
    assert [str(f).replace("Parquet file", "Parquet") for f in report.errors] == [message]


def test_whole_number_ids_of_parquet_are_fine(tmp_path):
    sql = (
        "select 7::bigint as customer_id, timestamp '2024-01-05 10:00' as date, 5::double as amount"
    )
    assert _parquet(tmp_path, sql).findings == ()


def _parquet(folder, sql: str) -> CheckReport:
    import duckdb
    from keycustomer.customers.prepare import check_base
    from keycustomer.customers.specification import BaseSpecification

    place = folder / "transactions.parquet"
    duckdb.connect().execute(f"copy ({sql}) to '{place}' (format parquet)")
    specification = BaseSpecification.model_validate(
        {
            "title": "Test",
            "currency": "EUR",
            "tables": {"transactions": {"parquet": "transactions.parquet"}},
        }
    )
    return check_base(specification, folder)


def test_two_scans_at_different_times_of_day_are_not_one_line_twice(tmp_path):
    text = (
        "customer_id,order_id,date,amount\n"
        "c1,o1,2024-01-05 10:00:00,5\nc1,o1,2024-01-05 10:00:07,5\n"
    )
    assert check(tmp_path, text, format={"date": "%Y-%m-%d %H:%M:%S"}).findings == ()


def test_unmapped_columns_tell_lines_apart(tmp_path):
    text = "customer_id,order_id,date,amount,till\nc1,o1,2024-01-05,5,1\nc1,o1,2024-01-05,5,2\n"
    assert check(tmp_path, text).findings == ()


def test_identical_lines_are_kept_with_a_warning_where_the_source_names_no_orders(tmp_path):
    text = "customer_id,date,amount\nc1,2024-01-05,5\nc1,2024-01-05,5\n"
    found = finding(check(tmp_path, text), "duplicate_line")
    assert found.severity == "warning"
    assert found.cure.startswith("kept by default; ")


def test_data_are_shown_on_one_line_and_escaped_in_html(tmp_path):
    hostile = "\x1b[31m<script>alert(1)</script>\u202e"
    report = check(tmp_path, LINES + GOOD + f"c1,o2,2024-01-05,p1,1,{hostile}\n")
    text = str(report)
    assert "\x1b" not in text and "\u202e" not in text
    assert r"\x1b[31m<script>alert(1)</script>\u202e" in text
    page = report._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@given(st.text())
def test_whatever_data_hold_is_shown_on_one_short_line(text):
    shown = printable(text)
    assert len(shown) <= 60
    assert shown.isprintable()


def test_an_error_carries_its_report_across_processes(tmp_path):
    import pickle

    specification = case(tmp_path, LINES)
    with pytest.raises(DataError) as caught:
        prepare_base(specification, tmp_path, tmp_path / "base.duckdb")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert str(copy) == str(caught.value)
    assert copy.report.errors == caught.value.report.errors


def test_findings_are_counted_worst_first():
    import pandas as pd

    findings = tuple(
        Finding("t", "", "r", severity, "what", 1) for severity in ("error", "note", "note")
    )
    report = CheckReport("T", findings, pd.DataFrame())
    assert str(report).splitlines()[0] == "T: 1 error, 2 notes"
    assert len(report.errors) == 1 and len(report.notes) == 2 and report.warnings == ()
