"""Figures of the evidence ledger mark every verdict, whatever the names and numbers of cases."""

from pathlib import Path

import pytest
from keycustomer import plots
from keycustomer.casework.across.ledger import EvidenceLedger, evidence_ledger
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401
from published_output import measured, publish, row

YES, NO, OPEN = "supported", "not supported", "undecided"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> EvidenceLedger:
    """Two real cases and a made-up one."""
    folder = tmp_path_factory.mktemp("runs")
    share = [measured("pareto_share", "top_20", (0.7, 0.65, 0.75))]
    one = [row("K1", "pareto_share", NO, (0.7, 0.65, 0.75)),
           row("V7", "driver_lead", OPEN, (0.1, -0.1, 0.3))]  # fmt: skip
    two = [row("K1", "pareto_share", YES, (0.85, 0.78, 0.9)),
           row("T4", "service_saving", NO, (-549.6, -575.7, -482.5))]  # fmt: skip
    three = [row("K1", "pareto_share", OPEN, (0.2, None, None)),
             row("T4", "service_saving", YES, (120.0, 80.0, 160.0))]  # fmt: skip
    return evidence_ledger(
        [
            publish(folder / "a", "shop", one, measures=share),
            publish(folder / "b", "a shop with a name of $ many words that goes on", two),
            publish(folder / "c", "made", three, simulated=True, measures=share),
        ]
    )


def test_the_matrix_marks_every_verdict(ledger: EvidenceLedger) -> None:
    ax = plots.evidence_matrix(ledger)
    check_figure(ax)
    assert (
        title(ax)
        == "Of 3 claims tested, 0 supported and 0 not supported wherever tested, 2 here but not "
        "there; 1 on simulated data only"
    )
    letters = [text.get_text() for text in ax.texts]
    assert sorted(letters) == sorted("✗✓?✗✓?")
    assert "simulated" in ax.get_xlabel()
    assert "K1: not supported in shop" in plots.description(ax)


def test_the_matrix_of_an_article(ledger: EvidenceLedger) -> None:
    ax = plots.evidence_matrix(ledger, article="V")
    check_figure(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["V7 strategic drivers"]
    with pytest.raises(ValueError, match="article='M': no case has tested"):
        plots.evidence_matrix(ledger, article="M")


def test_a_matrix_of_many_cases_and_claims(tmp_path: Path) -> None:
    claims = ["K1", "K2", "K9", "T4", "T8b", "R3", "M5", "V1", "V2", "V7"]
    rows = [row(one, "m", OPEN) for one in claims]
    many = [
        publish(tmp_path / str(n), f"case number {n}", rows[n % 3 :], simulated=n > 8)
        for n in range(14)
    ]
    check_figure(plots.evidence_matrix(evidence_ledger(many)))


@pytest.mark.parametrize("measure", ["pareto_share", "service_saving"])
def test_estimates_by_case(ledger: EvidenceLedger, measure: str) -> None:
    claim = "K1" if measure == "pareto_share" else "T4"
    ax = plots.evidence_dots(ledger, claim, measure)
    check_figure(ax)
    assert "made (simulated)" in [label.get_text() for label in ax.get_yticklabels()]
    assert "1" in title(ax) and claim in title(ax)


def test_estimates_that_are_not_there(ledger: EvidenceLedger) -> None:
    with pytest.raises(ValueError, match=r"there is: K1 pareto_share"):
        plots.evidence_dots(ledger, "K1", "gini")


def test_cases_beside_published_numbers(ledger: EvidenceLedger) -> None:
    ax = plots.yardstick_dots(ledger, "pareto_share")
    check_figure(ax)
    assert title(ax) == "Cases 70 % (some simulated); published 59 % to 73 %"
    with pytest.raises(ValueError, match="nothing is published of it"):
        plots.yardstick_dots(ledger, "gini")


@pytest.mark.parametrize("draw", ["matrix", "dots", "yardsticks"])
def test_given_axes_are_used(
    ledger: EvidenceLedger, draw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {
        "matrix": lambda ax: plots.evidence_matrix(ledger, ax),
        "dots": lambda ax: plots.evidence_dots(ledger, "K1", "pareto_share", ax),
        "yardsticks": lambda ax: plots.yardstick_dots(ledger, "pareto_share", ax),
    }
    check_given_axes(figures[draw], monkeypatch)
