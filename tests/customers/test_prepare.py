"""A base is made whole or not at all, reused while nothing changed, and says where it is from."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from keycustomer import customers
from keycustomer.customers.aside import aside
from keycustomer.customers.base import open_base
from keycustomer.customers.errors import DataError
from keycustomer.customers.prepare import check_base, prepare_base
from keycustomer.customers.specification import BaseSpecification
from keycustomer.lifetime import contract_tenures
from raw_tables import LINES, case, check, finding

GOOD = LINES + "007,o1,2024-01-05,p1,2,10\n7,o2,2024-01-06,p1,1,5.25\n"


def files(folder: Path) -> set[str]:
    """Names in a folder, without the sources."""
    return {path.name for path in folder.iterdir() if path.suffix != ".csv"}


def prepare(folder: Path, text: str = GOOD, **options):
    """Prepare a base and return it with what was said on the way."""
    said: list[str] = []
    force = options.pop("force", False)
    specification = case(folder, text, **options)
    base = prepare_base(
        specification, folder, folder / "base.duckdb", force=force, progress=said.append
    )
    return base, said


def test_a_base_holds_typed_lines_in_the_order_of_the_source(tmp_path):
    base, said = prepare(tmp_path)
    described = base.query("describe transactions")
    assert dict(zip(described["column_name"], described["column_type"], strict=True)) == {
        "line": "BIGINT",
        "customer_id": "VARCHAR",
        "order_id": "VARCHAR",
        "date": "DATE",
        "product_id": "VARCHAR",
        "quantity": "DECIMAL(18,4)",
        "revenue": "DECIMAL(18,4)",
        "discount": "DECIMAL(18,4)",
        "cost": "DECIMAL(18,4)",
        "channel": "VARCHAR",
    }
    frame = base.query("select line, customer_id, revenue from transactions")
    assert frame.values.tolist() == [[1, "007", 10.0], [2, "7", 5.25]]
    assert said[0] == "reading transactions" and said[-1] == "writing the base"
    assert files(tmp_path) == {"base.duckdb", ".base.duckdb.lock"}


def test_a_base_says_where_it_is_from(tmp_path):
    base, _ = prepare(
        tmp_path,
        customers='customer_id,age,"Größe ""x"""\n007,40-49,1\n',
        attributes={"demographic": ["age", 'Größe "x"']},
        observed={"start": "2024-01-01", "end": "2024-12-31"},
    )
    facts = dict(base.query("select key, value from provenance").itertuples(index=False))
    assert facts["title"] == "Test" and facts["currency"] == "EUR"
    assert (facts["start"], facts["end"]) == ("2024-01-01", "2024-12-31")
    assert json.loads(facts["attributes"]) == {"demographic": ["age", 'Größe "x"']}
    assert json.loads(facts["rows"])["transactions"] == {"read": 2, "kept": 2}
    (source, _) = json.loads(facts["inputs"])
    assert source["table"] == "transactions" and source["location"] == "transactions.csv"
    assert source["bytes"] == len(GOOD) and len(source["sha256"]) == 64
    assert base.query("from customers").columns.tolist() == ["customer_id", "age", 'Größe "x"']


def test_findings_and_exclusions_are_kept_with_the_base(tmp_path):
    text = GOOD + "c1,o3,2024-01-06,p1,1,0\nc1,o4,2024-01-07,p1,-1,-2\n"
    base, _ = prepare(tmp_path, text, rules={"returns": "drop"})
    assert base.exclusions.values.tolist() == [
        ["transactions", "returns", "drop", 1, -2.0, "a line of negative quantity or amount"]
    ]
    found = base.findings.set_index("rule")
    assert found.loc["zero_price", "severity"] == "warning"
    assert found.loc["returns", "examples"] == "row 4: quantity -1, revenue -2"


def test_a_base_is_reused_while_nothing_changed(tmp_path):
    prepare(tmp_path)
    before = (tmp_path / "base.duckdb").stat().st_mtime_ns
    base, said = prepare(tmp_path)
    assert said == ["the base is up to date"]
    assert (tmp_path / "base.duckdb").stat().st_mtime_ns == before
    assert len(base.query("from transactions")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"text": GOOD.replace("5.25", "5.26")},
        {"rules": {"zero_price": "drop"}},
        {"time_zone": "Asia/Tokyo"},
        {"force": True},
    ],
    ids=["content", "rule", "zone", "force"],
)
def test_a_base_is_made_anew_when_something_changed(tmp_path, change):
    prepare(tmp_path)
    _, said = prepare(tmp_path, **change)
    assert "writing the base" in said


def test_a_reader_sees_the_new_content_although_an_old_base_is_still_open(tmp_path):
    old, _ = prepare(tmp_path)
    new, _ = prepare(tmp_path, GOOD.replace("5.25", "6"))
    assert (
        new.query("select max(line) as n, sum(revenue) as r from transactions").iloc[0]["r"] == 16
    )
    assert old.query("select sum(revenue) as r from transactions").iloc[0]["r"] == 15.25


def test_bases_with_future_dates_are_checked_again_the_next_day(tmp_path, monkeypatch):
    text = GOOD + "c1,o9,2999-01-01,p1,1,5\n"
    _, said = prepare(tmp_path, text, rules={"future_date": "drop"})
    assert "writing the base" in said
    _, said = prepare(tmp_path, text, rules={"future_date": "drop"})
    assert said == ["the base is up to date"]
    tomorrow = pd.Timestamp.now("UTC").date() + pd.Timedelta(days=1)
    monkeypatch.setattr("keycustomer.customers.prepare.today", lambda zone: tomorrow)
    _, said = prepare(tmp_path, text, rules={"future_date": "drop"})
    assert "writing the base" in said


def test_a_failed_preparation_leaves_the_former_base(tmp_path):
    prepare(tmp_path)
    with pytest.raises(DataError, match="without customer_id"):
        prepare(tmp_path, GOOD + ",o3,2024-01-06,p1,1,5\n")
    base = open_base(tmp_path / "base.duckdb")
    assert len(base.query("from transactions")) == 2
    assert files(tmp_path) == {"base.duckdb", ".base.duckdb.lock"}


def test_a_file_that_is_no_base_is_replaced(tmp_path):
    (tmp_path / "base.duckdb").write_text("not a database")
    base, _ = prepare(tmp_path)
    assert len(base.query("from transactions")) == 2


def test_nothing_left_is_an_error_that_shows_the_exclusions(tmp_path):
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, observed={"start": "2030-01-01"}, rules={"zero_price": "drop"})
    error = caught.value.report.errors[0]
    assert str(error) == (
        "error: transactions: no row is left after the rules [rows]\n"
        "    outside_window (drop): 2 rows\n"
        "  cure: check `observed`, the date format and the rules that took the rows out"
    )
    assert caught.value.report.exclusions["rows"].tolist() == [2]


def test_sources_that_cannot_be_read_are_reported_with_the_rest(tmp_path):
    specification = case(tmp_path, GOOD + "c1,o3,,p1,1,5\n", customers="customer_id\nc1\n")
    (tmp_path / "customers.csv").unlink()
    report = check_base(specification, tmp_path)
    assert [(f.table, f.rule) for f in report.errors] == [
        ("customers", "source"),
        ("transactions", "unreadable_value"),
    ]
    assert "customers.csv" in report.errors[0].what


def test_checking_writes_nothing(tmp_path):
    report = check(tmp_path, GOOD)
    assert report.errors == ()
    assert files(tmp_path) == set()


def test_two_preparations_give_the_same_content(tmp_path):
    text = GOOD + "".join(f"c{n % 7},n{n},2024-01-06,p{n % 3},{n % 4 - 1},{n}\n" for n in range(99))
    rules = {"returns": "net", "zero_quantity": "drop"}
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        base, _ = prepare(tmp_path / name, text, rules=rules)
        tables = ("transactions", "exclusions", "findings", "provenance")
        contents.append([base.query(f"from {table}").to_csv() for table in tables])
    assert contents[0] == contents[1]


def test_several_processes_may_read_a_base_at_once(tmp_path):
    base, _ = prepare(tmp_path)
    script = (
        "import sys; from keycustomer.customers.base import open_base; "
        "print(len(open_base(sys.argv[1]).query('from transactions')))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "base.duckdb")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "2"
    assert len(base.query("from transactions")) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from keycustomer.customers.prepare import prepare_base
from raw_tables import case

folder, text, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def say(sentence):
    if sentence == step:
        os.kill(os.getpid(), signal.SIGKILL)

prepare_base(case(folder, text), folder, folder / "base.duckdb", progress=say)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize("step", ["casting transactions", "writing the base"])
def test_a_killed_preparation_leaves_the_former_base_and_the_next_one_completes(tmp_path, step):
    prepare(tmp_path)
    changed = GOOD.replace("5.25", "6")
    here = str(Path(__file__).parent)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), changed, step],
        env={**os.environ, "PYTHONPATH": here},
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert ".base.duckdb.partial" in files(tmp_path)
    former = open_base(tmp_path / "base.duckdb")
    assert former.query("select sum(revenue) as r from transactions").iloc[0]["r"] == 15.25
    former.close()
    base, _ = prepare(tmp_path, changed)
    assert base.query("select sum(revenue) as r from transactions").iloc[0]["r"] == 16
    assert files(tmp_path) == {"base.duckdb", ".base.duckdb.lock"}


def test_only_one_process_prepares_a_base_at_a_time(tmp_path):
    target, waited, inside = tmp_path / "base.duckdb", threading.Event(), []

    def second() -> None:
        with aside(target, waited.set) as folder:
            inside.append(folder.exists())

    with aside(target) as folder:
        other = threading.Thread(target=second)
        other.start()
        assert waited.wait(30)
        assert not inside and folder.exists()
    other.join(30)
    assert inside == [True]
    assert files(tmp_path) == {".base.duckdb.lock"}


def test_a_small_memory_limit_spills_and_cleans_up(tmp_path):
    place = tmp_path / "transactions.parquet"
    duckdb.connect().execute(
        "copy (select 'c' || (hash(range) % 50000) as customer_id, 'o' || range // 2 as order_id, "
        "date '2024-01-01' + (range // 2 % 300)::int as date, 1.5 as amount from range(1000000)) "
        f"to '{place}' (format parquet)"
    )
    specification = BaseSpecification.model_validate(
        {
            "title": "Test",
            "currency": "EUR",
            "tables": {"transactions": {"parquet": "transactions.parquet"}},
            "rules": {"duplicate_order": "keep", "duplicate_line": "keep"},
        }
    )
    base = prepare_base(
        specification, tmp_path, tmp_path / "base.duckdb", threads=2, memory_limit="150MB"
    )
    total = base.query("select count(*) as n, sum(revenue) as r from transactions").iloc[0]
    assert (total["n"], total["r"]) == (1_000_000, 1_500_000)
    assert files(tmp_path) == {"base.duckdb", ".base.duckdb.lock", "transactions.parquet"}


HOSTILE = [
    "'; drop table transactions; --",
    'a"b',
    "$zone",
    "{relation}",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "line\\nbreak",
    "名前",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_column_names_and_values_do_no_harm(tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"{quoted},date,amount\n{quoted},2024-01-05,5\n{quoted},2024-01-06,6\n"
    people = f"customer_id,{quoted}\n{quoted},{quoted}\n"
    base, _ = prepare(
        tmp_path,
        text,
        columns={"customer_id": name},
        customers=people,
        attributes={"demographic": [name]},
    )
    assert set(base.query("select customer_id from transactions")["customer_id"]) == {name}
    assert base.query("from customers").values.tolist() == [[name, name]]
    assert base.attributes == {"demographic": [name]}
    report = check(tmp_path, text + f"{quoted},{quoted},7\n", columns={"customer_id": name})
    assert finding(report, "unreadable_value").rows == 1
    assert "<script>" not in report._repr_html_()


def test_a_path_with_quotes_is_a_path(tmp_path):
    folder = tmp_path / "it's; drop"
    folder.mkdir()
    base, _ = prepare(folder)
    assert len(base.query("from transactions")) == 2


def test_the_engine_fetches_no_extension(tmp_path):
    base, _ = prepare(tmp_path)
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
        found = base.query("select value from duckdb_settings() where name = $name", name=setting)
        assert found["value"].tolist() == ["false"]


def test_a_case_without_order_lines_may_be_prepared(tmp_path):
    interactions = "customer_id,date,kind\nc1,2024-01-05,visit\nc1,2024-02-05,call\n"
    base, _ = prepare(tmp_path, None, interactions=interactions)
    assert base.tables == {"interactions"}
    assert (str(base.start), str(base.end)) == ("2024-01-05", "2024-02-05")


def test_public_names_are_reachable_from_the_package():
    assert customers.prepare_base is prepare_base
    assert customers.DataError is DataError
    assert {"stage", "open_base", "customer_table", "check_base", "TABLES"} <= set(dir(customers))


# Counts of the shipped sets, computed from their files by other means.


def test_cdnow_comes_out_with_its_known_counts(tmp_path):
    specification = BaseSpecification.model_validate(
        {"title": "T", "currency": "USD", "tables": {"transactions": {"shipped": "cdnow"}}}
    )
    base = prepare_base(specification, tmp_path, tmp_path / "base.duckdb")
    found = base.findings.set_index("rule")["rows"].to_dict()
    assert found == {"zero_price": 80, "duplicate_line": 255}
    total = base.query(
        "select count(*) as n, count(distinct customer_id) as c, sum(revenue) as r, "
        "min(customer_id) as first from transactions"
    ).iloc[0]
    assert (total["n"], total["c"], total["first"]) == (69_659, 23_570, "00001")
    assert total["r"] == pytest.approx(2_500_315.63, abs=0.005)
    assert (str(base.start), str(base.end)) == ("1997-01-01", "1998-06-30")


@pytest.mark.slow
def test_complete_journey_comes_out_with_its_known_counts(tmp_path):
    tables = ("transactions", "customers", "products")
    specification = BaseSpecification.model_validate(
        {
            "title": "T",
            "currency": "USD",
            "time_zone": "America/New_York",
            "observed": {"start": "2017-01-01", "end": "2017-12-31"},
            "tables": {name: {"shipped": "complete_journey"} for name in tables},
            "rules": {"large_quantity": {"action": "drop", "above": 1000}},
        }
    )
    base = prepare_base(specification, tmp_path, tmp_path / "base.duckdb")
    found = base.findings.set_index("rule")["rows"].to_dict()
    assert found["large_quantity"] == 13_494
    assert found["zero_quantity"] == 8_869
    assert found["unknown_product"] == 4_836
    # 11,226 lines of value 0, and 20 whose value is dust of binary arithmetic.
    assert found["zero_price"] == 11_226 + 20
    # In UTC the last lines are of 2018-01-01; on the calendar of the shops none is.
    assert "outside_window" not in found
    assert base.exclusions[["rule", "rows"]].values.tolist() == [["large_quantity", 13_494]]
    total = base.query("select count(*) as n, count(distinct order_id) as o from transactions")
    assert total["n"].item() == 1_469_307 - 13_494
    assert base.query("select count(*) as n from customers")["n"].item() == 801
    assert base.query("select count(*) as n from products")["n"].item() == 92_331


SURVEY = BaseSpecification(
    title="Answers",
    currency="none",
    tables={"survey": {"csv": "answers.csv", "attributes": {"quality": ["q1", "q2"]}}},
)


def test_a_base_of_answers_alone_states_no_days(tmp_path):
    (tmp_path / "answers.csv").write_text("q1,q2\n7,5\n,6\n")
    base = prepare_base(SURVEY, tmp_path, tmp_path / "base.duckdb")
    assert base.window is None and base.constructs == {"quality": ["q1", "q2"]}
    assert base.query("select q1, q2 from survey").fillna("").values.tolist() == [
        ["7", "5"],
        ["", "6"],
    ]
    with pytest.raises(ValueError, match="does not say which days it covers"):
        base.start  # noqa: B018
    assert "days not stated" in base._repr_html_()


def test_contracts_may_tell_tenures_and_no_days(tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id\n1\n2\n")
    (tmp_path / "contracts.csv").write_text(
        "customer_id,months,gone,why\n1,12,yes,price\n2,0,no,\n"
    )
    contracts = {
        "csv": "contracts.csv",
        "columns": {"tenure": "months", "ended": "gone", "reason": "why"},
    }
    tables = {"customers": {"csv": "customers.csv"}, "contracts": contracts}
    case = BaseSpecification(title="Tenures", currency="EUR", tables=tables)
    base = prepare_base(case, tmp_path, tmp_path / "base.duckdb")
    assert base.window is None
    rows = base.query("select tenure, ended, reason from contracts").fillna("").values.tolist()
    assert rows == [[12, True, "price"], [0, False, ""]]
    with pytest.raises(ValueError, match=r"contracts\.start is not known"):
        contract_tenures(base)


def test_tenures_that_make_no_sense_are_named(tmp_path):
    (tmp_path / "contracts.csv").write_text("customer_id,tenure,ended\n1,-1,no\n2,,yes\n3,5,\n")
    tables = {"contracts": {"csv": "contracts.csv"}}
    case = BaseSpecification(title="Tenures", currency="EUR", tables=tables)
    report = check_base(case, tmp_path)
    assert {(one.rule, one.column, one.rows) for one in report.findings} >= {
        ("contradiction", "tenure", 1),
        ("unreadable_value", "tenure", 1),
        ("unreadable_value", "ended", 1),
    }


def test_a_base_of_another_version_is_refused_with_the_cure(tmp_path):
    base, _ = prepare(tmp_path)
    base.close()
    with duckdb.connect(str(tmp_path / "base.duckdb")) as connection:
        connection.execute("update provenance set value = '1' where key = 'data_version'")
    with pytest.raises(ValueError, match="prepared by another version of the library; run the"):
        open_base(tmp_path / "base.duckdb")


def simulated(**settings) -> BaseSpecification:
    return BaseSpecification(
        title="Made up",
        currency="EUR",
        simulated=True,
        simulation={"accounts": 60, "months": 12, **settings},
        tables={name: {"simulated": "telecom"} for name in ("transactions", "customers")},
    )


def test_a_simulated_company_enters_as_any_source_does(tmp_path):
    said: list[str] = []
    path = tmp_path / "base.duckdb"
    base = prepare_base(simulated(), tmp_path, path)
    assert base.simulated and base.simulation == {"accounts": 60, "months": 12, "seed": 1}
    assert base.query("select count(*) as n from customers")["n"].item() == 60
    first = base.query("select sum(revenue) as revenue from transactions")["revenue"].item()
    prepare_base(simulated(), tmp_path, path, progress=said.append)
    assert said == ["the base is up to date"]
    other = prepare_base(simulated(seed=2), tmp_path, path)
    assert other.query("select sum(revenue) as revenue from transactions")["revenue"].item() != (
        first
    )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"simulated": False}, "table transactions is simulated; write `simulated: true`"),
        ({"simulation": None}, "table transactions is simulated; say which company"),
        ({"tables": {"transactions": {"csv": "a.csv"}}}, "but no table is simulated"),
    ],
)
def test_what_is_simulated_says_so(changed, problem):
    with pytest.raises(ValueError, match=problem):
        BaseSpecification.model_validate({**simulated().model_dump(exclude_unset=True), **changed})


@pytest.mark.parametrize(
    ("table", "location", "problem"),
    [
        ("transactions", "bank", "no simulated company 'bank'; there is: telecom"),
        ("transactons", "telecom", "no such table"),
    ],
)
def test_an_unknown_company_is_refused(tmp_path, table, location, problem):
    known = simulated().model_dump(exclude_unset=True)
    with pytest.raises((DataError, ValueError), match=problem):
        changed = {**known, "tables": {table: {"simulated": location}}}
        prepare_base(BaseSpecification.model_validate(changed), tmp_path, tmp_path / "b.duckdb")
