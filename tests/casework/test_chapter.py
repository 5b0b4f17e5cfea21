"""A chapter records what its notebook finds, escapes what it shows, and withholds what it must."""

import hashlib
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import casework, lifetime
from keycustomer.casework import CaseError, Chapter, open_chapter
from keycustomer.casework.disclosure import escape_markdown, withhold_small_cells
from keycustomer.casework.measures import FORECASTS, LIFETIME_MODELS, MEASURES, VALUE_GROUPS
from keycustomer.customers import probable_duplicates
from keycustomer.customers.base import open_base
from keycustomer.lifetime.validation.predictions import BASELINES, FORESIGHT
from keycustomer.lifetime.value.potential import GROUPS
from keycustomer.stats import Estimate
from matplotlib import pyplot
from toy_project import CASE

SCRIPT = "<script>alert(1)</script>"
SALES = (
    "customer_id,date,amount\n"
    f"{SCRIPT},2024-01-01,50\n"
    "=1+2,2024-01-02,100\n"
    "007,2024-01-03,10\n"
    "@SUM(A1),2024-01-04,10\n"
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """What chapters show: data and metadata."""
    collected: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
    monkeypatch.setattr(
        casework.display,  # type: ignore[attr-defined]
        "_show",
        lambda data, metadata=None: collected.append((data, metadata)),
    )
    return collected


def chapter_of(project: Path, *, identifiable: bool = True, **parameters: Any) -> Chapter:
    """Open chapter 1 of the toy case, with customers of difficult names."""
    folder = project / "casework" / "toy"
    text = CASE.replace("identifiable: true", f"identifiable: {str(identifiable).lower()}")
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    (folder / "sales.csv").write_text(SALES, encoding="utf-8")
    return open_chapter("1_pareto_analysis", "toy", **parameters)


def saved(chapter: Chapter) -> dict[str, Any]:
    """Save a chapter and read its record."""
    path = chapter.save() / "chapters" / f"{chapter.name}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_opening_prepares_the_base_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    assert chapter.base.path == project / "casework" / "toy" / "base.duckdb"
    assert len(chapter.base.query("from transactions")) == 99
    assert "writing the base" in capsys.readouterr().out
    open_chapter(1, "toy")  # type: ignore[arg-type]
    assert "the base is up to date" in capsys.readouterr().out


def test_values_given_go_before_the_case_and_the_case_before_the_notebook(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_text(CASE + "parameters:\n  1: {draws: 99, seed: 5}\n", encoding="utf-8")
    chapter = open_chapter("1_pareto_analysis", "toy", draws=10, seed=7, share="3e-1")
    assert dict(chapter.parameters) == {"draws": 99, "seed": 7, "share": 0.3, "mode": "well"}
    assert chapter.parameters.draws == 99
    table = chapter.parameters.to_frame().set_index("parameter")
    assert table["from"].to_dict() == {
        "draws": "case file",
        "seed": "given",
        "share": "given",
        "mode": "notebook",
    }
    assert table.loc["share", "meaning"] == "part called the top, share 0..1"


def test_in_a_run_what_is_given_stands(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_text(CASE + "parameters:\n  1: {draws: 99}\n", encoding="utf-8")
    monkeypatch.setenv("KEYCUSTOMER_OUTPUT", str(project / "aside"))
    chapter = open_chapter("1_pareto_analysis", "toy", draws=10)
    assert chapter.parameters.draws == 10
    assert chapter.folder == project / "aside"


def test_wrong_parameters_are_refused_together(project: Path) -> None:
    with pytest.raises(CaseError) as caught:
        open_chapter("1_pareto_analysis", "toy", drawz=1, seed="x")
    assert len(caught.value.problems) == 2
    chapter = open_chapter("1_pareto_analysis", "toy")
    with pytest.raises(AttributeError, match=r"no parameter 'drawz' \(did you mean 'draws'\?\)"):
        _ = chapter.parameters.drawz


def test_measures_come_from_a_closed_vocabulary(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    estimate = Estimate(0.5, 0.4, 0.6, "share of revenue", 7, "bootstrap")
    chapter.measure("pareto_share", estimate, group="top_20")
    chapter.measure("gini", 0.1 + 0.2, n=np.int64(7), method="exact")
    chapter.measure("theil", None)
    chapter.measure("hhi", Estimate(0.1, math.nan, math.nan, "index", 7, "none"))
    rows = saved(chapter)["measures"]
    assert rows[0] == {
        "chapter": "1_pareto_analysis",
        "measure": "pareto_share",
        "group": "top_20",
        "estimate": 0.5,
        "lower": 0.4,
        "upper": 0.6,
        "truth": None,
        "unit": "share of revenue",
        "n": 7,
        "method": "bootstrap",
    }
    assert rows[1]["estimate"] == 0.3
    assert rows[2]["estimate"] is None
    assert rows[3]["lower"] is None


@pytest.mark.parametrize(
    ("name", "group", "value", "complaint"),
    [
        ("ginny", "", 1, "1_pareto_analysis has no measure 'ginny' (did you mean 'gini'?); it has"),
        ("pareto_share", "top_2", 1, "measure 'pareto_share' has no group 'top_2' (did you mean"),
        ("pareto_share", "", 1, "measure 'pareto_share' has no group ''; it has: top_20, top_10"),
        ("gini", "", math.inf, "measure 'gini', estimate is infinite; report None"),
    ],
)
def test_other_measures_are_refused(
    project: Path, name: str, group: str, value: float, complaint: str
) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    with pytest.raises(ValueError) as caught:
        chapter.measure(name, value, group=group)
    assert str(caught.value).startswith(complaint)


def test_the_measures_of_chapter_1_bear_the_agreed_names() -> None:
    assert set(MEASURES["1_pareto_analysis"]) == {
        "pareto_share",
        "customers_for_80",
        "gini",
        "hhi",
        "theil",
        "whale_peak",
        "loss_making_share",
        "class_a_customers",
        "class_a_value_share",
        "retained_top_20",
        *(f"bgnbd_{name}" for name in ("r", "alpha", "a", "b")),
        *(f"mbgnbd_{name}" for name in ("r", "alpha", "a", "b")),
        *(f"paretonbd_{name}" for name in ("r", "alpha", "s", "beta")),
        *(f"gammagamma_{name}" for name in ("p", "q", "v")),
        "log_likelihood",
        "holdout_rmse",
        "holdout_total_ratio",
        "future_top_20_capture",
        "customer_equity",
        "model_pareto_share",
        "lasting_pareto_share",
        "overlooked_share",
        "key_customers",
    }
    assert MEASURES["1_pareto_analysis"]["pareto_share"].groups == ("top_20", "top_10", "top_1")


def test_the_groups_of_lifetime_measures_are_the_library_s_names() -> None:
    models = lifetime.TRANSACTION_MODELS
    assert tuple(LIFETIME_MODELS) == (*models, "Gamma-Gamma")
    assert set(FORECASTS) == {*models, *BASELINES, FORESIGHT}
    assert VALUE_GROUPS == GROUPS


def test_a_lifetime_model_is_recorded_with_what_it_cannot_say(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    table = pd.DataFrame(
        {"frequency": [2, 1, 0], "recency": [14.0, 7.0, 0.0], "T": [70.0, 70.0, 70.0]}
    )
    fitted = lifetime.fit_bgnbd(table)
    assert fitted.limit
    chapter.model(fitted)
    rows = {row["measure"]: row for row in saved(chapter)["measures"]}
    assert rows["log_likelihood"]["group"] == "BG/NBD"
    assert rows["log_likelihood"]["estimate"] == pytest.approx(fitted.log_likelihood, rel=1e-11)
    lost = [name for name in ("r", "alpha", "a", "b") if name not in fitted.names]
    assert lost
    for name in lost:
        assert rows[f"bgnbd_{name}"]["estimate"] is None
        assert rows[f"bgnbd_{name}"]["method"] == fitted.limit


def test_the_ledger_shows_amounts_without_exponents(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    for estimate, written in ((2638.07, "2,638"), (999.7, "1,000"), (0.1046, "0&#46;105")):
        said: list[str] = []
        chapter.say = said.append  # type: ignore[method-assign]
        chapter.ledger("R4", "s", "m", estimate, "undecided")
        assert f" {written}: " in said[0]


def test_the_ledger_knows_claims_and_verdicts(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.ledger("K1", "80/20", "pareto_share", 0.5, "not supported")
    with pytest.raises(ValueError, match="no claim 'K10'"):
        chapter.ledger("K10", "?", "gini", 1, "supported")
    with pytest.raises(ValueError, match="no verdict 'true'; the verdicts are supported, not"):
        chapter.ledger("K1", "?", "gini", 1, "true")
    assert saved(chapter)["ledger"] == [
        {
            "claim": "K1",
            "statement": "80/20",
            "measure": "pareto_share",
            "estimate": 0.5,
            "lower": None,
            "upper": None,
            "verdict": "not supported",
            "data": "toy",
        }
    ]


def test_a_cell_run_twice_replaces_its_result(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.measure("gini", 0.1)
    chapter.measure("gini", 0.2)
    assert [row["estimate"] for row in saved(chapter)["measures"]] == [0.2]


def test_figures_are_saved_with_their_text_alternative(project: Path, shown: list[Any]) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    hashes = []
    for _ in range(2):
        figure, axes = pyplot.subplots()
        axes.plot([1, 2])
        chapter.figure("line", axes, alt='Rises from 1 to 2, "quickly".')
        path = chapter.folder / "figures" / "1_line.png"
        hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
        assert not pyplot.fignum_exists(figure.number)
    assert hashes[0] == hashes[1]
    assert b"Matplotlib" not in path.read_bytes()
    data, metadata = shown[0]
    assert data["text/plain"] == 'Rises from 1 to 2, "quickly".'
    assert metadata["image/png"]["alt"] == metadata["alt"] == 'Rises from 1 to 2, "quickly".'
    figure, axes = pyplot.subplots()
    with pytest.raises(ValueError, match="no text alternative"):
        chapter.figure("bare", axes)
    pyplot.close(figure)


def test_pages_of_their_own_are_saved_and_listed(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.page("dossier_1", SimpleNamespace(html="<p>Ann &amp; Co</p>"), "Dossier of <Ann>")
    assert (chapter.folder / "pages" / "1_dossier_1.html").read_text() == "<p>Ann &amp; Co</p>"
    assert saved(chapter)["pages"] == [
        {"name": "dossier_1", "file": "pages/1_dossier_1.html", "title": "Dossier of <Ann>"}
    ]
    with pytest.raises(ValueError, match="is no name for one of the pages"):
        chapter.page("../up", SimpleNamespace(html=""), "")


@pytest.mark.parametrize("name", ["../up", "a/b", "", "Ä", "a b", ".hidden", "x" * 80])
def test_names_of_files_are_plain(project: Path, name: str) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    with pytest.raises(ValueError, match="is no name for one of the tables"):
        chapter.table(name, pd.DataFrame({"a": [1]}))


def test_customers_called_like_code_stay_names(project: Path, shown: list[Any]) -> None:
    chapter = chapter_of(project)
    frame = chapter.base.query(
        "select customer_id, sum(revenue) as revenue from transactions group by all order by all"
    )
    frame["note"] = "$x$ & <b>"
    chapter.table("customers", frame, caption=f"Of {SCRIPT}")
    chapter.say("The best is {name}.", name=SCRIPT)
    chapter.say(f"Forgotten to escape: {SCRIPT}")
    chapter.skip(SCRIPT, "products")
    html = [
        *(data["text/html"] for data, _ in shown if "text/html" in data),
        chapter._repr_html_(),
    ]
    assert len(html) == 2
    for text in html + [data["text/markdown"] for data, _ in shown if "text/markdown" in data]:
        assert "<script" not in text
    assert "&lt;script&gt;" in html[0]
    written = chapter.folder / "tables" / "1_customers.csv"
    lines = written.read_text(encoding="utf-8").splitlines()
    assert lines[1:] == [
        "007,10.0,$x$ & <b>",
        f"{SCRIPT},50.0,$x$ & <b>",
        "'=1+2,100.0,$x$ & <b>",
        "'@SUM(A1),10.0,$x$ & <b>",
    ]
    exact = pd.read_parquet(written.with_suffix(".parquet"))
    assert list(exact["customer_id"]) == ["007", SCRIPT, "=1+2", "@SUM(A1)"]


@settings(deadline=None)
@given(st.text())
def test_escaped_text_has_nothing_markdown_or_html_could_take(text: str) -> None:
    import html

    escaped = escape_markdown(text)
    assert not set(escaped.replace("&#", "").replace(";", "")) & set("<>\"'*_`[]()#\\$|!&:@=^")
    assert html.unescape(escaped) == html.unescape(
        "".join(f"&#{ord(c)};" if c in "&" else c for c in " ".join(text.split()))
    )


def test_tables_are_written_the_same_way_twice(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    frame = pd.DataFrame({"a": [0.1 + 0.2, math.nan], "b": ["é", None]})
    contents = []
    for _ in range(2):
        chapter.table("t", frame)
        folder = chapter.folder / "tables"
        contents.append([(folder / f"1_t.{end}").read_bytes() for end in ("csv", "parquet")])
    assert contents[0] == contents[1]
    assert contents[0][0] == "a,b\n0.30000000000000004,é\n,\n".encode()


def test_indexes_and_repeated_columns(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.table("t", pd.DataFrame({"n": [1]}, index=pd.Index(["A"], name="class")))
    assert (chapter.folder / "tables" / "1_t.csv").read_text() == "class,n\nA,1\n"
    with pytest.raises(ValueError, match=r"several columns called \['n'\]"):
        chapter.table("t", pd.DataFrame([[1, 2]], columns=["n", "n"]))


def test_the_first_rows_are_shown_and_all_are_saved(project: Path, shown: list[Any]) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.table("long", pd.DataFrame({"n": range(1000)}))
    html = shown[-1][0]["text/html"]
    assert html.count("<tr>") == 30
    assert "The first 30 of 1,000 rows; all are in tables/1_long.csv." in html


def test_without_a_key_labels_are_ranks_by_revenue(project: Path) -> None:
    chapter = chapter_of(project, identifiable=False)
    assert chapter.customer("=1+2") == "customer 1"
    assert chapter.customer(["007", "@SUM(A1)", SCRIPT]) == [
        "customer 3",
        "customer 4",
        "customer 2",
    ]
    with pytest.raises(KeyError, match="no customer 'nobody' in this base"):
        chapter.customer("nobody")


def test_with_a_key_labels_are_keyed_hashes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import base64
    import hmac

    monkeypatch.setenv("KEYCUSTOMER_PSEUDONYM_KEY", "secret")
    chapter = chapter_of(project, identifiable=False)
    digest = hmac.new(b"secret", b"007", hashlib.sha256).digest()
    expected = base64.b32encode(digest).decode().lower()[:12]
    assert chapter.customer("007") == f"customer {expected}"
    monkeypatch.setenv("KEYCUSTOMER_PSEUDONYM_KEY", "other")
    assert chapter_of(project, identifiable=False).customer("007") != f"customer {expected}"


def test_an_identifiable_case_names_customers(project: Path) -> None:
    chapter = chapter_of(project)
    assert chapter.customer("007") == "007"


def test_tables_of_others_name_nobody(project: Path) -> None:
    chapter = chapter_of(project, identifiable=False)
    frame = pd.DataFrame(
        {"customer_id": ["007", None], "name": ["James", "?"], "email_l": ["a@b", ""], "n": [1, 2]}
    )
    chapter.table("people", frame)
    text = (chapter.folder / "tables" / "1_people.csv").read_text(encoding="utf-8")
    assert text == "customer_id,n\ncustomer 3,1\n,2\n"


def test_findings_of_others_quote_no_rows(project: Path) -> None:
    chapter = chapter_of(project, identifiable=False)
    chapter.table("findings", pd.DataFrame({"rule": ["id_case"], "examples": ["'Ann', 'ann'"]}))
    text = (chapter.folder / "tables" / "1_findings.csv").read_text(encoding="utf-8")
    assert text == "rule\nid_case\n"


def test_probable_duplicates_of_others_stand_under_their_labels(project: Path) -> None:
    chapter = chapter_of(project, identifiable=False)
    twins = pd.DataFrame({"customer_id": ["007", "=1+2"], "name": "Ann Smith", "email": "a@b.org"})
    with duckdb.connect() as connection:
        path = str(project / "twins.duckdb")
        shutil.copy(chapter.base.path, path)
        connection.execute(f"attach '{path}' as base")
        connection.register("twins", twins)
        connection.execute("create table base.customers as from twins")
    chapter.table("twins", probable_duplicates(open_base(path)).to_frame())
    text = (chapter.folder / "tables" / "1_twins.csv").read_text(encoding="utf-8")
    assert "customer 3" in text and "customer 1" in text
    assert "007" not in text and "=1+2" not in text


def test_small_groups_are_withheld(project: Path, shown: list[Any]) -> None:
    frame = pd.DataFrame(
        {"class": list("ABCD"), "customers": [4, 30, 3, 0], "revenue": [1.5, 2.5, 3.5, 0.0]}
    )
    chapter_of(project, identifiable=False).table("classes", frame, count="customers")
    html = shown[-1][0]["text/html"]
    assert "2 rows are withheld (empty), so that no group of fewer than 5 customers" in html
    folder = project / "casework" / "toy" / "work" / "1_pareto_analysis"
    text = (folder / "tables" / "1_classes.csv").read_text(encoding="utf-8")
    assert text == "class,customers,revenue\nA,,\nB,30,2.5\nC,,\nD,0,0.0\n"
    chapter_of(project).table("classes", frame, count="customers")
    assert "withheld" not in shown[-1][0]["text/html"]


def test_one_small_group_alone_takes_the_next_with_it() -> None:
    frame = pd.DataFrame({"class": list("ABC"), "n": [3, 40, 20], "x": ["a", "b", "c"]})
    withheld, rows = withhold_small_cells(frame, "n", 5)
    assert rows == 2
    assert withheld["n"].isna().tolist() == [True, False, True]
    assert withheld["x"].isna().tolist() == [True, False, True]
    assert frame["n"].tolist() == [3, 40, 20]
    with pytest.raises(ValueError, match=r"no count column \['m'\]; the table has"):
        withhold_small_cells(frame, "m", 5)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.integers(1, 10),
)
def test_withheld_groups_cannot_be_had_by_subtraction(sizes: list[int], minimum: int) -> None:
    frame = pd.DataFrame({"group": range(len(sizes)), "n": sizes})
    withheld, rows = withhold_small_cells(frame, "n", minimum)
    shown = withheld["n"].dropna()
    assert not ((shown > 0) & (shown < minimum)).any()
    others = [size for size in sizes if size >= minimum]
    assert rows != 1 or not others


def test_saving_says_what_was_saved(project: Path, shown: list[Any]) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.skip("What do they buy?", "products.category")
    record = saved(chapter)
    assert record["skipped"] == [
        {"section": "What do they buy?", "missing_table": "products.category"}
    ]
    assert record["parameters"] == {"draws": 10, "seed": 0, "share": 0.2, "mode": "well"}
    assert "measures 0" in shown[-1][0]["text/markdown"]
    usage = chapter.folder / "chapters" / "1_pareto_analysis.usage.json"
    assert json.loads(usage.read_text())["peak_memory_bytes"] > 10_000_000


def refuse(customer: str, *, months: int) -> int:
    if months < 2:
        raise ValueError(f"{months} month of '{customer}' is too few")
    return months


def test_what_the_data_do_not_allow_is_said_and_gone_on(project: Path, shown: Any) -> None:
    chapter = chapter_of(project)
    assert chapter.attempt("1.9 Months", refuse, "007", months=3) == 3
    assert chapter.attempt("1.9 Months", refuse, "007", months=1) is None
    assert "Not computed" in shown[-1][0]["text/plain"]
    assert saved(chapter)["skipped"] == [
        {"section": "1.9 Months", "missing_table": "1 month of '007' is too few"}
    ]


def test_a_refusal_names_no_customer_of_a_case_that_hides_them(project: Path) -> None:
    chapter = chapter_of(project, identifiable=False)
    chapter.attempt("1.9 Months", refuse, "007", months=1)
    (skipped,) = saved(chapter)["skipped"]
    assert skipped["missing_table"] == "1 month of '...' is too few"


def test_only_a_refusal_is_caught(project: Path) -> None:
    with pytest.raises(TypeError):
        chapter_of(project).attempt("1.9 Months", refuse, "007")
