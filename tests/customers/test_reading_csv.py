"""Separated text: structure, header and values exactly as written, slips with their line."""

from __future__ import annotations

import csv
import hashlib
import io
import random

import duckdb
import pytest
from keycustomer.customers.reading import SourceError, inputs, lines, stage
from keycustomer.customers.reading.lines import scan
from keycustomer.customers.specification import TableSpecification


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    def read_(content: bytes, name="x.csv", **form):
        (tmp_path / name).write_bytes(content)
        table = TableSpecification(csv=name, format=form)
        staged = stage(connection, "transactions", table, tmp_path)
        rows = connection.execute(f"SELECT * FROM {staged.relation} ORDER BY source_row").fetchall()
        return staged, rows

    return read_


@pytest.fixture
def complain(read):
    def complain_(content: bytes, **form):
        with pytest.raises(SourceError) as caught:
            read(content, **form)
        assert caught.value.table == "transactions"
        return list(caught.value.problems)

    return complain_


CURE = (
    "x.csv: correct the lines, or the declared delimiter and quote, which decide where a field ends"
)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [("1", "2", 1)]),
        (b"a,b\n1,2", [("1", "2", 1)]),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", [("1", "2", 1)]),
        (b'a,b\r\n1,"x\r\ny"\r\n', [("1", "x\r\ny", 1)]),
        (b"a,b\r1,2\r3,4\r", [("1", "2", 1), ("3", "4", 2)]),
        (b'a,b\n"",""\n,\n', [(None, None, 1), (None, None, 2)]),
        (b'a,b\n1,5" pipe\n', [("1", '5" pipe', 1)]),
        (b'a,b\n"x""y",""""\n', [('x"y', '"', 1)]),
        (b"a,b\n# no comment,2\n", [("# no comment", "2", 1)]),
        (b"a\n1\n\n4\n", [("1", 1), (None, 2), ("4", 3)]),
        (b"a,b\n", []),
        (b"a,b", []),
        (b'"a\nx",b\n1,2\n', [("1", "2", 1)]),
    ],
)
def test_values_are_read_as_written(read, content, rows):
    assert read(content)[1] == rows


@pytest.mark.parametrize(
    "value", ["007", "1e5", " 12", "12 ", "NA", "null", "NULL", "-", "nan", "TRUE", "1,5", "\t",
              "0x1F", "2020-01-02", "1_000", "é", "客", "'", "\\N", "\\", "$1", "<script>"],
)  # fmt: skip
def test_text_that_readers_like_to_interpret_stays(read, value):
    staged, rows = read(f'a,b\n"{value}",x\n'.encode())
    assert rows == [(value, "x", 1)]
    assert staged.columns == {"a": "VARCHAR", "b": "VARCHAR"}
    assert not staged.typed


def test_ragged_rows_are_reported_together_with_line_count_and_text(complain):
    assert complain(b'a,b\n1,2\n3\n"x\ny",5\n4,5,6\n7,8\n') == [
        "x.csv: line 3 has 1 field where 2 were expected: 3",
        "x.csv: line 6 has 3 fields where 2 were expected: 4,5,6",
        CURE,
    ]


def test_more_ragged_rows_than_are_shown_are_counted(complain):
    problems = complain(b"a,b\n" + b"1\n" * 12)
    assert problems[4] == "x.csv: line 6 has 1 field where 2 were expected: 1"
    assert problems[5] == "x.csv: ... and 7 more lines like these"
    assert len(problems) == 7


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a,b\n3,4,\n", "line 2 has 3 fields where 2 were expected: 3,4,"),
        (b"a,b\n \n", "line 2 has 1 field where 2 were expected:  "),
        (
            b'a,b\n"x"y,2\n',
            "line 2: text follows a closing quote; double a quote inside a quoted field and leave "
            'no blanks around quotes: "x"y,2',
        ),
        (
            b'a,b\n1, "x"\n',
            "line 2: blanks stand before an opening quote; double a quote inside a quoted field "
            'and leave no blanks around quotes: 1, "x"',
        ),
        (
            b'a,b\n1,2\n1,"open\n2,3\n',
            'a quote opened in the record of line 3 never closes: 1,"open\\n2,3\\n',
        ),
        (
            b"a,b\n1,x\ry\n",
            "line 2 holds a carriage return that ends no line; quote the field or remove the "
            "character",
        ),
    ],
)
def test_slips_the_engine_would_take_are_refused(complain, content, problem):
    assert complain(content) == [f"x.csv: {problem}", CURE]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"", ["x.csv is empty: not even a header line"]),
        (b"\n1,2\n", ["x.csv: line 1 is empty; the first line must hold the column names"]),
        (
            b"sep=;\na;b\n",
            ["x.csv: line 1 is a spreadsheet's mark 'sep=;', not a header; remove it"],
        ),
        (
            b"a;b\n1;2\n",
            [
                "x.csv: the header is one column with delimiter ',': a;b; write `delimiter: ';'` "
                "under format"
            ],
        ),
        (
            b"a,A,,source_row,b\n1,2,3,4,5\n",
            [
                "x.csv: column 3 has no name; name it in the header",
                "x.csv: column names stand more than once, or differ only by case: a, A; rename "
                "them in the source",
                "x.csv: columns with names that row numbers need: source_row; rename them",
            ],
        ),
        (
            b"a,b,\n1,2,3\n",
            ["x.csv: column 3 has no name, and holds 1 value; name it in the header"],
        ),
        (
            b"a,b\n1,2\n1\x00,2\n",
            [
                "x.csv holds a NUL byte, first in line 3; the file is damaged or not text; export "
                "it again"
            ],
        ),
        (b"\x1f\x8b\x08\x00", ["x.csv is no text file: it is compressed; unpack it"]),
    ],
)
def test_unusable_headers_and_files_are_refused(complain, content, problems):
    assert complain(content) == problems


def test_a_delimiter_after_every_line_leaves_no_column(read):
    staged, rows = read(b"a,b,\n1,2,\n")
    assert list(staged.columns) == ["a", "b"]
    assert rows == [("1", "2", 1)]
    assert staged.notes == ("every line ends with a delimiter; the empty last column is left out",)


def test_empty_lines_and_mixed_line_ends_are_noted(read):
    staged, rows = read(b'a,b\n1,2\r\n\n5,"6\r7"\n8,"9\r\n10"')
    assert rows == [("1", "2", 1), ("5", "6\r7", 2), ("8", "9\r\n10", 3)]
    assert staged.notes == ("1 empty line left out", "some lines end with CRLF and some with LF")


def test_delimiter_auto_is_taken_only_when_certain(read, complain):
    assert read(b'a;"b,c"\n1;2\n', delimiter=";")[1] == [("1", "2", 1)]
    assert read(b"a;b\n1;2,5\n", delimiter="auto")[1] == [("1", "2,5", 1)]
    assert complain(b"a,b;c\n", delimiter="auto") == [
        "x.csv: the delimiter is not certain: comma gives 2 columns; semicolon gives 2 columns; "
        "name it under format.delimiter"
    ]
    assert complain(b"a\n1\n", delimiter="auto") == [
        "x.csv: the first line holds no comma, semicolon, tab, bar; a file of one column needs a "
        "declared delimiter, such as `delimiter: ','`"
    ]


def test_a_file_without_header_numbers_its_columns(read):
    staged, rows = read(b"1,2\n3,4\n", header=False)
    assert list(staged.columns) == ["column1", "column2"]
    assert rows == [("1", "2", 1), ("3", "4", 2)]


@pytest.mark.parametrize("name", ["a[1].csv", "*.csv", "q'uo\"te.csv", "?.csv", "{a,b}.csv"])
def test_file_names_are_neither_patterns_nor_sql(read, tmp_path, name):
    (tmp_path / "a1.csv").write_bytes(b"a,b\n9,9\n")
    assert read(b"a,b\n1,2\n", name=name)[1] == [("1", "2", 1)]


@pytest.mark.parametrize(
    "name", ["x'); DROP TABLE t; --", 'a"b', "select", "a b", "é", "{x}", "$1"]
)
def test_column_names_are_not_sql(read, name):
    quoted = name.replace('"', '""')
    staged, rows = read(f'"{quoted}",b\n1,2\n'.encode())
    assert list(staged.columns) == [name, "b"]
    assert rows == [("1", "2", 1)]


def test_a_missing_file_is_met_with_its_likely_name(connection, tmp_path):
    (tmp_path / "orders.csv").write_bytes(b"a\n1\n")
    table = TableSpecification(csv="order.csv")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", table, tmp_path)
    assert str(caught.value) == (
        f"table transactions: no file 'order.csv' in {tmp_path}; did you mean 'orders.csv'?"
    )


def test_a_table_name_that_is_sql_is_refused(connection, tmp_path):
    with pytest.raises(ValueError, match="not the name of a table"):
        stage(connection, "x; DROP TABLE y", TableSpecification(csv="x.csv"), tmp_path)


def test_inputs_fingerprint_without_staging(read, tmp_path):
    staged, _ = read(b"a,b\n1,2\n")
    (record,) = inputs(TableSpecification(csv="x.csv"), tmp_path)
    assert (record.bytes, record.location) == (8, "x.csv")
    assert record.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert staged.inputs[0].sha256 == record.sha256
    assert staged.inputs[0].rows == 1


def test_row_numbers_follow_the_file_even_when_the_connection_does_not(connection, read):
    connection.execute("SET preserve_insertion_order = false")
    content = b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(1, 300_001))
    _, rows = read(content)
    assert all(int(a) == number for a, _, number in rows)
    setting = "SELECT current_setting('preserve_insertion_order')"
    assert connection.execute(setting).fetchone() == (False,)


def test_scan_agrees_with_the_reference_reader_on_random_files(read, monkeypatch):
    monkeypatch.setattr(lines, "_BLOCK", 64)
    chance = random.Random(20)  # noqa: S311
    for _ in range(150):
        width = chance.randint(2, 4)
        rows = [
            ["".join(chance.choice('ab,\n" é;1') for _ in range(chance.randint(0, 5)))
             for _ in range(width)]
            for _ in range(chance.randint(0, 12))
        ]  # fmt: skip
        text = io.StringIO()
        quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        writer = csv.writer(text, lineterminator=chance.choice(["\n", "\r\n"]), quoting=quoting)
        writer.writerows([[f"c{i}" for i in range(width)], *rows])
        expected = [(*(v or None for v in row), i) for i, row in enumerate(rows, 1)]
        assert read(text.getvalue().encode(), encoding="utf-8")[1] == expected


def test_random_bytes_are_read_as_the_reference_does_or_refused(read):
    chance = random.Random(21)  # noqa: S311
    accepted = 0
    for _ in range(400):
        text = "a,b\n" + "".join(chance.choice('xy,"\n 1') for _ in range(chance.randint(0, 25)))
        reference = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
        expected = [(*(v or None for v in row), i) for i, row in enumerate(reference, 1)]
        try:
            rows = read(text.encode())[1]
        except SourceError:
            continue
        accepted += 1
        assert rows == expected, text
    assert accepted > 20


def test_scanning_a_large_file_holds_only_a_block(tmp_path):
    import tracemalloc

    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(b"a,b,c\n")
        for _ in range(60):
            file.write(b'123456,"some, text",2020-01-01\n' * 30_000)
    tracemalloc.start()
    structure = scan(path, 3, delimiter=",", quote='"', header=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert structure.records == 60 * 30_000
    assert structure.slips == 0
    assert path.stat().st_size > 50 << 20
    assert peak < 30 << 20
