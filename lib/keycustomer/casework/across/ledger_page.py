"""The evidence ledger as a page and as tables.

Question: how does a reader see at once which claim holds where, and check every verdict?

- :func:`ledger_page`: the page.
- :func:`write_ledger`: the page and its tables, into a folder.

Files: `ledger.html`; `ledger.csv`, one row a claim, case and measure; `ledger_claims.csv`, one
row a claim.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from keycustomer.casework.across.claims import ARTICLES, BY_ID, COURSE, Article
from keycustomer.casework.across.ledger import ANEW, EvidenceLedger
from keycustomer.casework.across.page import (
    Link,
    Number,
    Page,
    Picture,
    Section,
    Table,
    Verdict,
    picture,
    relative_link,
    simulated_banner,
)
from keycustomer.casework.across.rules import RULES, rule_of
from keycustomer.casework.across.yardsticks import MEANINGS
from keycustomer.casework.disclosure import neutralise_formulas
from keycustomer.casework.report.front import unit_of, written
from keycustomer.customers.rendering import counted

PAGE, ROWS, CLAIMS = "ledger.html", "ledger.csv", "ledger_claims.csv"

_MEANING = (
    "A verdict is the outcome of a rule fixed in code before the data were seen: supported (the "
    "interval lies wholly on the side of the claim), not supported (wholly on the other), or "
    "undecided (on both sides, or no interval). Undecided is no evidence against a claim: the data "
    "are too few, or too noisy, to tell. A few rules have another form; all stand below.",
    "Where several rows decide a claim in a case, it is supported there only if all of them "
    "are, and not supported as soon as one is not; the more rows, the harder.",
    "Cases are few and were not drawn at random: that a claim holds in all of them does not "
    "say how often it holds elsewhere.",
)


def write_ledger(ledger: EvidenceLedger, folder: Path) -> Path:
    """Write the page and its tables.

    Parameters
    ----------
    ledger : EvidenceLedger
        From `evidence_ledger`.
    folder : Path
        Where to; made when missing.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    CaseError
        When `folder` is a file.
    """
    page = ledger_page(ledger, folder).write(folder / PAGE)
    _write_csv(ledger.to_frame(), folder / ROWS)
    _write_csv(ledger.claims, folder / CLAIMS)
    return page


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    neutralise_formulas(frame).to_csv(path, index=False, lineterminator="\n")


def ledger_page(ledger: EvidenceLedger, folder: Path) -> Page:
    """Make the page.

    Parameters
    ----------
    ledger : EvidenceLedger
        From `evidence_ledger`.
    folder : Path
        Where the page will stand: links to the reports are relative to it.

    Returns
    -------
    Page
    """
    sections = [
        Section("What the evidence says", ledger.summary, pictures=_matrix_picture(ledger)),
        *(_article(one, ledger) for one in ARTICLES),
        _yardsticks(ledger),
        _reading(ledger),
        _runs(ledger, folder),
    ]
    made_up = ledger.outputs.loc[ledger.outputs["simulated"].astype(bool), "output"]
    return Page(
        "Evidence ledger",
        "Which claims hold, where, and how strongly",
        "Every claim of the course, the verdict on it in every case that could test it, and "
        "the estimate and interval each verdict rests on.",
        sections,
        simulated=simulated_banner(made_up),
    )


def _matrix_picture(ledger: EvidenceLedger) -> list[Picture]:
    from keycustomer.plots import evidence_matrix, use_style

    if ledger.frame.empty:
        return []
    use_style()
    return [picture(evidence_matrix(ledger))]


def _article(article: Article, ledger: EvidenceLedger) -> Section:
    """Section of an article: its claims by case, then all rows."""
    claims = [one for one in COURSE if one.article == article.letter]
    ids = [one.claim for one in claims]
    rows = ledger.frame[ledger.frame["claim"].isin(ids)]
    tested = ledger.verdicts.loc[ledger.verdicts["claim"].isin(ids), "output"]
    shown = [name for name in ledger.outputs["output"] if name in set(tested)]
    tables = [_matrix_table(ledger, ids, shown, article)]
    if not rows.empty:
        tables.append(_rows_table(rows, article))
    return Section(f"{article.letter}: {article.name} · {article.chinese}", (), tables)


def _matrix_table(
    ledger: EvidenceLedger, ids: list[str], shown: list[str], article: Article
) -> Table:
    """Claims of an article by case."""
    made_up = ledger.outputs.set_index("output")["simulated"].astype(bool)
    heads = [f"{name} (simulated)" if made_up[name] else name for name in shown]
    found = {(row["claim"], row["output"]): row for row in ledger.verdicts.to_dict("records")}
    claims = {row["claim"]: row for row in ledger.claims.to_dict("records")}
    rows = []
    for claim in ids:
        cells = [_cell(found.get((claim, name))) for name in shown]
        one = BY_ID[claim]
        said = one.statement + (f" {one.chinese}" if one.chinese else "")
        rows.append([f"{claim} {one.name}", said, _finding_text(claims[claim]), *cells])
    heads = ["Claim", "What it says", "All cases", *heads]
    return Table(f"{article.name}: verdicts by case (empty: not tested)", heads, rows)


def _finding_text(row: dict[Any, Any]) -> str:
    """Write the finding of all cases, with their number."""
    if not row["cases"]:
        return str(row["finding"])
    real = f", {row['real_cases']} real" if row["real_cases"] else ", none real"
    return f"{row['finding']} ({counted(int(row['cases']), 'case')}{real})"


def _cell(row: dict[Any, Any] | None) -> Verdict:
    """Verdict of a claim in a case; empty where not tested."""
    if row is None:
        return Verdict("")
    mixed = "" if row["agree"] else ", mixed"
    return Verdict(row["verdict"], "" if row["rows"] == 1 else f"{row['rows']} rows{mixed}")


def _rows_table(rows: pd.DataFrame, article: Article) -> Table:
    """All rows of an article."""
    heads = ["Claim", "Case", "As tested", "Verdict", "Estimate", "Interval", "Measure"]
    cells = [
        [
            row["claim"],
            _whence(row),
            row["statement"],
            Verdict(row["verdict"]),
            *_numbers(row["estimate"], row),
            row["measure"] + (f", {row['unit']}" if row["unit"] else ""),
        ]
        for row in rows.to_dict("records")
    ]
    return Table(f"{article.name}: every row", heads, cells)


def _whence(row: dict[Any, Any]) -> str:
    """Say which case a row is of, and whether its data are made up."""
    if row["basis"] == ANEW:
        return f"{row['output']} ({ANEW})"
    return row["output"] + (" (simulated)" if row["simulated"] else "")


def _yardsticks(ledger: EvidenceLedger) -> Section:
    """Set published numbers beside those of the cases."""
    frame = ledger.yardsticks
    tables = []
    for measure, rows in frame.groupby("measure", sort=False):
        cells = [
            [
                row["whose"] + (" (simulated)" if row["kind"] == "simulated case" else ""),
                *_numbers(row["value"], row),
                row["source"],
            ]
            for row in rows.to_dict("records")
        ]
        claim = rows["claim"].iloc[0]
        caption = f"{claim}: {MEANINGS[str(measure)]}"
        tables.append(Table(caption, ["Whose", "Value", "Interval", "Source"], cells))
    said = ["Numbers others have published, with the same measure of the cases beside them."]
    return Section("Published yardsticks", said, tables, _yardstick_pictures(ledger))


def _yardstick_pictures(ledger: EvidenceLedger) -> list[Picture]:
    from keycustomer.plots import use_style, yardstick_dots

    use_style()
    own = ledger.yardsticks[ledger.yardsticks["kind"].str.contains("case")]
    return [
        picture(yardstick_dots(ledger, str(measure)))
        for measure in own["measure"].drop_duplicates()
    ]


def _reading(ledger: EvidenceLedger) -> Section:
    """Say what a verdict means, and every rule."""
    used = sorted({*zip(ledger.frame["claim"], ledger.frame["measure"], strict=True)})
    heads = ["Claim", "Measure", "What is measured", "Supported when", "Not supported when",
             "Falsely supported, at most"]  # fmt: skip
    order = [one.claim for one in COURSE]
    rules = sorted(RULES.values(), key=lambda rule: order.index(rule.claim))
    rows = [
        [
            rule.claim,
            rule.measure,
            f"{rule.meaning} ({rule.unit})",
            rule.supported_when,
            rule.denied_when,
            Number(_percent(rule.false_support)),
        ]
        for rule in rules
    ]
    unknown = [f"{claim} ({measure})" for claim, measure in used if not rule_of(claim, measure)]
    said = [*_MEANING, ledger.errors.sentence]
    if unknown:
        said.append(f"Rules that this version does not describe: {', '.join(unknown)}.")
    return Section("How to read a verdict", said, [Table("Rules", heads, rows)], folded=True)


def _percent(share: float) -> str:
    return "no bound" if math.isnan(share) else f"{100 * share:.1f} %"


def _runs(ledger: EvidenceLedger, folder: Path) -> Section:
    """List the outputs the page rests on."""
    heads = ["Case", "Title", "Data", "Run", "Version", "Rows", "To know"]
    rows = [
        [
            Link(row["output"], relative_link(Path(row["report"]), folder)),
            row["title"],
            "simulated" if row["simulated"] else "real",
            row["run_date"],
            row["version"],
            Number(str(row["rows"])),
            "; ".join(_to_know(row)),
        ]
        for row in ledger.outputs.to_dict("records")
    ]
    return Section("Runs", (), [Table("Outputs this page rests on", heads, rows)])


def _to_know(row: dict[Any, Any]) -> Iterable[str]:
    if not row["counted"]:
        yield "an older run of this case: shown, not counted"
    if row["failed"]:
        yield f"failed: {row['failed']}"
    if row["outdated"]:
        yield f"outdated: {row['outdated']}"
    if not row["rows"]:
        yield "tested no claim"


def _numbers(value: float, row: Mapping[Any, Any]) -> tuple[Number, Number]:
    """Write a number and its interval as the reports write them."""
    unit = unit_of(row["measure"])
    told = "not known" if math.isnan(value) else written(value, unit)
    if math.isnan(row["lower"]) or math.isnan(row["upper"]):
        return Number(told), Number("")
    return Number(told), Number(f"{written(row['lower'], unit)} to {written(row['upper'], unit)}")
