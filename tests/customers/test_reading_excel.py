"""Workbooks: numbers exactly, dates as dates, text as text; cells amiss by sheet and address."""

from __future__ import annotations

import datetime as dt
import zipfile

import duckdb
import pytest
from keycustomer.customers.reading import SourceError, stage
from keycustomer.customers.specification import TableSpecification
from openpyxl import Workbook


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    def read_(*rows, sheet=None, **form):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / "x.xlsx")
        table = TableSpecification(excel="x.xlsx", sheet=sheet, format=form)
        staged = stage(connection, "transactions", table, tmp_path)
        found = connection.execute(f"SELECT * FROM {staged.relation} ORDER BY source_row")
        return staged, found.fetchall()

    return read_


def test_cells_keep_what_they_are(read):
    staged, rows = read(
        ["id", "n", "day", "moment", "flag"],
        ["007", 0.1, dt.date(2020, 2, 29), dt.datetime(2020, 1, 1, 10, 30), True],
        [7, 12, dt.date(2020, 3, 1), dt.datetime(2020, 1, 2), False],
        [" 7", 1e22, None, None, None],
        ["NA", -1234.5, None, None, None],
    )
    assert staged.columns == {
        "id": "VARCHAR",
        "n": "VARCHAR",
        "day": "DATE",
        "moment": "TIMESTAMP",
        "flag": "VARCHAR",
    }
    assert [row[0] for row in rows] == ["007", "7", " 7", "NA"]
    assert [row[1] for row in rows] == ["0.1", "12", "1" + "0" * 22, "-1234.5"]
    assert rows[0][2:] == (dt.date(2020, 2, 29), dt.datetime(2020, 1, 1, 10, 30), "TRUE", 1)
    assert rows[1][3] == dt.datetime(2020, 1, 2)


def test_mixed_columns_are_written_as_the_format_says(read):
    _, rows = read(
        ["date", "amount"],
        [dt.date(2020, 2, 1), 1234.5],
        ["13.02.2020", "1.000,25"],
        [dt.datetime(2020, 2, 3, 4, 5), 7],
        decimal=",",
        thousands=".",
        date="%d.%m.%Y",
    )
    assert [row[0] for row in rows] == ["01.02.2020", "13.02.2020", "2020-02-03 04:05:00"]
    assert [row[1] for row in rows] == ["1234,5", "1.000,25", "7"]


def test_a_column_that_turns_mixed_after_the_first_batch(read, monkeypatch):
    from keycustomer.customers.reading import workbook

    monkeypatch.setattr(workbook, "BATCH", 2)
    days = [[dt.date(2020, 1, day)] for day in range(1, 6)]
    staged, rows = read(["date"], *days, ["soon"], date="%d/%m/%Y")
    assert staged.columns == {"date": "VARCHAR"}
    assert [row[0] for row in rows] == [*(f"0{day}/01/2020" for day in range(1, 6)), "soon"]


def test_empty_rows_are_left_out_and_rows_keep_their_numbers(read):
    staged, rows = read(["a", "b"], [1, 2], [None, None], [3, None])
    assert rows == [("1", "2", 1), ("3", None, 3)]
    assert staged.notes == ("1 empty row left out",)


def test_long_numbers_are_noted(read):
    staged, _ = read(["id"], [1234567890123456])
    assert staged.notes == (
        "numbers of more than 15 digits in id: a workbook keeps 15; if these are ids, enter them "
        "as text",
    )


def test_error_cells_and_stray_values_are_reported_together(read):
    with pytest.raises(SourceError) as caught:
        read(["a", "b"], ["#N/A", 1], ["x", "#DIV/0!"], [1, 2, "stray"])
    assert caught.value.problems == (
        "x.xlsx, sheet Sheet: cell A2 holds the error #N/A",
        "x.xlsx, sheet Sheet: cell B3 holds the error #DIV/0!",
        "x.xlsx, sheet Sheet: cell C4 holds a value beyond the last named column",
        "x.xlsx, sheet Sheet: correct or empty the cells in the workbook and save it",
    )


def test_formulas_without_values_are_refused(read):
    with pytest.raises(SourceError) as caught:
        read(["a", "b"], [1, "=A2*2"], [2, "=A3*2"])
    assert caught.value.problems == (
        "x.xlsx, sheet Sheet: 2 formulas saved without a value, first B2, B3; open the workbook "
        "in a spreadsheet program and save it, so that the values are stored",
    )


def test_formulas_give_their_saved_values(read, connection, tmp_path):
    book = Workbook()
    book.active.append(["a"])
    book.active.append(["=1+1"])
    book.save(tmp_path / "plain.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "plain.xlsx") as plain,
        zipfile.ZipFile(tmp_path / "saved.xlsx", "w") as saved,
    ):
        for name in plain.namelist():
            content = (
                plain.read(name).replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
            )
            saved.writestr(name, content.replace(b"<v/>", b"<v>2</v>"))
    table = TableSpecification(excel="saved.xlsx")
    staged = stage(connection, "transactions", table, tmp_path)
    assert connection.execute(f"SELECT a FROM {staged.relation}").fetchall() == [("2",)]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "row 1 is empty; the first row must hold the column names"),
        ([["a", None, "c"], [1, 2, 3]], "column 2 has no name; name it in the header"),
        (
            [["a", "A "], [1, 2]],
            "column names stand more than once, or differ only by case: a, A; rename them in the "
            "source",
        ),
    ],
)
def test_unusable_headers_are_refused(read, rows, problem):
    with pytest.raises(SourceError) as caught:
        read(*rows)
    assert caught.value.problems == (f"x.xlsx, sheet Sheet: {problem}",)


def test_sheets_are_listed_when_none_fits(read):
    with pytest.raises(SourceError) as caught:
        read(["a"], sheet="Orders")
    assert caught.value.problems == ("x.xlsx has no sheet 'Orders'; its sheets: Sheet",)


def test_several_sheets_need_a_name(connection, tmp_path):
    book = Workbook()
    book.create_sheet("Orders").append(["a"])
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(excel="x.xlsx"), tmp_path)
    assert caught.value.problems == (
        "x.xlsx has several sheets; name one under `sheet`: Sheet, Orders",
    )
    staged = stage(
        connection, "customers", TableSpecification(excel="x.xlsx", sheet="Orders"), tmp_path
    )
    assert staged.columns == {"a": "VARCHAR"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x.xls", "is not an .xlsx or .xlsm file; open it in a spreadsheet program"),
        ("x.xlsx", "cannot be opened as a workbook; it may be protected by a password"),
    ],
)
def test_other_files_are_refused_with_the_cure(connection, tmp_path, name, problem):
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0 not a workbook")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(excel=name), tmp_path)
    assert problem in caught.value.problems[0]


def test_a_file_that_is_a_zip_but_no_workbook_is_refused(connection, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as file:
        file.writestr("a.txt", "no workbook")
    with pytest.raises(SourceError, match="cannot be opened as a workbook"):
        stage(connection, "transactions", TableSpecification(excel="x.xlsx"), tmp_path)
