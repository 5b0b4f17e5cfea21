"""Databases by URL: values exact, statements refused, and no secret ever said."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import logging
import pickle
import sqlite3
import traceback
from decimal import Decimal

import duckdb
import pytest
import sqlalchemy as sa
from keycustomer.customers.reading import SourceError, batches, database, inputs, stage
from keycustomer.customers.reading.database import refuse_statement
from keycustomer.customers.reading.secrets import open_address
from keycustomer.customers.specification import TableSpecification

SECRET = "tr0ub4dor/&%@ 3"  # noqa: S105


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def folder(tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as file:
        file.execute("CREATE TABLE orders (id TEXT, day DATE, amount NUMERIC, n INTEGER)")
        file.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?)",
            [("007", "2020-01-02", 0.1, 1), (" 7", "2020-01-03", 3, None), (None, None, None, 2)],
        )
        file.execute("CREATE VIEW seen AS SELECT id FROM orders")
        file.execute('CREATE TABLE "o;dd ""name" (a TEXT)')
        file.execute("""INSERT INTO "o;dd ""name" VALUES ('%s'), (':x'), ('50%')""")
    file.close()
    return tmp_path


@pytest.fixture
def read(connection, folder):
    def read_(url="sqlite:///x.db", **source):
        staged = stage(connection, "transactions", TableSpecification(sql=url, **source), folder)
        found = connection.execute(f"SELECT * FROM {staged.relation} ORDER BY source_row")
        return staged, found.fetchall()

    return read_


def refusal(read, *args, **source):
    with pytest.raises(SourceError) as caught:
        read(*args, **source)
    return caught.value


def test_a_table_is_read_whole(read):
    staged, rows = read(table="orders")
    assert rows == [
        ("007", "2020-01-02", 0.1, 1, 1),
        (" 7", "2020-01-03", 3.0, None, 2),
        (None, None, None, 2, 3),
    ]
    assert staged.columns == {
        "id": "VARCHAR",
        "day": "VARCHAR",
        "amount": "DOUBLE",
        "n": "BIGINT",
    }
    assert staged.inputs[0].location == "sqlite:///x.db: table orders"
    assert staged.inputs[0].rows == 3


def test_views_and_odd_names_are_read(read):
    assert read(table="seen")[1][0] == ("007", 1)
    assert [row[0] for row in read(table='o;dd "name')[1]] == ["%s", ":x", "50%"]


def test_a_query_reaches_the_database_as_written(read):
    query = "SELECT id, '12:30' AS t, 'a;b' AS s FROM orders WHERE id LIKE '0%' -- ; DROP"
    assert read(query=query)[1] == [("007", "12:30", "a;b", 1)]


def test_a_missing_table_lists_those_there(read):
    assert refusal(read, table="order").problems == (
        "sql: no table 'order' in the database; it has o;dd \"name, orders, seen",
    )


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("DELETE FROM orders", "query must begin with SELECT or WITH, got 'DELETE'"),
        ("  /* SELECT */ drop table orders", "query must begin with SELECT or WITH, got 'DROP'"),
        ("", "`table`"),
        ("SELECT 1; DELETE FROM orders", "query must be one statement"),
        ("SELECT ';' ; -- x\n DELETE FROM orders", "query must be one statement"),
        ("PRAGMA writable_schema = 1", "query must begin with SELECT or WITH, got 'PRAGMA'"),
        ("ATTACH 'y.db' AS y", "query must begin with SELECT or WITH, got 'ATTACH'"),
    ],
)
def test_only_one_query_is_accepted(read, folder, query, problem):
    before = (folder / "x.db").read_bytes()
    if query:
        assert problem in str(refusal(read, query=query))
    assert (folder / "x.db").read_bytes() == before


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "SELECT 1;",
        "(SELECT 1) UNION (SELECT 2)",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "-- first; a comment\nSELECT ';' AS \";\"",
        "SELECT $$;$$, $t$ ; $t$",
    ],
)
def test_queries_with_harmless_semicolons_pass(query):
    refuse_statement(query)


def test_a_write_hidden_in_a_query_fails(read, folder):
    before = (folder / "x.db").read_bytes()
    error = refusal(read, query="WITH x AS (SELECT 1) DELETE FROM orders")
    assert "attempt to write a readonly database" in str(error)
    assert (folder / "x.db").read_bytes() == before


def test_a_missing_file_is_not_made(read, folder):
    problem = refusal(read, "sqlite:///y.db", table="orders").problems[0]
    assert problem == f"no file 'y.db' in {folder}; did you mean 'x.db'?"
    assert not (folder / "y.db").exists()


def test_mixed_sqlite_columns_become_text_without_loss(read, folder, monkeypatch):
    monkeypatch.setattr(database, "BATCH", 2)
    with sqlite3.connect(folder / "x.db") as file:
        file.execute("CREATE TABLE mixed (a)")
        values = [1, 9007199254740993, 0.5, "007", 7]
        file.executemany("INSERT INTO mixed VALUES (?)", [(value,) for value in values])
    file.close()
    staged, rows = read(table="mixed")
    assert staged.columns == {"a": "VARCHAR"}
    assert [row[0] for row in rows] == ["1", "9007199254740993", "0.5", "007", "7"]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 2**63 - 1], "BIGINT", [1, None, 2**63 - 1]),
        ([1, 2**70], "DECIMAL(22,0)", [Decimal(1), Decimal(2**70)]),
        (
            [Decimal("1.5"), 12, Decimal("0.125")],
            "DECIMAL(5,3)",
            [Decimal("1.5"), 12, Decimal("0.125")],
        ),
        ([Decimal("NaN"), Decimal("1.50")], "VARCHAR", ["NaN", "1.50"]),
        ([Decimal(10) ** 40], "VARCHAR", ["1" + "0" * 40]),
        ([0.1, 3], "DOUBLE", [0.1, 3.0]),
        ([0.1, 2**60], "VARCHAR", ["0.1", str(2**60)]),
        ([True, False], "BOOLEAN", [True, False]),
        ([True, 7], "VARCHAR", ["true", "7"]),
        (
            [dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3)],
            "TIMESTAMP",
            [dt.datetime(2020, 1, 2), dt.datetime(2020, 1, 2, 3)],
        ),
        ([b"\x00\xff"], "BLOB", [b"\x00\xff"]),
        ([{"b": 1, "a": "é"}], "VARCHAR", ['{"a": "é", "b": 1}']),
        ([None, None], "VARCHAR", [None, None]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_types_widen_without_loss(connection, values, kind, expected, together):
    sink = batches.Sink(connection, "t", ["a"])
    for batch in [values] if together else [[value] for value in values]:
        sink.take([(value,) for value in batch])
    assert sink.finish() == {"a": kind}
    rows = connection.execute("SELECT * FROM t ORDER BY source_row").fetchall()
    assert rows == [(value, i) for i, value in enumerate(expected, 1)]


def test_the_hash_of_an_extract_knows_content_and_not_order(connection):
    def hashed(select):
        connection.execute(f"CREATE OR REPLACE TABLE t AS {select}")
        return database.extract_hash(connection, "t", {"n": "INTEGER", "s": "VARCHAR"}, "x")

    first = hashed("FROM (VALUES (1, 'a'), (2, 'b')) v(n, s)")
    assert hashed("FROM (VALUES (2, 'b'), (1, 'a')) v(n, s)") == first
    assert hashed("FROM (VALUES (1, 'b'), (2, 'a')) v(n, s)") != first
    assert hashed("FROM (VALUES (1, 'a'), (2, NULL)) v(n, s)") != first
    assert hashed("FROM (VALUES (1, 'a'), (2, 'b'), (2, 'b')) v(n, s)") != first


def test_before_reading_the_hash_is_not_known_and_said_so(folder):
    (record,) = inputs(TableSpecification(sql="sqlite:///x.db", table="orders"), folder)
    assert record.sha256 is None
    assert record.note == "the hash of a database extract is known once it has been read"


def test_only_a_batch_is_held(connection, folder, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(database, "BATCH", 2_000)
    query = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
        SELECT i, 'customer number ' || i AS name FROM n"""
    peaks = []
    for rows in (6_000, 30_000):
        table = TableSpecification(sql="sqlite:///x.db", query=query.format(rows))
        tracemalloc.start()
        staged = stage(connection, "transactions", table, folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert staged.inputs[0].rows == rows
    assert peaks[1] < 1.5 * peaks[0]


class TestSecrets:
    """Nothing that is said, kept or traced holds a secret."""

    def said(self, error: BaseException) -> str:
        buffer = io.StringIO()
        tests, library = itertools.tee(traceback.walk_tb(error.__traceback__))
        ours = [frame for frame in library if "keycustomer" in frame[0].f_code.co_filename]
        assert 0 < len(ours) < len(list(tests))
        summary = traceback.StackSummary.extract(iter(ours), capture_locals=True)
        buffer.writelines(summary.format())
        buffer.writelines(traceback.format_exception(error))
        causes = [error, error.__cause__, error.__context__]
        return buffer.getvalue() + "".join(str(c) + repr(c) for c in causes) + repr(vars(error))

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://ann:literal-pass@localhost/x",
            "postgresql+psycopg://ann:literal-pass@127.0.0.1:1/x",
            "mysql://ann@localhost/x?password=literal-pass",
            "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dliteral-pass",
            "snowflake://ann@acc/x?token=literal-pass",
        ],
    )
    def test_a_secret_written_out_is_refused_and_not_repeated(self, read, url):
        error = refusal(read, url, table="t")
        assert "write ${NAME} in its place and set that environment variable" in str(error)
        assert "literal-pass" not in self.said(error)

    def test_the_message_for_a_written_password(self, read):
        error = refusal(read, "postgresql://ann:literal-pass@localhost/x", table="t")
        assert str(error) == (
            "table transactions: sql: the URL holds a password; write ${NAME} in its place and "
            "set that environment variable; a case file is shared"
        )

    def test_an_unset_variable_is_named(self, read, monkeypatch):
        monkeypatch.delenv("KC_TEST_PW", raising=False)
        error = refusal(read, "postgresql://ann:${KC_TEST_PW}@localhost/x", table="t")
        assert error.problems == (
            "sql: the environment variable KC_TEST_PW is not set; set it before the run, as in "
            "`export KC_TEST_PW=...`",
        )

    @pytest.mark.parametrize(
        "url", ["postgresql+psycopg://ann:${KC_TEST_PW}@127.0.0.1:1/x", "${KC_TEST_URL}"]
    )
    def test_a_failing_connection_says_no_secret(self, read, monkeypatch, caplog, url):
        pytest.importorskip("psycopg")
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("KC_TEST_PW", SECRET)
        full = sa.URL.create("postgresql+psycopg", "ann", SECRET, "127.0.0.1", 1, "x")
        monkeypatch.setenv("KC_TEST_URL", full.render_as_string(hide_password=False))
        error = refusal(read, url, table="t")
        assert "OperationalError" in str(error)
        for form in (SECRET, *full.render_as_string(hide_password=False).split("@")[:1]):
            assert form not in self.said(error)
            assert form not in caplog.text
            assert form not in str(pickle.loads(pickle.dumps(error)))  # noqa: S301

    def test_a_driver_that_repeats_the_password_is_redacted(self, read, monkeypatch):
        monkeypatch.setenv("KC_TEST_PW", SECRET)

        def connect(**_):
            raise sa.exc.DBAPIError(None, None, OSError(f"refused 'ann' with {SECRET!r}"))

        monkeypatch.setattr(database, "_engine", lambda *_: connect())
        error = refusal(read, "postgresql://ann:${KC_TEST_PW}@localhost/x", table="t")
        assert SECRET not in self.said(error)
        assert error.problems == (
            "postgresql://ann:${KC_TEST_PW}@localhost/x: OSError: refused 'ann' with "
            "'${KC_TEST_PW}'",
        )

    def test_a_short_secret_withholds_the_message(self, monkeypatch):
        monkeypatch.setenv("KC_TEST_PW", "ab")
        address = open_address("postgresql://ann:${KC_TEST_PW}@localhost/x")
        withheld = "(the driver's message is withheld: it holds a secret)"
        assert address.redact("a cab to London") == withheld

    def test_an_address_neither_shows_nor_travels(self, monkeypatch):
        monkeypatch.setenv("KC_TEST_PW", SECRET)
        address = open_address("postgresql://ann:${KC_TEST_PW}@localhost/x")
        assert SECRET not in repr(address) + str(address)
        with pytest.raises(TypeError):
            pickle.dumps(address)
        assert address.url.password == SECRET

    def test_a_specification_does_not_show_its_url(self):
        url = "postgresql://ann:literal-pass@localhost/x"
        assert "literal-pass" not in repr(TableSpecification(sql=url, table="t"))
        with pytest.raises(ValueError, match="needs either") as caught:
            TableSpecification(sql=url)
        assert "literal-pass" not in str(caught.value)

    @pytest.mark.parametrize(
        ("written", "values", "expected"),
        [
            ("sqlite:///${KC_A}.db", {"KC_A": "x"}, ("sqlite", None, None, "x.db")),
            (
                "postgresql://${KC_A}:${KC_B}@${KC_C}:${KC_D}/shop",
                {"KC_A": "ann@home", "KC_B": "p:/?#@w", "KC_C": "db.local", "KC_D": "5433"},
                ("postgresql", "db.local", 5433, "shop"),
            ),
        ],
    )
    def test_values_need_no_escaping(self, monkeypatch, written, values, expected):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        url = open_address(written).url
        assert (url.drivername, url.host, url.port, url.database) == expected
        if "KC_B" in values:
            assert (url.username, url.password) == ("ann@home", "p:/?#@w")

    @pytest.mark.parametrize("url", ["nonsense", "${}", "${A B}", "foo://u@h/x", "://", ""])
    def test_urls_that_make_no_sense_are_refused(self, read, url):
        assert refusal(read, url, table="t").problems


@pytest.mark.postgres
class TestPostgres:
    """On a real PostgreSQL."""

    @pytest.fixture(autouse=True)
    def shop(self, postgres_url, monkeypatch):
        monkeypatch.setenv("KC_TEST_URL", postgres_url)
        url = sa.make_url(postgres_url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as writer:
            writer.exec_driver_sql("DROP SCHEMA IF EXISTS kc_shop CASCADE")
            writer.exec_driver_sql("CREATE SCHEMA kc_shop")
            writer.exec_driver_sql(
                "CREATE TABLE kc_shop.orders (id text, amount numeric(12, 4), day date, "
                "moment timestamptz, ok boolean, big bigint, extra jsonb)"
            )
            insert = sa.text(
                "INSERT INTO kc_shop.orders VALUES (:id, 0.1001, '2020-02-29', "
                "'2020-01-01 00:30:00+01', true, 9007199254740993, '{\"a\": 1}'), "
                "(' %s', NULL, NULL, NULL, NULL, NULL, NULL)"
            )
            writer.execute(insert, {"id": "007"})
        yield engine
        with engine.begin() as writer:
            writer.exec_driver_sql("DROP SCHEMA kc_shop CASCADE")
        engine.dispose()

    def test_values_are_exact(self, connection, read):
        staged = stage(
            connection,
            "transactions",
            TableSpecification(sql="${KC_TEST_URL}", table="kc_shop.orders"),
            None,
        )
        assert staged.columns == {
            "id": "VARCHAR",
            "amount": "DECIMAL(4,4)",
            "day": "DATE",
            "moment": "TIMESTAMP WITH TIME ZONE",
            "ok": "BOOLEAN",
            "big": "BIGINT",
            "extra": "VARCHAR",
        }
        rows = connection.execute(
            "SELECT id, amount, day, epoch(moment), ok, big, extra, source_row "
            f"FROM {staged.relation} ORDER BY source_row"
        ).fetchall()
        moment = dt.datetime(2019, 12, 31, 23, 30, tzinfo=dt.UTC).timestamp()
        first = ("007", Decimal("0.1001"), dt.date(2020, 2, 29), moment, True, 9007199254740993)
        assert rows[0] == (*first, '{"a": 1}', 1)
        assert rows[1] == (" %s", None, None, None, None, None, None, 2)
        assert staged.label == "database ${KC_TEST_URL}"

    def test_a_query_with_percent_and_colons(self, read):
        query = "SELECT id, '10:20'::text AS t FROM kc_shop.orders WHERE id LIKE '00%'"
        assert read("${KC_TEST_URL}", query=query)[1] == [("007", "10:20", 1)]

    @pytest.mark.parametrize(
        "query",
        [
            "WITH x AS (DELETE FROM kc_shop.orders RETURNING id) SELECT * FROM x",
            "SELECT setval('kc_shop.s', 2)",
            "SELECT * INTO kc_shop.y FROM kc_shop.orders",
        ],
    )
    def test_nothing_is_written(self, read, shop, query):
        with shop.begin() as writer:
            writer.exec_driver_sql("CREATE SEQUENCE kc_shop.s")
        refusal(read, "${KC_TEST_URL}", query=query)
        with shop.connect() as reader:
            count = "SELECT count(*), (SELECT last_value FROM kc_shop.s) FROM kc_shop.orders"
            assert tuple(reader.exec_driver_sql(count).one()) == (2, 1)

    def test_rows_arrive_in_batches(self, connection, read):
        query = "SELECT i, i::text AS t FROM generate_series(1, 50001) AS i ORDER BY i"
        staged, rows = read("${KC_TEST_URL}", query=query)
        assert staged.inputs[0].rows == 50_001
        assert rows[-1] == (50_001, "50001", 50_001)

    def test_a_wrong_password_is_not_repeated(self, read, postgres_url, monkeypatch):
        monkeypatch.setenv("KC_TEST_PW", SECRET)
        url = sa.make_url(postgres_url)
        written = (
            f"postgresql://nobody:${{KC_TEST_PW}}@{url.host}:{url.port or 5432}/{url.database}"
        )
        error = refusal(read, written, table="orders")
        assert SECRET not in TestSecrets().said(error)
        assert "nobody" in str(error)

    def test_an_error_in_the_query_is_passed_on(self, read):
        error = refusal(read, "${KC_TEST_URL}", query="SELECT * FROM kc_shop.nope")
        assert 'UndefinedTable: relation "kc_shop.nope" does not exist' in str(error)
