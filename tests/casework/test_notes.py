"""Notes are filled from results and nothing else; what cannot be is refused with its line."""

import re
from pathlib import Path
from typing import Any

import pytest
from crafted_outputs import CHAPTERS, claim, measure, results, write
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError, run_cases
from keycustomer.casework.across.note_file import check_note, note_holds
from keycustomer.casework.across.notes import fill_case_note, fill_note, write_note
from keycustomer.casework.across.numerals import typed_numbers
from keycustomer.casework.progress import LineProgress
from keycustomer.cli import app
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = sorted(ROOT.glob("casework/*/note.md"))


def plain(text: str, **changes: Any) -> str:
    """Text of a filled note without tags, on one line."""
    filled = fill_note(text, results(**changes))
    markup = " ".join(section.heading + section.content for section in filled.sections)
    bare = re.sub(r"<[^>]+>", "", re.sub(r"</t[hd]>", " ", markup))
    return " ".join(bare.split())  # which splits at narrow no-break spaces too


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("gini", "0.5"),
        ("gini with interval", "0.5 (0.4 to 0.6)"),
        ("gini as number 3", "0.500"),
        ("gini as percent 0 with interval", "50 % (40 % to 60 %)"),
        ("pareto_share[top_20]", "70.0 %"),
        ("pareto_share[top_20] as points 0", "70 percentage points"),
        ("pareto_share[top_20] as number", "0.70"),
        ("interval pareto_share[top_10]", "40.0 % to 65.0 %"),
        ("lower gini", "0.4"),
        ("upper gini as whole", "1"),
        ("truth pareto_share[top_20] as percent 1", "72.0 %"),
        ("n gini", "100"),
        ("revenue as money", "2.50 million EUR"),
        ("revenue with interval", "2,500,000 (no interval)"),
        ("0.revenue as whole", "2,500,000"),
        (
            "difference pareto_share[top_10], pareto_share[top_20] as points 1",
            "\N{MINUS SIGN}20.0 percentage points",
        ),
        ("ratio pareto_share[top_20], pareto_share[top_10] as number 2", "1.40"),
        ("K1[pareto_share] as percent with interval", "70.0 % (60.0 % to 80.0 %)"),
        ("K2", "70.0 %"),
        ("verdict K1[pareto_share]", "not supported"),
        ("statement K2", "Others &lt;later&gt;"),
        (
            "ledger K2",
            "Others &lt;later&gt;: supported (overlooked_share 70.0 %, 60.0 % to 80.0 %)",
        ),
        ("parameter 1.top as percent 0", "20 %"),
        ("parameter 1.every", "month"),
        ("case title", "Case first"),
        ("  gini   as\n number  1 ", "0.5"),
    ],
)
def test_a_placeholder_becomes_what_the_results_say(asked: str, shown: str) -> None:
    assert plain(f"It is {{{{ {asked} }}}}!") == f"It is {shown}!"


def test_small_amounts_keep_their_cents() -> None:
    rows = [measure("revenue", 4.784, unit="currency", chapter="0_customer_file")]
    assert plain("{{ revenue as money }}", measures=rows) == "4.78 EUR"
    assert plain("{{ revenue as money 0 }}", measures=rows, currency="none") == "5"


def test_every_row_of_a_claim_and_all_groups_of_a_measure_stand_in_tables() -> None:
    shown = plain("{{ ledger }}\n\n{{ table pareto_share }}\n\n{{ ledger K1 }}")
    assert shown.count("not supported") == 2  # in the table, in the line
    assert "pareto_share, share of revenue group estimate interval truth" in shown
    assert "top_20 70.0 % 60.0 % to 80.0 % 72.0 % top_10 50.0 % 40.0 % to 65.0 %" in shown
    assert "undecided (lasting_pareto_share not known)" in shown


NOTE_OF_VERDICTS = """\
Before.
{{ if K1[pareto_share] is supported }}
It holds.
{{ elif K1[pareto_share] is not supported }}
It does not.
{{ else }}
Nobody knows.
{{ end }}
After.
"""


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("supported", "It holds."), ("not supported", "It does not."), ("undecided", "Nobody knows.")],
)
def test_the_text_follows_the_verdict(verdict: str, said: str) -> None:
    assert plain(NOTE_OF_VERDICTS, ledger=[claim("K1", verdict)]) == f"Before. {said} After."


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("gini above 0.49", True),
        ("gini above 0.5", False),
        ("gini below 0.51", True),
        ("gini below pareto_share[top_20]", True),
        ("pareto_share[top_20] above K1[pareto_share]", False),
        ("known gini", True),
        ("known pareto_share[top_1]", False),
        ("known gammagamma_p", False),
        ("ran 1", True),
        ("ran 4", False),
        ("K2 is supported", True),
        ("K2 is undecided", False),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    rows = [*results()["measures"], measure("pareto_share", None, group="top_1")]
    text = f"{{{{ if {condition} }}}}yes{{{{ else }}}}no{{{{ end }}}}"
    assert plain(text, measures=rows) == ("yes" if holds else "no")


def test_choices_nest_and_do_not_break_a_list() -> None:
    text = (
        "1. one\n{{ if ran 1 }}\n2. two {{ if ran 0 }}inner{{ else }}other{{ end }}\n{{ end }}\n"
        "3. three {{ gini }}\n"
    )
    filled = fill_note(text, results())
    assert filled.sections[0].content.count("<li>") == 3
    assert plain(text) == "one two inner three 0.5"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ system_minus_sum }}", "[system_minus_sum: chapter 5 did not run]"),
        (
            "{{ whale_peak as percent }}",
            "[whale_peak as percent: chapter 1 reported none in this run]",
        ),
        ("{{ verdict T7 }}", "[verdict T7: no verdict on T7 in this run]"),
        ("{{ parameter 4.seed }}", "[parameter 4.seed: chapter 4 did not run]"),
        ("{{ truth gini }}", "[truth gini: no truth is known of gini]"),
        ("{{ case start }}", "[case start: the case has no start]"),
        (
            "{{ if T7 is supported }}a{{ else }}b{{ end }}",
            "[if T7 is supported: no verdict on T7 in this run]",
        ),
    ],
)
def test_what_is_not_there_is_said_where_it_would_stand(text: str, told: str) -> None:
    assert plain(text) == told
    assert len(fill_note(text, results()).missing) == 1


def test_a_chapter_that_failed_is_told_from_one_that_did_not_run() -> None:
    content = results(measures=[], ledger=[])
    content["run"]["chapters"]["1_pareto_analysis"]["status"] = "failed"
    filled = fill_note("{{ gini }} {{ verdict K1 }}", content)
    assert list(filled.missing["missing"]) == [
        "chapter 1 failed",
        "no verdict on K1 in this run (without chapter 1)",
    ]
    content = results(measures=[], chapters=CHAPTERS[:1])
    assert fill_note("{{ gini }}", content).missing["missing"].item() == "chapter 1 did not run"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{ giny }}", "no chapter has a measure 'giny' (did you mean 'gini'?)"),
        ("{{ 4.gini }}", "chapter 4 has no measure 'gini'; 1_pareto_analysis has it"),
        ("{{ pareto_share[top20] }}", "(did you mean 'top_20'?)"),
        ("{{ gini as percnt }}", "no form 'percnt' (did you mean 'percent'?)"),
        ("{{ verdict K10 }}", "no claim 'K10' (did you mean 'K1'?)"),
        ("{{ X9 }}", "no claim 'X9'"),
        ("{{ table K1 }}", "a claim has no table; write {{ ledger K1 }}"),
        ("{{ case owner }}", "no fact 'owner'"),
        ("{{ gini + 1 }}", "{{ gini + 1 }} is no placeholder"),
        ("{{ }}", "is no placeholder"),
        ("a {{ gini", "{{ has no }}"),
        ("gini }} b", "}} has no {{"),
        ("{{ if K1 is true }}a{{ end }}", "{{ K1 is true }} is no condition"),
        ("{{ if ran 1 }}a", "this {{ if ... }} has no {{ end }}"),
        ("a{{ end }}", "{{ end }} without an {{ if ... }} before it"),
        ("{{ else }}", "{{ else }} without an {{ if ... }} before it"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(text: str, complaint: str) -> None:
    problems = check_note(f"# Title\n\n{text}\n")
    assert problems and problems[0].startswith("note.md, line 3: ")
    assert complaint in problems[0]


def test_all_mistakes_are_told_at_once_also_in_texts_that_are_not_shown() -> None:
    text = "{{ giny }}\n{{ if ran 4 }}\n{{ hhh }}\n{{ else }}\n{{ verdict Q1 }}\n{{ end }}\n"
    assert [problem[:16] for problem in check_note(text)] == [
        f"note.md, line {line}" + (":" if line < 10 else "") for line in (1, 3, 5)
    ]
    hidden = "{{ if ran 4 }}\n{{ omega[funktional] }}{{ K1 }}\n{{ end }}"
    with pytest.raises(CaseError, match=r"line 2: claim K1 is decided by several measures"):
        fill_note(hidden, results())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{ verdict K1 }}", r"write one of: K1\[pareto_share\], K1\[lasting_pareto_share\]"),
        ("{{ verdict K1[pareto_shar] }}", r"is not decided by 'pareto_shar' \(did you mean"),
        ("{{ pareto_share }}", "has several groups; name one of: top_20, top_10"),
        ("{{ pareto_share[top_1] }}", "has no group 'top_1' here .*; it has: top_20, top_10"),
        ("{{ parameter 1.topp }}", r"no parameter 'topp' \(did you mean 'top'\?\)"),
        ("[a](http://x/{{ gini }})", "stands in an equation or a link"),
        ("$x = {{ gini }}$", "stands in an equation or a link"),
    ],
)
def test_what_these_results_do_not_have_is_refused(text: str, complaint: str) -> None:
    assert check_note(text) == ()
    with pytest.raises(CaseError, match=f"line 2: .*{complaint}"):
        fill_note(f"\n{text}", results())


def test_two_chapters_with_a_measure_of_one_name_must_be_told_apart() -> None:
    rows = [
        measure("plan_promised", 1.0, group="today", chapter="3_relationship_levels"),
        measure("plan_promised", 2.0, group="top 10", chapter="5_marketing_strategy"),
    ]
    assert plain("{{ plan_promised[today] }}", measures=rows) == "1"
    assert plain("{{ 5.plan_promised[top 10] as whole }}", measures=rows) == "2"
    with pytest.raises(CaseError, match=r"write one of: 3\.plan_promised, 5\.plan_promised"):
        fill_note("{{ plan_promised }}", results(measures=rows))


HOSTILE = "<script>alert(1)</script> & $x$ [a](javascript:b) {{ gini }} `c` *d* | e"


def test_text_of_data_stays_text() -> None:
    rows = [claim("K1", "supported", statement=HOSTILE)]
    filled = fill_note(
        "- {{ statement K1 }}\n\n{{ ledger }}\n", results(ledger=rows, title=HOSTILE)
    )
    markup = " ".join(section.content for section in filled.sections) + filled.title
    assert markup.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; $x$") == 3
    assert "<script" not in markup and "<math" not in markup and "href" not in markup
    assert "{{ gini }} `c` *d* | e" in markup


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_is_filled_or_refused_with_a_line(text: str) -> None:
    try:
        fill_note(text, results())
    except CaseError as error:
        assert all(re.match(r"note\.md, line \d+: ", problem) for problem in error.problems)


def test_the_page_is_offline_and_for_instructors(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# T & {{ case name }}\n\nA.\n\n## Two\n\n{{ gini }}\n")
    page = tmp_path / "note.html"
    assert not note_holds(tmp_path, tmp_path)
    assert write_note(tmp_path, results(simulated=True), page) is not None
    markup = page.read_text(encoding="utf-8")
    assert "Instructor's note" in markup and "Simulated data. No real customer" in markup
    assert "<title>T &amp; first (simulated data)" in markup
    assert '<span class="filled" title="gini">0.5</span>' in markup
    assert "default-src &#39;none&#39;" in markup or "default-src 'none'" in markup
    assert re.findall(r'(?:src|href)="(?!#|report\.html)[^"]*"', markup) == []
    assert note_holds(tmp_path, tmp_path)
    (tmp_path / "note.md").write_text("# Other\n")
    assert not note_holds(tmp_path, tmp_path)
    (tmp_path / "note.md").unlink()
    assert not note_holds(tmp_path, tmp_path)
    assert write_note(tmp_path, results(), page) is None


def test_a_run_fills_the_note_and_does_so_again_when_only_the_note_changed(
    project: Path, engine: str
) -> None:
    folder = project / "casework" / "toy"
    note, page = folder / "note.md", folder / "output" / "note.html"

    def run() -> str:
        (outcome,) = run_cases(
            ["toy"], engine=engine, progress=LineProgress(open("/dev/null", "w"))
        )
        return outcome.status

    case_file = folder / "case.yaml"
    case_file.write_text(case_file.read_text() + "chapters:\n  - 0_customer_file\n")
    note.write_text("# Toy\n\n{{ customers }} of them.\n", encoding="utf-8")
    assert run() == "completed"
    assert ">7</span>" in page.read_text(encoding="utf-8")
    assert run() == "up to date"
    note.write_text("# Toy\n\n{{ customers as number 1 }}, {{ verdict K1 }}.\n", encoding="utf-8")
    assert run() == "completed"
    assert '>7.0</span>, <span class="missing"' in page.read_text(encoding="utf-8")
    note.write_text("{{ giny }}", encoding="utf-8")
    with pytest.raises(CaseError, match="line 1: no chapter has a measure 'giny'"):
        run()


def test_the_command_fills_a_note_anew(project: Path) -> None:
    folder = project / "casework" / "toy"
    write(folder / "output", results("toy"))
    command = ["note", "toy"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1 and "note.md is missing; write the note first" in refused.output
    (folder / "note.md").write_text("{{ gini }} {{ verdict T7 }}", encoding="utf-8")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "line 1, verdict T7: no verdict on T7 in this run" in done.output
    assert fill_case_note("toy")[0] == folder / "output" / "note.html"
    (folder / "note.md").write_text("\n{{ giny }}", encoding="utf-8")
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1 and "toy: note.md, line 2: " in refused.output
    (folder / "note.md").write_bytes(b"caf\xe9")
    assert "not UTF-8" in CliRunner().invoke(app, command).output


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.parent.name)
def test_the_notes_of_the_cases_are_right(path: Path) -> None:
    assert check_note(path.read_text(encoding="utf-8")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Question 3, exercises 5.2 and 5.3, sections 1 to 4, chapter 0: K1, T8a and R4.",
        "{{ gini as number 2 }} and {{ if gini above 0.5 }}a{{ end }}",
        "The 80/20 rule (Schmittlein 1993; Kim, 2017), in the summer of 1998, since May 2003.",
        "1. first\n2. second\n\n> 3) third\n",
        "`seed: 7` and\n```yaml\nseed: 8\n```\n~~~\n9\n~~~\n",
        "[a page](https://example.org/9) and https://example.org/10",
        "# Sources\n\nInterfaces 31(3), 94-107.\n",
        "<!-- 12 -->",
    ],
)
def test_digits_that_may_stand_in_a_text(text: str) -> None:
    assert typed_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The top fifth\nbrings 67.7 % of it", [(2, "67.7")]),
        ("In all 1,998 customers", [(1, "1,998")]),
        ("a share of 20 %", [(1, "20")]),
        ("# Sources\n\n31(3)\n\n# Answers\n\nabout 5 times", [(7, "5")]),
        ("Question 3: 40 customers", [(1, "40")]),
        ("K10 and 0.5", [(1, "K10"), (1, "0.5")]),
        ("of 2000 % more", [(1, "2000")]),
    ],
)
def test_typed_numbers_are_found(text: str, found: list[tuple[int, str]]) -> None:
    assert typed_numbers(text) == found


def test_long_texts_of_tables_keep_a_wide_column() -> None:
    """On a phone a statement must not be squeezed to a word a line."""
    long = "A fifth of the customers brings four fifths of the revenue"
    found = fill_note("{{ ledger }}\n", results(ledger=[claim("K1", "supported", statement=long)]))
    assert f'<td class="long">{long}</td>' in found.sections[0].content
