"""Verdicts of a real chapter on made-up customers where the claim is true, false and undecidable.

The chapter's own notebook runs on three small bases; the ledger reads what it has published.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keycustomer.casework import evidence_ledger, find_outputs, run_cases
from keycustomer.casework.across.ledger import EvidenceLedger
from toy_project import CASE, make_case

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "1_pareto_analysis.ipynb"

CUSTOMERS = 100
SPREAD = np.random.default_rng(3).uniform(0.9, 1.1, size=CUSTOMERS)
SPENDING = {
    # A fifth spends seventy-five times what the others do: its share is 0.95.
    "concentrated": np.where(np.arange(CUSTOMERS) < CUSTOMERS // 5, 9000, 120) * SPREAD,
    # All spend nearly the same: the share of a fifth is little more than a fifth.
    "alike": 1000 * SPREAD,
    # A single customer says nothing on a fifth of the customers.
    "single": np.array([900.0]),
}

# The largest fifth of spending drawn evenly from 0.9 to 1.1 brings 0.216; a hundred draws differ.
ALIKE = 0.216
ALIKE_TOLERANCE = 0.006


def sales(spending: np.ndarray) -> str:
    """One order a customer: without repeat purchases the chapter fits no lifetime model."""
    lines = [
        f"c{number:03d},{number},2024-01-{number % 28 + 1:02d},{amount:.2f}"
        for number, amount in enumerate(spending)
    ]
    return "\n".join(["customer_id,order_id,date,amount", *lines]) + "\n"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[EvidenceLedger]:
    """The ledger of three cases run through the chapter's notebook."""
    root = tmp_path_factory.mktemp("verdicts")
    (root / "notebooks").mkdir()
    shutil.copy(NOTEBOOK, root / "notebooks")
    for name, spending in SPENDING.items():
        make_case(root, name, CASE, sales(spending))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYCUSTOMER_HOME", str(root))
        outcomes = run_cases(
            list(SPENDING), engine=engine, parameters={"draws": "200", "refits": "10"}, jobs=2
        )
        assert [one.status for one in outcomes] == ["completed"] * len(SPENDING)
        yield evidence_ledger(find_outputs())


def rows(ledger: EvidenceLedger, measure: str) -> pd.DataFrame:
    """Rows of K1 by case."""
    own = ledger.frame[(ledger.frame["claim"] == "K1") & (ledger.frame["measure"] == measure)]
    return own.set_index("output")


def test_the_chapter_tells_true_from_false_from_undecidable(ledger: EvidenceLedger) -> None:
    verdicts = rows(ledger, "pareto_share")["verdict"].to_dict()
    assert verdicts == {
        "concentrated": "supported",
        "alike": "not supported",
        "single": "undecided",
    }
    assert ledger.matrix().loc["K1"].to_dict() == verdicts


def test_the_estimates_behind_the_verdicts_are_those_of_the_bases(ledger: EvidenceLedger) -> None:
    found = rows(ledger, "pareto_share")
    for name, spending in SPENDING.items():
        count = max(round(len(spending) / 5), 1)
        share = np.sort(spending.round(2))[::-1][:count].sum() / spending.round(2).sum()
        if name != "single":
            assert found.loc[name, "estimate"] == pytest.approx(share, rel=1e-9)
    assert found.loc["alike", "estimate"] == pytest.approx(ALIKE, abs=ALIKE_TOLERANCE)
    assert np.isnan(found.loc["single", "lower"])


def test_the_cases_have_this_notebook_and_contradict_each_other(ledger: EvidenceLedger) -> None:
    # Of notebooks only: somebody may be editing the library while its tests run.
    assert not ledger.outputs["outdated"].str.contains("notebook").any()
    assert set(ledger.outputs["failed"]) == {""}
    claim = ledger.claims.set_index("claim").loc["K1"]
    assert (claim["finding"], claim["finding_real"]) == ("contradictory", "not tested")
    assert (claim["supported"], claim["not_supported"], claim["undecided"]) == (1, 1, 1)
