"""The evidence ledger counts what cases found, never in a claim's favour, and hides nothing."""

import ast
import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework.across.claims import ARTICLES, BY_ID, COURSE
from keycustomer.casework.across.ledger import (
    CONTRADICTORY,
    NOT_TESTED,
    PRACTICE,
    evidence_ledger,
    summary_verdict,
)
from keycustomer.casework.across.ledger_page import ledger_page, write_ledger
from keycustomer.casework.across.rules import RULES, expected_errors, rule_of
from keycustomer.casework.across.yardsticks import PUBLISHED
from keycustomer.casework.errors import CaseError
from keycustomer.casework.measures import CLAIMS, MEASURES, VERDICTS
from keycustomer.cli import app
from published_output import measured, publish, row
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
YES, NO, OPEN = VERDICTS

# 4,000 draws of a share of 0.025 have a standard deviation of 0.0025; four of them.
SHARE_TOLERANCE = 0.01


def finding(ledger: object, claim: str, column: str = "finding") -> str:
    """What the ledger says on a claim over all cases."""
    return str(ledger.claims.set_index("claim").loc[claim, column])


# ---- the claims and the rules -------------------------------------------------------------------


def test_every_claim_of_the_course_stands_in_the_ledger_once() -> None:
    assert set(BY_ID) == CLAIMS
    assert len(BY_ID) == len(COURSE)
    assert {one.article for one in COURSE} == {one.letter for one in ARTICLES}
    assert (
        len({one.name for one in COURSE}) == len({one.statement for one in COURSE}) == len(COURSE)
    )


def test_ways_of_working_have_no_rule() -> None:
    for one in COURSE:
        assert not (one.practice and any(claim == one.claim for claim, _ in RULES))


def ledger_calls() -> Iterator[tuple[str, str, str, str]]:
    """Notebook, claim, measure and verdict expression of every row that a chapter may write."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]_*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code" or "ledger" not in cell["metadata"].get("tags", ()):
                continue
            source = "".join(cell["source"])
            tree = ast.parse(source)
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "chapter.ledger":
                    for claim in claims_of(call.args[0], tree):
                        yield path.stem, claim, ast.literal_eval(call.args[2]), source


def claims_of(argument: ast.expr, tree: ast.Module) -> list[str]:
    """Ids a call is made with: the one it names, or those of the loop around it."""
    if isinstance(argument, ast.Constant):
        return [str(argument.value)]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in texts if text in CLAIMS]


def test_every_row_that_a_chapter_writes_has_its_rule_in_words() -> None:
    calls = list(ledger_calls())
    assert len(calls) > 30
    missing = [f"{book}: {claim} {measure}" for book, claim, measure, _ in calls
               if rule_of(claim, measure) is None]  # fmt: skip
    assert not missing, f"describe these rows in keycustomer.casework.across.rules: {missing}"


def test_rules_in_words_are_those_in_the_code_where_the_cell_shows_them() -> None:
    shown = 0
    for _, claim, measure, source in ledger_calls():
        rules = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)
                 and ast.unparse(node.func).startswith("kc.stats.verdict_")]  # fmt: skip
        if len(rules) != 1:
            continue
        form = ast.unparse(rules[0].func).removeprefix("kc.stats.verdict_").replace("_", " ")
        rule = rule_of(claim, measure)
        assert rule is not None and rule.form.replace("first", "above") == form, (claim, measure)
        limit = rules[0].args[1] if len(rules[0].args) > 1 else ast.Constant(0)
        if isinstance(limit, ast.Constant):
            assert rule.threshold == limit.value, (claim, measure)
        shown += 1
    assert shown >= 12


@pytest.mark.parametrize(
    ("claim", "measure", "true", "false", "unclear"),
    [
        ("K1", "pareto_share", (0.9, 0.85, 0.95), (0.6, 0.55, 0.65), (0.2, math.nan, math.nan)),
        ("K2", "overlooked_share", (0.3, 0.2, 0.4), (0.05, 0.02, 0.08), (0.1, 0.05, 0.2)),
        ("R3", "complaint_effect", (-2, -3, -1), (1, 0.5, 2), (-1, -2, 0.5)),
        ("V2", "htmt", (0.5, 0.4, 0.6), (1.1, 0.95, 1.2), (0.9, 0.7, 1.1)),
        ("V4", "type_stability", (0.8, 0.7, 0.9), (0.4, 0.3, 0.5), (0.6, 0.5, 0.7)),
        ("T8e", "odds_ratio", (1.5, 1.2, 1.9), (0.7, 0.5, 0.9), (1.1, 0.8, 1.4)),
        ("T4", "policy_gap", (80, 20, 140), (-80, -140, -20), (5, -10, 20)),
    ],
)
def test_a_rule_tells_true_from_false_from_unclear(
    claim: str, measure: str, true: tuple, false: tuple, unclear: tuple
) -> None:
    rule = RULES[claim, measure]
    assert [rule.by_interval(*ends) for ends in (true, false, unclear)] == [YES, NO, OPEN]


def test_rules_that_cannot_deny_a_claim_say_so() -> None:
    cannot = {(rule.claim, rule.form) for rule in RULES.values() if not rule.can_deny}
    assert {claim for claim, _ in cannot} == {"K4", "V6", "M3", "T1", "M5", "V7"}
    assert all(rule.denied_when.startswith("never") for rule in RULES.values() if not rule.can_deny)


def test_a_rule_errs_as_often_as_it_is_said_to() -> None:
    # At the worst place, on the threshold, an exact 95 % interval leaves it out on either side.
    rule = RULES["V4", "type_stability"]
    draws = np.random.default_rng(7).normal(rule.threshold, 0.05, size=4000)
    half = 1.959964 * 0.05
    said = [rule.by_interval(one, one - half, one + half) for one in draws]
    assert np.mean([one == YES for one in said]) == pytest.approx(
        rule.false_support, abs=SHARE_TOLERANCE
    )
    assert np.mean([one == NO for one in said]) == pytest.approx(
        rule.false_denial, abs=SHARE_TOLERANCE
    )


def test_expected_errors_add_up_by_the_form_of_the_rule() -> None:
    errors = expected_errors(
        [("V4", "type_stability"), ("V6", "drift_p_value"), ("K1", "pareto_share"), ("K1", "new")]
    )
    assert (errors.rows, errors.unbounded, errors.unknown) == (2, 1, 1)
    assert errors.expected == pytest.approx(0.025 + 0.05)
    assert "at most 0.1 of these verdicts" in errors.sentence
    assert "1 row may support a claim because the interval is wide" in errors.sentence


# ---- several rows, several cases ----------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(VERDICTS), min_size=1, max_size=6), st.sampled_from(VERDICTS))
def test_one_row_more_never_speaks_for_a_claim(said: list[str], more: str) -> None:
    rank = {NO: 0, OPEN: 1, YES: 2}
    assert summary_verdict(said) == summary_verdict(said[::-1])
    assert rank[summary_verdict([*said, more])] <= rank[summary_verdict(said)]
    assert (summary_verdict(said) == YES) == (set(said) == {YES})


def test_no_rows_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="not tested"):
        summary_verdict([])


def test_findings_over_cases_and_on_real_data(tmp_path: Path) -> None:
    one = [row("K1", "pareto_share", NO), row("K2", "overlooked_share", YES),
           row("V5", "correlation", YES), row("V5", "deal_reliability", OPEN)]  # fmt: skip
    two = [row("K1", "pareto_share", NO), row("K2", "overlooked_share", OPEN),
           row("V4", "type_stability", YES)]  # fmt: skip
    made_up = [row("K1", "pareto_share", YES), row("K2", "overlooked_share", YES),
               row("T5", "survival_change", YES)]  # fmt: skip
    ledger = evidence_ledger(
        [
            publish(tmp_path / "c", "made", made_up, simulated=True),
            publish(tmp_path / "a", "one", one),
            publish(tmp_path / "b", "two", two),
        ]
    )
    assert ledger.outputs["output"].tolist() == ["one", "two", "made"]
    assert finding(ledger, "K1") == CONTRADICTORY
    assert finding(ledger, "K1", "finding_real") == NO
    assert finding(ledger, "K2") == "supported or undecided"
    assert finding(ledger, "V5") == OPEN
    assert finding(ledger, "T5") == YES
    assert finding(ledger, "T5", "finding_real") == NOT_TESTED
    assert finding(ledger, "M4") == PRACTICE
    assert ledger.matrix().loc["V4"].tolist() == ["", YES, ""]
    assert ledger.summary[0].startswith(
        "5 of 41 claims have been tested, 4 of them on real data, by 10 rows of 3 cases. "
        "1 of these cases is made up"
    )
    said = " ".join(ledger.summary)
    assert "Contradictory, supported in one case and not supported in another: K1 (20/80)." in said
    assert "Tested on made-up data only: T5 (one responsible)." in said
    assert (
        "Supported on all real data that tested them: V4 (three types of customer; 1 case)." in said
    )
    assert "T7 (a system, not a sum)" in said


def test_a_case_run_twice_counts_once_by_its_newest_run(tmp_path: Path) -> None:
    old = publish(tmp_path / "then" / "shop", "shop", [row("K1", "pareto_share", YES)],
                  ended="2026-01-01T00:00:00+00:00")  # fmt: skip
    new = publish(tmp_path / "now" / "shop", "shop", [row("K1", "pareto_share", NO)])
    ledger = evidence_ledger([new, old, new])
    assert len(ledger.outputs) == 2
    assert finding(ledger, "K1") == NO
    assert ledger.claims.set_index("claim").loc["K1", "cases"] == 1
    assert ledger.outputs["output"].tolist() == ["shop in now/shop", "shop in then/shop"]
    assert ledger.notes[0] == (
        "shop was run more than once; the newest run counts, and shown only is: shop in then/shop."
    )


def test_results_that_may_no_longer_hold_are_marked(tmp_path: Path) -> None:
    rows = [row("K1", "pareto_share", NO)]
    chapters = {"1_pareto_analysis": {"status": "completed", "notebook_sha256": "another"}}
    failed = {"3_relationship_levels": {"status": "failed", "notebook_sha256": "another"}}
    ledger = evidence_ledger(
        [
            publish(tmp_path / "a", "fresh", rows),
            publish(tmp_path / "b", "library", rows, library_sha256="another"),
            publish(tmp_path / "c", "notebook", rows, chapters=chapters),
            publish(tmp_path / "d", "broken", rows, chapters=failed),
        ]
    )
    reasons = ledger.outputs.set_index("output")["outdated"]
    assert reasons["fresh"] == ""
    assert reasons["library"] == "the library's code changed"
    assert reasons["notebook"] == "notebook 1_pareto_analysis changed"
    assert set(ledger.frame.loc[ledger.frame["output"] == "library", "outdated"]) != {""}
    assert any("In broken a chapter failed: 3_relationship_levels." in n for n in ledger.notes)


def test_a_verdict_that_its_interval_does_not_give_is_named(tmp_path: Path) -> None:
    rows = [row("K2", "overlooked_share", OPEN, (0.3, 0.2, 0.4)),
            row("V4", "type_stability", NO, (0.4, 0.3, 0.5))]  # fmt: skip
    ledger = evidence_ledger([publish(tmp_path / "a", "a", rows)])
    assert any("1 verdict differs" in n and "K2 in a (overlooked_share)" in n for n in ledger.notes)


def test_support_by_a_wide_interval_is_named(tmp_path: Path) -> None:
    rows = [row("K1", "pareto_share", YES, (0.7, 0.5, 0.85)),
            row("K1", "pareto_share_of_profit", YES, (0.9, 0.85, 0.95))]  # fmt: skip
    ledger = evidence_ledger([publish(tmp_path / "a", "a", rows)])
    assert ledger.notes == (
        "Supported although the estimate lies below what is claimed, because its interval reaches "
        "it: K1 in a (pareto_share).",
    )


def test_rows_on_companies_simulated_anew_are_told_apart(tmp_path: Path) -> None:
    rows = [row("T5", "survival_change", YES), row("K1", "pareto_share", NO)]
    ledger = evidence_ledger([publish(tmp_path / "a", "a", rows, simulated=True)])
    assert ledger.frame.set_index("claim")["basis"].to_dict() == {
        "K1": "own data",
        "T5": "companies simulated anew",
    }
    assert any("1 row rests on companies simulated anew" in note for note in ledger.notes)
    assert "a (companies simulated anew)" in ledger_page(ledger, tmp_path).html


def test_unknown_claims_and_verdicts_are_refused_together(tmp_path: Path) -> None:
    rows = [row("Z1", "gini", YES), row("K1", "pareto_share", "perhaps")]
    with pytest.raises(CaseError) as caught:
        evidence_ledger([publish(tmp_path / "a", "a", rows)])
    first, second = caught.value.problems
    assert "row 1 of ledger: no claim 'Z1'" in first and str(tmp_path) in first
    assert "row 2 of ledger: no verdict 'perhaps'" in second


def test_outputs_that_tested_nothing(tmp_path: Path) -> None:
    ledger = evidence_ledger([publish(tmp_path / "a", "a", [])])
    assert ledger.summary == ["No case has tested a claim yet."]
    assert len(ledger.to_frame()) == len(COURSE)
    write_ledger(ledger, tmp_path)


# ---- published numbers --------------------------------------------------------------------------


def test_published_numbers_stand_beside_the_cases(tmp_path: Path) -> None:
    known = {name: one for chapter in MEASURES.values() for name, one in chapter.items()}
    for one in PUBLISHED:
        assert one.claim in CLAIMS
        assert not known[one.measure].groups or one.group in known[one.measure].groups
    own = [measured("pareto_share", "top_20", (0.7, 0.65, 0.75)),
           measured("pareto_share", "top_1", (0.2, 0.1, 0.3))]  # fmt: skip
    output = publish(tmp_path / "a", "shop", [row("K1", "pareto_share", NO)], measures=own)
    frame = evidence_ledger([output]).yardsticks
    shares = frame[frame["measure"] == "pareto_share"]
    assert shares["value"].is_monotonic_decreasing
    assert shares.loc[shares["kind"] == "case", ["whose", "value"]].values.tolist() == [
        ["shop", 0.7]
    ]
    assert {0.80, 0.73, 0.67, 0.68, 0.59, 0.60} == set(shares["value"]) - {0.7}


# ---- page, tables and command -------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script> & 'x'"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of a real and a made-up case with hostile texts, as the command writes it."""
    folder = tmp_path_factory.mktemp("runs")
    own = [measured("pareto_share", "top_20", (0.7, 0.65, 0.75))]
    publish(folder / "a shop", "a shop", measures=own, ledger=[
        row("K1", "pareto_share", NO, (0.7, 0.65, 0.75), HOSTILE),
        row("V7", "driver_lead", OPEN, (0.1, -0.1, 0.3), "=HYPERLINK(1)"),
    ])  # fmt: skip
    publish(folder / "made", "made", [row("K1", "pareto_share", YES)], simulated=True)
    result = CliRunner().invoke(app, ["ledger", "--output", str(folder)])
    assert result.exit_code == 0, result.output
    assert "2 of 41 claims have been tested" in result.output
    assert f"written: {folder / 'ledger.html'}" in result.output
    return folder


def test_the_table_is_tidy_and_names_what_nobody_tested(written: Path) -> None:
    text = (written / "ledger.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    tested = [one for one in rows if one["output"]]
    assert [(one["claim"], one["output"]) for one in tested] == [
        ("K1", "a shop"), ("K1", "made"), ("V7", "a shop"),
    ]  # fmt: skip
    assert (
        tested[0] | {"estimate": "0.7", "run_date": "2026-11-22", "version": "0.1.0"} == tested[0]
    )
    assert tested[2]["statement"] == "'=HYPERLINK(1)"
    assert {one["claim"] for one in rows} == CLAIMS
    assert {one["verdict"] for one in rows if not one["output"]} == {NOT_TESTED, PRACTICE}
    claims = (written / "ledger_claims.csv").read_text(encoding="utf-8")
    assert len(list(csv.DictReader(io.StringIO(claims)))) == len(COURSE)


def test_the_page_escapes_marks_and_needs_no_network(written: Path) -> None:
    page = (written / "ledger.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert 'href="a%20shop/report.html"' in page
    assert "Simulated data: made" in page and "made (simulated)" in page
    assert all(f"{one.claim} {one.name}" in page for one in COURSE)
    assert all(one.chinese in page for one in (*COURSE, *ARTICLES))


def test_the_page_names_rules_it_does_not_know(tmp_path: Path) -> None:
    ledger = evidence_ledger([publish(tmp_path / "a", "a", [row("K1", "brand_new", YES)])])
    page = ledger_page(ledger, tmp_path)
    reading = next(one for one in page.sections if one.title == "How to read a verdict")
    assert "Rules that this version does not describe: K1 (brand_new)." in reading.sentences


def test_mistakes_of_the_command_are_lines(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ledger", "--output", str(tmp_path)])
    assert result.exit_code == 1
    assert "has been run; first: keycustomer run CASE" in result.output
    result = CliRunner().invoke(app, ["ledger", str(tmp_path / "none"), "--output", str(tmp_path)])
    assert result.exit_code == 1 and "no results.json there" in result.output
    publish(tmp_path / "shop", "shop", [])
    there = tmp_path / "shop" / "results.json"
    result = CliRunner().invoke(app, ["ledger", "--output", str(tmp_path), "--to", str(there)])
    assert result.exit_code == 1 and "a file, not a folder" in result.output


def test_a_ledger_reads_well_in_a_notebook(written: Path) -> None:
    from keycustomer.casework import evidence_ledger as public
    from keycustomer.casework import find_outputs

    ledger = public(find_outputs(output=written))
    assert "&lt;script" not in ledger._repr_html_() and "20/80" in ledger._repr_html_()
    assert ledger.sentence.startswith("2 of 41 claims")


def test_rows_on_companies_simulated_anew_are_no_evidence_on_real_data(tmp_path: Path) -> None:
    """A case of real customers may carry a row in which none of them enters."""
    rows = [row("T5", "survival_change", YES), row("K2", "overlooked_share", YES)]
    ledger = evidence_ledger([publish(tmp_path / "a", "a", rows)])
    assert finding(ledger, "T5") == YES and finding(ledger, "T5", "finding_real") == NOT_TESTED
    assert finding(ledger, "K2", "finding_real") == YES
    said = " ".join(ledger.summary)
    assert "1 of them on real data" in said and "made-up data only: T5" in said


def test_a_verdict_that_no_rule_explains_is_not_excused(tmp_path: Path) -> None:
    """The rule of V4 asks for nothing besides its interval."""
    rows = [row("V4", "type_stability", YES, (0.4, 0.3, 0.5))]
    ledger = evidence_ledger([publish(tmp_path / "a", "a", rows)])
    (note,) = [one for one in ledger.notes if "1 verdict differs" in one]
    assert "does not explain: V4 in a (type_stability)" in note


def test_outputs_of_one_name_are_told_apart_however_deep(tmp_path: Path) -> None:
    rows = [row("K1", "pareto_share", NO)]
    deep = [publish(tmp_path / top / "x" / "y", "shop", rows) for top in ("a", "b")]
    ledger = evidence_ledger(deep)
    assert ledger.outputs["output"].tolist() == ["shop in a/x/y", "shop in b/x/y"]
    write_ledger(ledger, tmp_path / "page")


def test_who_made_an_output_without_a_record_is_not_guessed(tmp_path: Path) -> None:
    rows = [row("K1", "pareto_share", NO)]
    ledger = evidence_ledger([publish(tmp_path / "a", "old", rows, library_sha256=None)])
    assert ledger.outputs["outdated"].tolist() == ["by which code it was made is not known"]
