"""Looking at cases without running them: their data's checks, and what cases there are.

`check_case` reports every finding of the data checks; `describe_cases` lists cases and chapters.
"""

from __future__ import annotations

from collections.abc import Iterator

from keycustomer.casework.case import load_case
from keycustomer.casework.errors import CaseError
from keycustomer.casework.project import find_project
from keycustomer.casework.redaction import redact, secrets_of


def check_case(name: str) -> tuple[str, bool]:
    """Check a case's file and data.

    Parameters
    ----------
    name : str
        Name or path of the case.

    Returns
    -------
    report : str
        All findings.
    passed : bool
        Whether none of them is an error.

    Raises
    ------
    CaseError
        When the case file is not right, or the data cannot be read.
    """
    from keycustomer.customers import check_base

    case = load_case(name)
    secrets = secrets_of(case.specification)
    try:
        report = check_base(case.specification, case.folder)
    except (ValueError, OSError) as error:
        raise CaseError(redact(str(error), secrets)) from error
    return redact(str(report), secrets), not report.errors


def describe_cases() -> Iterator[str]:
    """Lines on the chapters and cases of the project."""
    project = find_project()
    yield "chapters: " + (", ".join(project.notebooks) or "none")
    yield f"cases in {project.casework}:"
    for name in project.cases():
        try:
            case = load_case(name)
        except CaseError as error:
            yield f"  {name}: {error.problems[0]} ({len(error.problems)} problems in all)"
            continue
        made = " [report made]" if (case.folder / "output" / "report.html").is_file() else ""
        yield f"  {name}: {case.specification.title}{made}"
    if not project.cases():
        yield "  none; begin one with: keycustomer new NAME --data FILE"
