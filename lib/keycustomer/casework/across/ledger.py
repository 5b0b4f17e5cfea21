"""The evidence ledger over all runs: which claim holds, where, and how strongly.

Question: what do all cases together say on each claim of the course?

- :func:`evidence_ledger` gathers the rows of published outputs into an :class:`EvidenceLedger`.
- :meth:`EvidenceLedger.verdicts`: one verdict a claim and output.
- :meth:`EvidenceLedger.claims`: what all cases together say on each claim.

Rules, fixed here: a claim that a case decides by several rows is *supported* there only if all
of them are, *not supported* if any is not, else *undecided*; all rows stand beside it.  This can
only go against a claim, never for it.  A case that was run twice counts once, by its newest
run.  A made-up case shows what its generator was built to do; findings on real data are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from keycustomer.casework.across.claims import BY_ID, COURSE, Claim
from keycustomer.casework.across.outputs import CaseOutput
from keycustomer.casework.across.rules import ExpectedErrors, expected_errors, rule_of
from keycustomer.casework.across.yardsticks import beside_published
from keycustomer.casework.errors import CaseError
from keycustomer.casework.freshness import library_hash, notebook_hash
from keycustomer.casework.project import find_project
from keycustomer.customers.rendering import counted, sentence_html

SUPPORTED, DENIED, UNDECIDED = "supported", "not supported", "undecided"
NOT_TESTED, PRACTICE = "not tested", "carried out, not tested"
CONTRADICTORY = "contradictory"
ANEW = "companies simulated anew"

ROW_COLUMNS = (
    "claim", "name", "statement", "output", "case", "simulated", "counted", "measure", "estimate",
    "lower", "upper", "unit", "threshold", "verdict", "by_interval", "basis", "run_date", "version",
    "outdated",
)  # fmt: skip
OUTPUT_COLUMNS = (
    "output", "case", "title", "simulated", "counted", "run_date", "version", "outdated", "failed",
    "rows", "report",
)  # fmt: skip

VERDICT_COLUMNS = (
    "claim", "output", "case", "simulated", "counted", "verdict", "rows", "agree",
)  # fmt: skip

_FLAGS = {"simulated": bool, "counted": bool}


@dataclass(frozen=True, eq=False)
class EvidenceLedger:
    """The evidence of all runs.

    Attributes
    ----------
    frame : DataFrame
        One row a claim, output and measure: claim, name, statement (as tested), output, case,
        simulated (whether the row rests on made-up data: of the case, or companies simulated
        anew), counted (whether the newest run of its case), measure, estimate, lower, upper,
        unit, threshold, verdict, by_interval (the verdict of the row's interval alone, empty where
        the rule needs more), basis ("own data", or "companies simulated anew"), run_date, version,
        outdated (why the result may no longer hold, else empty).
    outputs : DataFrame
        One row an output: output, case, title, simulated, counted, run_date, version, outdated,
        failed (chapters), rows, report (path).
    yardsticks : DataFrame
        Published numbers and those of the cases, see `yardsticks.beside_published`.
    notes : tuple of str
        What was left out or has to be known.
    """

    frame: pd.DataFrame = field(repr=False)
    outputs: pd.DataFrame = field(repr=False)
    yardsticks: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Verdicts, one row a claim and output.

        Columns: claim, output, case, simulated, counted, verdict, rows, agree (whether all rows
        have this verdict).
        """
        rows = [row for one in COURSE for row in _verdict_rows(one, self.frame)]
        return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS)).astype(_FLAGS)

    @cached_property
    def claims(self) -> pd.DataFrame:
        """All claims, one row each, by their counted cases.

        Columns: claim, name, statement, chinese, cases, real_cases, supported, not_supported,
        undecided (numbers of cases), finding, finding_real (on real data).
        """
        own = self.verdicts[self.verdicts["counted"]]
        return pd.DataFrame([_claim_row(one, own[own["claim"] == one.claim]) for one in COURSE])

    @property
    def errors(self) -> ExpectedErrors:
        """False verdicts to expect among the rows of the newest runs."""
        own = self.frame[self.frame["counted"]]
        return expected_errors(zip(own["claim"], own["measure"], strict=True))

    @property
    def summary(self) -> list[str]:
        """What the evidence says, in sentences."""
        if self.frame.empty:
            return ["No case has tested a claim yet."]
        return [*_reach(self), *_findings(self.claims), self.errors.sentence, *self.notes]

    @property
    def sentence(self) -> str:
        """The ledger in one or two sentences."""
        return " ".join(self.summary[:2])

    def matrix(self) -> pd.DataFrame:
        """Verdicts as a table: claims by outputs, empty where not tested."""
        table = self.verdicts.pivot(index="claim", columns="output", values="verdict")
        names = [one.claim for one in COURSE]
        return table.reindex(index=names, columns=self.outputs["output"]).fillna("")

    def to_frame(self) -> pd.DataFrame:
        """Rows, with the claims that no case has tested at their place."""
        tested = set(self.verdicts["claim"])
        blank: list[dict[Any, Any]] = [
            {"claim": one.claim, "name": one.name, "statement": one.statement}
            | {"verdict": PRACTICE if one.practice else NOT_TESTED}
            for one in COURSE
            if one.claim not in tested
        ]
        rows = [*self.frame.to_dict("records"), *blank]
        order = {one.claim: place for place, one in enumerate(COURSE)}
        rows.sort(key=lambda row: order[str(row["claim"])])
        return pd.DataFrame(rows, columns=list(ROW_COLUMNS))

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.claims, numbers=",.0f")


def summary_verdict(verdicts: Iterable[str]) -> str:
    """Verdict of a claim in a case from the verdicts of its rows.

    Parameters
    ----------
    verdicts : iterable of str
        Verdicts of the rows.

    Returns
    -------
    {"supported", "not supported", "undecided"}
        `supported` when all are, `not supported` when any is not, else `undecided`.

    Raises
    ------
    ValueError
        When there are none.
    """
    said = set(verdicts)
    if not said:
        raise ValueError("verdicts: there is none; a claim without rows is not tested")
    if DENIED in said:
        return DENIED
    return SUPPORTED if said == {SUPPORTED} else UNDECIDED


def evidence_ledger(outputs: Sequence[CaseOutput]) -> EvidenceLedger:
    """Gather the evidence of published outputs.

    Parameters
    ----------
    outputs : sequence of CaseOutput
        From `find_outputs`.

    Returns
    -------
    EvidenceLedger
        The same output given twice is taken once; of two outputs of one case name the newest
        counts.

    Raises
    ------
    CaseError
        When a row is of a claim or a verdict that this version does not know.
    """
    kept = _once(outputs)
    problems = [text for output in kept for text in _unknown(output)]
    if problems:
        raise CaseError(*problems)
    labels = _labels(kept)
    newest = _newest(kept)
    facts = [
        _facts(output, label, counted=place in newest)
        for place, (output, label) in enumerate(zip(kept, labels, strict=True))
    ]
    rows = [row for output, fact in zip(kept, facts, strict=True) for row in _rows_of(output, fact)]
    frame = _in_order(pd.DataFrame(rows, columns=list(ROW_COLUMNS)).astype(_FLAGS))
    about = pd.DataFrame(facts, columns=list(OUTPUT_COLUMNS))
    notes = (*_repeats(about), *_warnings(about, frame))
    return EvidenceLedger(frame, about, beside_published(kept, labels), notes)


def _once(outputs: Sequence[CaseOutput]) -> list[CaseOutput]:
    """Leave out outputs given twice, and put made-up data last."""
    by_folder = {output.folder.resolve(): output for output in outputs}
    return sorted(by_folder.values(), key=lambda output: output.simulated)


def _unknown(output: CaseOutput) -> list[str]:
    """Say which rows this version cannot read."""
    where = output.folder / "results.json"
    problems = []
    for place, row in enumerate(output.results["ledger"]):
        if row["claim"] not in BY_ID:
            problems.append(
                f"{where}: row {place + 1} of ledger: no claim {row['claim']!r}; the claims are "
                f"{', '.join(BY_ID)}; run the case again with --force"
            )
        if row["verdict"] not in (SUPPORTED, DENIED, UNDECIDED):
            problems.append(
                f"{where}: row {place + 1} of ledger: no verdict {row['verdict']!r}; the verdicts "
                f"are {SUPPORTED}, {DENIED}, {UNDECIDED}; run the case again with --force"
            )
    return problems


def _labels(outputs: Sequence[CaseOutput]) -> list[str]:
    """Names of outputs; those of one case are told apart by their folders."""
    names = [output.name for output in outputs]
    labels = []
    for output in outputs:
        if names.count(output.name) == 1:
            labels.append(output.name)
            continue
        same = [one.folder for one in outputs if one.name == output.name]
        labels.append(f"{output.name} in {_place(output.folder, same)}")
    return labels


def _place(folder: Path, among: Sequence[Path]) -> str:
    """Last parts of a folder's path that no other has, `output` of a case left away."""
    places = {other: [part for part in other.parts if part != "output"] for other in among}
    for count in range(2, len(folder.parts) + 1):
        shown = [parts[-count:] for parts in places.values()]
        if shown.count(places[folder][-count:]) == 1:
            return "/".join(places[folder][-count:])
    return str(folder)


def _newest(outputs: Sequence[CaseOutput]) -> set[int]:
    """Places of the newest output of each case name."""
    newest: dict[str, int] = {}
    for place, output in enumerate(outputs):
        former = newest.get(output.name)
        if former is None or _ended(output) >= _ended(outputs[former]):
            newest[output.name] = place
    return set(newest.values())


def _ended(output: CaseOutput) -> str:
    return str(output.run.get("ended") or output.run.get("started") or "")


def _facts(output: CaseOutput, label: str, *, counted: bool) -> dict[str, Any]:
    return {
        "output": label,
        "case": output.name,
        "title": output.title,
        "simulated": output.simulated,
        "counted": counted,
        "run_date": _ended(output)[:10],
        "version": str(output.run.get("keycustomer") or ""),
        "outdated": outdated(output),
        "failed": ", ".join(_failed(output)),
        "rows": len(output.results["ledger"]),
        "report": str(output.report),
    }


def _failed(output: CaseOutput) -> list[str]:
    chapters: Mapping[str, Any] = output.run.get("chapters") or {}
    return [name for name, one in chapters.items() if one.get("status") != "completed"]


def outdated(output: CaseOutput) -> str:
    """Say why an output may no longer be what this version finds.

    Parameters
    ----------
    output : CaseOutput
        A published output.

    Returns
    -------
    str
        What has changed since: the library's code or notebooks; empty when neither has.  Whether
        the data have changed is not looked at: `keycustomer run` does.
    """
    changed = []
    made_by = output.run.get("library_sha256")
    if made_by is None:
        changed.append("by which code it was made is not known")
    elif made_by != library_hash():
        changed.append("the library's code changed")
    for name in _changed_notebooks(output):
        changed.append(f"notebook {name} changed")
    return "; ".join(changed)


def _changed_notebooks(output: CaseOutput) -> list[str]:
    """Notebooks of this project that are not those the output was made with."""
    try:
        notebooks = find_project().notebooks
    except CaseError:
        return []
    chapters: Mapping[str, Any] = output.run.get("chapters") or {}
    return [
        name
        for name, one in chapters.items()
        if name in notebooks and one.get("notebook_sha256") != notebook_hash(notebooks[name])
    ]


def _rows_of(output: CaseOutput, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of an output, with the rule of each."""
    rows = []
    shared = ("output", "case", "simulated", "counted", "run_date", "version", "outdated")
    for row in output.ledger.to_dict("records"):
        rule = rule_of(row["claim"], row["measure"])
        ends = (row["estimate"], row["lower"], row["upper"])
        rows.append(
            {name: row[name] for name in row if name in ROW_COLUMNS}
            | {name: facts[name] for name in shared}
            | {"name": BY_ID[row["claim"]].name}
            | {"unit": rule.unit if rule else "", "threshold": rule.threshold if rule else math.nan}
            | {"by_interval": rule.by_interval(*ends) if rule else ""}
            | {"basis": ANEW if rule and rule.anew else "own data"}
            | {"simulated": facts["simulated"] or bool(rule and rule.anew)}
        )
    return rows


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows by claim, in the order of the course; within it as given."""
    order = {one.claim: place for place, one in enumerate(COURSE)}
    places = frame["claim"].map(order)
    return frame.iloc[places.argsort(kind="stable")].reset_index(drop=True)


def _repeats(about: pd.DataFrame) -> list[str]:
    """Say which runs do not count."""
    older = about[~about["counted"]]
    if older.empty:
        return []
    cases = older["case"].drop_duplicates().tolist()
    shown = ", ".join(older["output"])
    return [
        f"{_names(cases)} {'was' if len(cases) == 1 else 'were'} run more than once; the newest "
        f"run counts, and shown only {'is' if len(older) == 1 else 'are'}: {shown}."
    ]


def _warnings(about: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Say which results to read with care."""
    notes = []
    old = about.loc[about["outdated"] != "", "output"].tolist()
    if old:
        notes.append(
            f"{counted(len(old), 'output')} may no longer be what this version finds, since code "
            f"or notebooks have changed or are not known: {_names(old)}; keycustomer run brings "
            "them up to date."
        )
    failed = about.loc[about["failed"] != "", ["output", "failed"]]
    notes += [f"In {one.output} a chapter failed: {one.failed}." for one in failed.itertuples()]
    anew = frame["basis"] == ANEW
    if anew.any():
        notes.append(
            f"{counted(int(anew.sum()), 'row rests', 'rows rest')} on companies simulated anew, "
            "not on the customers of their case, and would be the same in every case of the same "
            f"generator: {_names(frame.loc[anew, 'claim'].drop_duplicates().tolist())}."
        )
    stricter = (frame["by_interval"] != "") & (frame["by_interval"] != frame["verdict"])
    asks_more = pd.Series(
        [bool((rule := rule_of(*key)) and rule.besides) for key in _keys(frame)], frame.index, bool
    )
    notes += [
        f"{counted(int(some.sum()), 'verdict')} {'differs' if some.sum() == 1 else 'differ'} from "
        f"what the row's own interval says, {why}: {_names(_row_names(frame[some]))}."
        for some, why in (
            (stricter & asks_more, "because the rule asks for more than this row"),
            (stricter & ~asks_more, "which the rule as this version knows it does not explain"),
        )
        if some.any()
    ]
    wide = (frame["verdict"] == SUPPORTED) & (frame["estimate"] < frame["threshold"])
    wide &= frame["upper"] >= frame["threshold"]
    if wide.any():
        notes.append(
            "Supported although the estimate lies below what is claimed, because its interval "
            f"reaches it: {_names(_row_names(frame[wide]))}."
        )
    return notes


def _keys(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Claim and measure of every row."""
    return list(zip(rows["claim"], rows["measure"], strict=True))


def _row_names(rows: pd.DataFrame) -> list[str]:
    return [f"{row.claim} in {row.output} ({row.measure})" for row in rows.itertuples()]


def _verdict_rows(one: Claim, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Decide a claim in every output that has rows for it."""
    own = frame[frame["claim"] == one.claim]
    decided = []
    for output in own["output"].drop_duplicates():
        rows = own[own["output"] == output]
        verdict = summary_verdict(rows["verdict"])
        facts = rows.iloc[0][["case", "counted"]].to_dict()
        facts["simulated"] = bool(rows["simulated"].any())
        agree = bool((rows["verdict"] == verdict).all())
        decided.append(
            {"claim": one.claim, "output": output, **facts}
            | {"verdict": verdict, "rows": len(rows), "agree": agree}
        )
    return decided


def _claim_row(one: Claim, verdicts: pd.DataFrame) -> dict[str, Any]:
    """Sum up what the counted cases say on a claim."""
    real = verdicts[~verdicts["simulated"]]
    numbers = verdicts["verdict"].value_counts()
    blank = PRACTICE if one.practice else NOT_TESTED
    return {
        "claim": one.claim,
        "name": one.name,
        "statement": one.statement,
        "chinese": one.chinese,
        "cases": len(verdicts),
        "real_cases": len(real),
        **{said.replace(" ", "_"): int(numbers.get(said, 0)) for said in _VERDICTS},
        "finding": _finding(verdicts["verdict"]) or blank,
        "finding_real": _finding(real["verdict"]) or blank,
    }


_VERDICTS = (SUPPORTED, DENIED, UNDECIDED)


def _finding(verdicts: pd.Series) -> str:
    """Sum up verdicts of several cases; empty where there are none."""
    said = set(verdicts)
    if {SUPPORTED, DENIED} <= said:
        return CONTRADICTORY
    for verdict in (SUPPORTED, DENIED):
        if verdict in said:
            return verdict if said == {verdict} else f"{verdict} or undecided"
    return UNDECIDED if said else ""


def _reach(ledger: EvidenceLedger) -> list[str]:
    """How much has been tested."""
    claims, own = ledger.claims, ledger.outputs[ledger.outputs["counted"]]
    tested, real = int((claims["cases"] > 0).sum()), int((claims["real_cases"] > 0).sum())
    made_up = int((own["simulated"] & (own["rows"] > 0)).sum())
    rows = int(ledger.frame["counted"].sum())
    testing = int(ledger.verdicts.loc[ledger.verdicts["counted"], "case"].nunique())
    said = (
        f"{tested} of {len(claims)} claims have been tested, {real} of them on real data, by "
        f"{counted(rows, 'row')} of {counted(testing, 'case')}."
    )
    if made_up:
        said += (
            f" {counted(made_up, 'of these cases is', 'of these cases are')} made up: "
            "what such a case supports is what its generator was built to do."
        )
    return [said]


def _findings(claims: pd.DataFrame) -> list[str]:
    """Say what the tests found, one sentence a kind of finding."""
    several = claims[claims["cases"] > 1]
    real, made_up = (
        claims[claims["real_cases"] > 0],
        claims[(claims["cases"] > 0) & (claims["real_cases"] == 0)],
    )
    held = {
        "Supported in every case that tested them, two or more, made-up ones counted":
            several[several["finding"] == SUPPORTED],
        "Not supported in any case that tested them, two or more, made-up ones counted":
            several[several["finding"] == DENIED],
        "Contradictory, supported in one case and not supported in another":
            claims[claims["finding"] == CONTRADICTORY],
        "Supported on all real data that tested them": real[real["finding_real"] == SUPPORTED],
        "Tested on made-up data only": made_up,
        "Never tested": claims[claims["finding"] == NOT_TESTED],
        "Ways of working, carried out and not tested": claims[claims["finding"] == PRACTICE],
    }  # fmt: skip
    on_real = "Supported on all real data that tested them"
    return [f"{title}: {_list(rows, counting=title == on_real)}." for title, rows in held.items()]


def _list(claims: pd.DataFrame, *, counting: bool = False) -> str:
    """Name claims; counting: with the number of cases of real data."""
    told = [
        f"{row['claim']} ({row['name']}"
        + (f"; {counted(int(row['real_cases']), 'case')})" if counting else ")")
        for row in claims.to_dict("records")
    ]
    return ", ".join(told) or "none"


def _names(names: Sequence[str]) -> str:
    """Names in a sentence."""
    names = list(names)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "none"
