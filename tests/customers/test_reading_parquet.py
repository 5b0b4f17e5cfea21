"""Parquet and DuckDB files: types kept, rows numbered, differences and lacks named."""

from __future__ import annotations

import duckdb
import pytest
from keycustomer.customers.reading import SourceError, inputs, stage
from keycustomer.customers.specification import TableSpecification


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def write(path, select):
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as writer:
        target = str(path).replace("'", "''")
        writer.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet)")


def rows_of(connection, staged):
    return connection.execute(f"SELECT * FROM {staged.relation} ORDER BY source_row").fetchall()


def test_a_file_keeps_its_types_and_is_not_materialised(connection, tmp_path):
    write(
        tmp_path / "x.parquet", "SELECT '007' AS id, 1.50::DECIMAL(9,2) AS n, DATE '2020-01-02' d"
    )
    staged = stage(connection, "transactions", TableSpecification(parquet="x.parquet"), tmp_path)
    assert staged.columns == {"id": "VARCHAR", "n": "DECIMAL(9,2)", "d": "DATE"}
    assert staged.typed
    assert staged.inputs[0].rows == 1
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE temporary").fetchall()
    assert ("staged_transactions",) in views


@pytest.mark.parametrize("location", ["parts", "parts/*.parquet", "parts/"])
def test_folders_and_globs_are_numbered_through_in_order(connection, tmp_path, location):
    write(tmp_path / "parts/b.parquet", "SELECT 100 + range AS i FROM range(3)")
    write(tmp_path / "parts/a.parquet", "SELECT range AS i FROM range(4)")
    write(tmp_path / "parts/c.parquet", "SELECT 200 + range AS i FROM range(2)")
    (tmp_path / "parts/_SUCCESS").write_text("")
    table = TableSpecification(parquet=location)
    staged = stage(connection, "transactions", table, tmp_path)
    expected = [0, 1, 2, 3, 100, 101, 102, 200, 201]
    assert rows_of(connection, staged) == [(i, n) for n, i in enumerate(expected, 1)]
    assert [(r.location, r.rows) for r in staged.inputs] == [
        ("parts/a.parquet", 4),
        ("parts/b.parquet", 3),
        ("parts/c.parquet", 2),
    ]
    assert inputs(table, tmp_path) == staged.inputs


def test_folder_names_make_no_columns(connection, tmp_path):
    write(tmp_path / "parts/year=2020/a.parquet", "SELECT 1 AS i")
    staged = stage(connection, "transactions", TableSpecification(parquet="parts"), tmp_path)
    assert staged.columns == {"i": "INTEGER"}


def test_columns_in_another_order_are_matched_by_name(connection, tmp_path):
    write(tmp_path / "p/a.parquet", "SELECT 1 AS a, 'x' AS b")
    write(tmp_path / "p/b.parquet", "SELECT 'y' AS b, 2 AS a")
    staged = stage(connection, "transactions", TableSpecification(parquet="p"), tmp_path)
    assert rows_of(connection, staged) == [(1, "x", 1), (2, "y", 2)]


def test_differing_files_are_named_with_every_difference(connection, tmp_path):
    write(tmp_path / "p/a.parquet", "SELECT 1 AS a, 'x' AS b, 1.5::DOUBLE AS c")
    write(tmp_path / "p/b.parquet", "SELECT 1 AS a, 'x' AS c, 1 AS d")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(parquet="p"), tmp_path)
    assert caught.value.problems == (
        "p/b.parquet lacks b; has besides d; has another type for c (string instead of double), "
        "against p/a.parquet",
        "write the files with the same columns and types",
    )


@pytest.mark.parametrize("name", ["a[1].parquet", "*.parquet", "it's.parquet", 'q".parquet'])
def test_file_names_are_neither_patterns_nor_sql(connection, tmp_path, name):
    write(tmp_path / "a1.parquet", "SELECT 9 AS a")
    write(tmp_path / "y.parquet", "SELECT 1 AS a")
    (tmp_path / "y.parquet").rename(tmp_path / name)
    staged = stage(connection, "transactions", TableSpecification(parquet=name), tmp_path)
    assert rows_of(connection, staged) == [(1, 1)]


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("empty", "the folder 'empty' holds no .parquet file"),
        ("*.parquet", "no file matches '*.parquet' in {folder}"),
        ("x.csv", "x.csv is no readable Parquet file; export it again"),
        ("none.parquet", "no file 'none.parquet' in {folder}; it holds: empty, x.csv"),
    ],
)
def test_missing_and_foreign_files_are_refused(connection, tmp_path, location, problem):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(parquet=location), tmp_path)
    assert caught.value.problems == (problem.format(folder=tmp_path),)


def test_columns_the_engine_needs_for_itself_are_refused(connection, tmp_path):
    write(tmp_path / "x.parquet", "SELECT 1 AS file_row_number, 2 AS Source_Row")
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(parquet="x.parquet"), tmp_path)
    assert caught.value.problems == (
        "x.parquet: columns with names that row numbers need: file_row_number, Source_Row; rename "
        "them",
    )


@pytest.fixture
def database(tmp_path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as writer:
        writer.execute("CREATE TABLE orders AS SELECT '007' AS id, 1.5::DECIMAL(9,2) AS n")
        writer.execute('CREATE SCHEMA "o;dd"')
        writer.execute('CREATE TABLE "o;dd"."t""x" AS SELECT 1 AS a')
        writer.execute("CREATE VIEW seen AS SELECT id FROM orders")
    return tmp_path


def test_tables_views_and_queries_of_a_duckdb_file(connection, database):
    def read(name, **source):
        table = TableSpecification(duckdb="x.duckdb", **source)
        staged = stage(connection, name, table, database)
        return staged, rows_of(connection, staged)

    orders, rows = read("transactions", table="orders")
    assert orders.columns == {"id": "VARCHAR", "n": "DECIMAL(9,2)"}
    assert rows[0][0] == "007"
    assert read("customers", table="seen")[1] == [("007", 1)]
    assert read("products", table='o;dd.t"x')[1] == [(1, 1)]
    query = "WITH x AS (SELECT id FROM orders) SELECT id, 2 AS two FROM x ORDER BY id"
    assert read("contracts", query=query)[1] == [("007", 2, 1)]
    assert orders.inputs == inputs(TableSpecification(duckdb="x.duckdb", table="orders"), database)


def test_a_duckdb_file_is_never_written(connection, database):
    before = (database / "x.duckdb").read_bytes()
    with pytest.raises(SourceError) as caught:
        table = TableSpecification(duckdb="x.duckdb", query="DROP TABLE orders")
        stage(connection, "transactions", table, database)
    assert caught.value.problems == (
        "query must begin with SELECT or WITH, got 'DROP'; data are only read",
    )
    stage(connection, "customers", TableSpecification(duckdb="x.duckdb", table="orders"), database)
    assert (database / "x.duckdb").read_bytes() == before


def test_a_missing_table_lists_those_there(connection, database):
    with pytest.raises(SourceError) as caught:
        table = TableSpecification(duckdb="x.duckdb", table="orderz")
        stage(connection, "transactions", table, database)
    assert caught.value.problems == (
        "x.duckdb has no table 'orderz'; it has orders, seen, o;dd.t\"x",
    )


def test_a_query_sees_its_file_and_nothing_else(connection, database):
    (database / "secret.csv").write_text("a\n1\n")
    query = f"SELECT * FROM read_csv('{database}/secret.csv')"
    with pytest.raises(SourceError, match="cannot be read as a DuckDB file, table or query"):
        stage(connection, "customers", TableSpecification(duckdb="x.duckdb", query=query), database)


def test_a_file_that_is_no_duckdb_file_is_refused(connection, tmp_path):
    (tmp_path / "x.duckdb").write_text("not a database, only some text of a certain length" * 99)
    with pytest.raises(SourceError, match=r"x\.duckdb cannot be read as a DuckDB file"):
        table = TableSpecification(duckdb="x.duckdb", table="orders")
        stage(connection, "transactions", table, tmp_path)


def test_one_source_replaces_another_of_the_same_table(connection, tmp_path):
    write(tmp_path / "x.parquet", "SELECT 1 AS a")
    (tmp_path / "x.csv").write_text("b\n2\n")
    for _ in range(2):
        stage(connection, "transactions", TableSpecification(parquet="x.parquet"), tmp_path)
        staged = stage(connection, "transactions", TableSpecification(csv="x.csv"), tmp_path)
        assert rows_of(connection, staged) == [("2", 1)]
