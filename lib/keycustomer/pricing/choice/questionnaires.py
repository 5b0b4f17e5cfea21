"""The tasks of a choice design as a page to print and tick.

:func:`questionnaire_html` writes every block on a page of its own, every task as a table with a
column a package and a box under each.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from keycustomer.pricing.choice.choice_data import NONE_COLUMN
from keycustomer.simulate.choice_tasks import NONE

STYLE = (
    "body{font-family:sans-serif;max-width:50em}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #777;padding:.4em;text-align:center}th[scope=row]{text-align:left}"
    "section.task{break-inside:avoid}section.block{break-after:page}"
)

BOX = "\N{BALLOT BOX}"


def questionnaire_html(frame: pd.DataFrame, price: str, attributes: Sequence[str]) -> str:
    """Write the tasks of a design as a page of HTML.

    Parameters
    ----------
    frame : DataFrame
        Of a :class:`~keycustomer.pricing.choice.choice_designs.ChoiceDesign`.
    price : str
        Attribute that is the price; it comes last.
    attributes : sequence of str
        All attributes.
    """
    shown = [*(name for name in attributes if name != price), price]
    blocks = "".join(
        f"<section class='block'><h1>Questionnaire {number}</h1>"
        f"<p>Respondent: ____________</p>{_tasks(rows, shown)}</section>"
        for number, rows in frame.groupby("block")
    )
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>Choice tasks</title><style>{STYLE}</style></head><body>{blocks}</body></html>"
    )


def _tasks(rows: pd.DataFrame, shown: Sequence[str]) -> str:
    return "".join(
        f"<section class='task'><h2>Task {number}</h2><p>Which one would you take? Tick one.</p>"
        f"{_table(task, shown)}</section>"
        for number, task in rows.groupby("task")
    )


def _table(task: pd.DataFrame, shown: Sequence[str]) -> str:
    heads = [
        NONE if none else f"package {name}"
        for name, none in zip(task["alternative"], task[NONE_COLUMN], strict=True)
    ]
    head = "".join(f"<th scope='col'>{html.escape(one)}</th>" for one in heads)
    body = "".join(
        f"<tr><th scope='row'>{html.escape(name.replace('_', ' '))}</th>"
        + "".join(
            f"<td>{'' if none else html.escape(_told(value))}</td>"
            for value, none in zip(task[name], task[NONE_COLUMN], strict=True)
        )
        + "</tr>"
        for name in shown
    )
    boxes = f"<td>{BOX}</td>" * len(task)
    return (
        f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}"
        f"<tr><th scope='row'>I take</th>{boxes}</tr></tbody></table>"
    )


def _told(value: object) -> str:
    # all the digits of a price: %g alone would print six of them
    return f"{value:,.15g}" if isinstance(value, float) else str(value)
