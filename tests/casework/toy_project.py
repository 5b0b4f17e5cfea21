"""A small project with two quick notebooks and one small case, for tests of case runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CUSTOMER_FILE = [
    """
import keycustomer as kc

chapter = kc.casework.open_chapter("0_customer_file", case, greeting=greeting)
chapter
""",
    """
customers = chapter.base.query("select count(distinct customer_id) as n from transactions")
chapter.measure("customers", int(customers["n"].iloc[0]))
chapter.say("The greeting is {greeting}.", greeting=greeting)
chapter.save()
""",
]

PARETO = [
    """
import os
import signal
import time
from pathlib import Path

import keycustomer as kc

chapter = kc.casework.open_chapter(
    "1_pareto_analysis", case, draws=draws, seed=seed, share=share, mode=mode
)
""",
    """
if mode == "wait":
    Path(os.environ["KEYCUSTOMER_OUTPUT"], "waiting").write_text(str(os.getpid()))
    time.sleep(120)
if mode == "fail":
    raise ValueError("on purpose, with postgresql://user:s3cret@host/db")
if mode == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "kill worker":
    Path(os.environ["KEYCUSTOMER_OUTPUT"], "kernel").write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(120)
""",
    """
revenue = chapter.base.query(
    "select customer_id, sum(revenue) as revenue from transactions group by all order by all"
)
chapter.table("revenue", revenue, caption="Revenue by customer")
chapter.measure("gini", 0.25)
chapter.ledger("K1", "A fifth brings four fifths", "pareto_share", 0.5, "undecided")
chapter.skip("What do they buy?", "products")
""",
    """
from matplotlib import pyplot

figure, axes = pyplot.subplots()
axes.plot([1, draws])
chapter.figure("line", axes, alt=f"A line from 1 to {draws}.")
""",
    """
if mode != "forget":
    chapter.save()
""",
]

CUSTOMER_FILE_PARAMETERS = """\
case: str = "toy"  # the case
greeting: str = "a = b"  # what is said, text
"""

PARETO_PARAMETERS = """\
case: str = "toy"  # the case
draws: int = 10  # bootstrap draws, count
seed: int = 0  # start of the random numbers
share: float = 0.2  # part called the top, share 0..1
mode: str = "well"  # what happens
"""

CASE = """\
title: Toy
data: Made up for a test.
currency: EUR
simulated: true
identifiable: true
tables:
  transactions:
    csv: sales.csv
"""


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{abs(hash(source)) % 10**8}",
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source.strip(),
    }


def notebook(parameters: str, cells: Sequence[str]) -> dict[str, Any]:
    """A notebook with a parameters cell and code cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [code(parameters, "parameters"), *map(code, cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write_notebook(path: Path, parameters: str, cells: Sequence[str]) -> None:
    """Write a notebook file."""
    path.write_text(json.dumps(notebook(parameters, cells)), encoding="utf-8")


def make_project(root: Path) -> Path:
    """Write the project; its case is called toy."""
    notebooks = root / "notebooks"
    notebooks.mkdir(parents=True)
    write_notebook(notebooks / "0_customer_file.ipynb", CUSTOMER_FILE_PARAMETERS, CUSTOMER_FILE)
    write_notebook(notebooks / "1_pareto_analysis.ipynb", PARETO_PARAMETERS, PARETO)
    make_case(root, "toy")
    return root


def make_case(root: Path, name: str, text: str = CASE, sales: str | None = None) -> Path:
    """Write a case with its sales; return its folder."""
    folder = root / "casework" / name
    folder.mkdir(parents=True)
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    (folder / "sales.csv").write_text(sales or toy_sales(), encoding="utf-8")
    return folder


def toy_sales() -> str:
    """Ninety-nine orders of seven customers in January 2024."""
    lines = [
        f"{number % 7:03d},{number},2024-01-{number % 28 + 1:02d},{number * 1.5:.2f}"
        for number in range(1, 100)
    ]
    return "\n".join(["customer_id,order_id,date,amount", *lines]) + "\n"
