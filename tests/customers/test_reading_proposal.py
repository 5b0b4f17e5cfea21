"""Proposals: headings in four languages, marks and dates told only when the values tell them."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from keycustomer.customers.reading import SourceError, stage
from keycustomer.customers.reading.formats import DATE_FORMATS, date_formats, number_marks
from keycustomer.customers.reading.headings import HEADINGS, fold, match_columns
from keycustomer.customers.reading.proposal import propose
from keycustomer.customers.schema import TABLES
from keycustomer.customers.specification import TableSpecification
from openpyxl import Workbook


@pytest.fixture
def proposed(tmp_path):
    def proposed_(content: bytes, name="x.csv"):
        (tmp_path / name).write_bytes(content)
        return propose(tmp_path / name)

    return proposed_


def test_a_german_file(proposed, tmp_path):
    proposal = proposed(
        "Kunden-Nr.;Datum;Artikelnummer;Menge;Betrag (€);Filiale\n"
        "007;13.02.2020;A1;1;1.234,50;Köln\n008;01.02.2020;A2;2;3,5;Münster\n".encode("cp1252")
    )
    assert proposal.name == "transactions"
    assert proposal.table == {
        "csv": str(tmp_path / "x.csv"),
        "columns": {
            "customer_id": "Kunden-Nr.",
            "date": "Datum",
            "product_id": "Artikelnummer",
            "quantity": "Menge",
            "amount": "Betrag (€)",
        },
        "format": {
            "delimiter": ";",
            "encoding": "cp1252",
            "decimal": ",",
            "thousands": ".",
            "date": "%d.%m.%Y",
        },
    }
    assert proposal.unmapped == ("Filiale",)
    assert proposal.missing == ()


def test_a_proposal_is_a_table_specification_that_can_be_staged(proposed, tmp_path):
    rows = ["客户编号,订单日期,金额", "C1,2020/01/05,12.50", "张伟,2020/02/03,3"]
    content = "\n".join([*rows, "李娜,2020/02/13,3", "北京,2020/02/03,3\n"])
    proposal = proposed(content.encode("gb18030"))
    table = TableSpecification.model_validate(proposal.table)
    with duckdb.connect() as connection:
        staged = stage(connection, proposal.name, table, tmp_path)
        rows = connection.execute(f"SELECT 客户编号 FROM {staged.relation}").fetchall()
    assert rows == [("C1",), ("张伟",), ("李娜",), ("北京",)]
    assert table.format.date == "%Y/%m/%d"


def test_day_and_month_are_left_open_when_the_values_do(proposed):
    proposal = proposed(b"client,date,montant\n1,01/02/2020,5.5\n1,03/04/2020,2\n")
    assert "format" not in proposal.table
    assert proposal.notes == (
        "column 'date': day and month cannot be told from 01/02/2020, 03/04/2020: %d/%m/%Y (01 "
        "February 2020) or %m/%d/%Y (02 January 2020); write `date:` under format",
    )


def test_a_day_above_twelve_at_the_end_of_the_file_decides(proposed):
    lines = b"customer,date,amount\n" + b"1,01/02/2020,5\n" * 5_000 + b"1,13/02/2020,5\n"
    proposal = proposed(lines)
    assert proposal.table["format"] == {"date": "%d/%m/%Y"}
    assert proposal.notes == ()


def test_dates_in_no_one_format_are_said(proposed):
    proposal = proposed(b"customer,date,amount\n1,2020-01-02,5\n1,spring,5\n")
    assert proposal.notes == (
        "column 'date': no known date format fits 2020-01-02, spring; write `date:` under format",
    )


def test_decimal_mark_is_left_open_when_the_values_do(proposed):
    proposal = proposed(b'customer;date;amount\n1;2020-01-02;"1,234"\n')
    assert proposal.notes[-1] == (
        "whether a comma or a point is the decimal mark cannot be told from values such as 1,234; "
        "write `decimal:` and `thousands:` under format"
    )


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        (["1", "20"], (".", "")),
        (["1.5"], (".", "")),
        (["1,5"], (",", "")),
        (["1,234"], None),
        (["1.234"], None),
        (["1,234", "1.5"], (".", ",")),
        (["1.234,50", "3"], (",", ".")),
        (["1,234,567"], (".", ",")),
        (["1 234,5"], (",", " ")),
        (["1'234.50"], (".", "'")),
        (["€ 5,20", "-3,1"], (",", "")),
        (["1234.567"], (".", "")),
        (["0.125", "12"], (".", "")),
        (["0,125"], (",", "")),
    ],
)
def test_number_marks(texts, marks):
    assert number_marks(texts) == marks


@pytest.mark.parametrize("form", DATE_FORMATS)
def test_a_date_late_in_the_month_is_read_by_its_own_format(form):
    texts = [dt.date(2019, 12, 28).strftime(form), dt.date(2021, 1, 31).strftime(form)]
    found = date_formats(texts)
    assert form in found
    if "%y" not in form and "%b" not in form and "%B" not in form:
        assert found == [form]


def test_an_excel_file_names_its_first_sheet(tmp_path):
    book = Workbook()
    book.active.append(["Customer ID", "Order Date", "Sales"])
    book.active.append(["007", dt.date(2020, 1, 2), 3.5])
    book.create_sheet("Other")
    book.save(tmp_path / "x.xlsx")
    proposal = propose(tmp_path / "x.xlsx")
    assert proposal.table == {
        "excel": str(tmp_path / "x.xlsx"),
        "sheet": "Sheet",
        "columns": {"customer_id": "Customer ID", "date": "Order Date", "amount": "Sales"},
    }
    assert proposal.notes == ("the workbook has the sheets Sheet, Other; the first is proposed",)


def test_a_parquet_file(tmp_path):
    with duckdb.connect() as connection:
        target = tmp_path / "x.parquet"
        select = "SELECT 1 AS household_id, 2 AS basket_id, DATE '2020-01-02' AS date, 3.5 AS paid"
        connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet)")
    proposal = propose(tmp_path / "x.parquet")
    assert proposal.table["columns"] == {
        "customer_id": "household_id",
        "order_id": "basket_id",
        "amount": "paid",
    }


def test_a_customers_file_is_recognised(proposed):
    proposal = proposed(b"Kundennummer,Firma,PLZ,Ort,E-Mail\n1,A,50667,Koeln,a@b\n")
    assert proposal.name == "customers"
    assert set(proposal.table["columns"]) == {
        "customer_id",
        "name",
        "postal_code",
        "city",
        "email",
    }


def test_lines_without_a_known_amount_are_still_lines(proposed):
    proposal = proposed(
        b"customer_id,order_id,date,product_id,quantity,xyz\n1,1,2024-01-13,p,1,9\n"
    )
    assert (proposal.name, proposal.missing) == ("transactions", ("amount or price",))


def test_a_unit_in_brackets_is_no_part_of_a_heading():
    columns = ["Kunden-Nr.", "Datum", "Erlös (EUR)", "数量\uff08件\uff09"]
    assert match_columns(columns, "transactions") == {
        "customer_id": "Kunden-Nr.",
        "date": "Datum",
        "quantity": "数量\uff08件\uff09",
        "amount": "Erlös (EUR)",
    }


def test_what_is_missing_is_said(proposed):
    proposal = proposed(b"x,date,quantity,product_id\n1,2020-01-02,3,A\n")
    assert proposal.missing or proposal.name != "transactions"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.docx", b"", "x.docx: a file ending with '.docx' is not known; give one of "),
        ("x.csv", b"", "x.csv is empty: not even a header line"),
        ("x.csv", b"a,a\n1,2\n", "x.csv: column names stand more than once"),
    ],
)
def test_files_that_cannot_be_proposed(proposed, name, content, problem):
    with pytest.raises(SourceError) as caught:
        proposed(content, name)
    assert str(caught.value).startswith(problem)


def test_headings_are_folded_known_and_of_one_meaning_in_a_table():
    for ours, words in HEADINGS.items():
        assert any(ours in table.columns for table in TABLES.values())
        assert [fold(word) for word in words] == list(words), ours
    for table in TABLES.values():
        words = [word for ours in table.columns for word in HEADINGS.get(ours, ())]
        assert len(words) == len(set(words)), [w for w in words if words.count(w) > 1]


@pytest.mark.parametrize(
    ("heading", "folded"),
    [
        ("Kunden-Nr.", "kunden nr"),
        ("Stück", "stueck"),
        ("Numéro client", "numero client"),
        ("CustomerID", "customer id"),
        ("ORDER_DATE", "order date"),
        ("客户 编号", "客户 编号"),
    ],
)
def test_fold(heading, folded):
    assert fold(heading) == folded


def test_each_of_their_columns_is_used_once():
    mapping = match_columns(
        ["customer", "customer_id", "date", "order date", "amount"], "transactions"
    )
    assert mapping == {"customer_id": "customer_id", "date": "date", "amount": "amount"}
