"""Cases are compared only where their numbers mean the same, with intervals that hold."""

import csv
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from crafted_outputs import MEASURES, measure, output, results, write
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError
from keycustomer.casework.across.comparing import ComparedCases, compare_cases, mover_difference
from keycustomer.casework.across.comparing_page import figure_measures, write_comparison
from keycustomer.casework.across.outputs import CaseOutput
from keycustomer.cli import app
from scipy import stats
from typer.testing import CliRunner

# Twelve digits stand in results; sums of squares lose a few more.
ROUNDING = 1e-9
# Two standard errors of a share of 0.95 over the repetitions, and a little for small samples.
COVERAGE_ERROR = 0.025

ends = st.floats(0, 100, allow_nan=False)
estimates = st.floats(-100, 100, allow_nan=False)


def shares(top: float, lower: float, upper: float) -> list[dict[str, object]]:
    return [measure("pareto_share", top, lower, upper, group="top_20", unit="share of revenue")]


@given(estimates, ends, estimates, ends)
def test_equal_arms_give_the_interval_of_the_textbook(
    one: float, arm_one: float, two: float, arm_two: float
) -> None:
    """Symmetric intervals: the half-width is the root of the sum of squares (Wald)."""
    difference, lower, upper = mover_difference(
        (one, one - arm_one, one + arm_one), (two, two - arm_two, two + arm_two)
    )
    assert difference == one - two
    # Forming the ends and taking them apart again rounds at the size of the largest number.
    arm = math.hypot(arm_one, arm_two)
    assert upper - difference == pytest.approx(arm, abs=1e-10)
    assert difference - lower == pytest.approx(arm, abs=1e-10)


@given(estimates, ends, ends, estimates, ends, ends)
def test_turning_the_difference_turns_the_interval(
    one: float, below: float, above: float, two: float, under: float, over: float
) -> None:
    first, second = (one, one - below, one + above), (two, two - under, two + over)
    difference, lower, upper = mover_difference(first, second)
    turned, low, high = mover_difference(second, first)
    assert (turned, low, high) == pytest.approx((-difference, -upper, -lower), abs=1e-10)
    assert lower <= difference <= upper


def test_a_difference_of_two_proportions_as_newcombe_published_it() -> None:
    """Newcombe (1998, Stat. Med. 17, 873-890), table II a, method 10: 56/70 and 48/80.

    MOVER on Wilson's intervals is his method 10: 0.0524 to 0.3339.
    """

    def wilson(successes: int, trials: int) -> tuple[float, float, float]:
        interval = stats.binomtest(successes, trials).proportion_ci(method="wilson")
        return successes / trials, float(interval.low), float(interval.high)

    difference, lower, upper = mover_difference(wilson(56, 70), wilson(48, 80))
    assert (round(difference, 4), round(lower, 4), round(upper, 4)) == (0.2, 0.0524, 0.3339)


def test_intervals_of_lopsided_estimates_hold_the_true_difference() -> None:
    """Means of exponential samples with exact intervals: 95 of 100 hold the true difference."""
    rng = np.random.default_rng(5)
    sizes, means = (15, 40), (2.0, 1.0)
    found = 0
    repetitions = 2000
    samples = [
        rng.gamma(n, m / n, repetitions) for n, m in zip(sizes, means, strict=True)
    ]  # means of n exponential values
    factors = [(2 * n / stats.chi2.ppf([0.975, 0.025], 2 * n)) for n in sizes]
    for one, two in zip(*samples, strict=True):
        _, lower, upper = mover_difference(
            (one, one * factors[0][0], one * factors[0][1]),
            (two, two * factors[1][0], two * factors[1][1]),
        )
        found += lower <= means[0] - means[1] <= upper
    assert found / repetitions == pytest.approx(0.95, abs=COVERAGE_ERROR)


@pytest.mark.parametrize(
    "first", [(1.0, math.nan, 2.0), (1.0, 1.1, 2.0), (3.0, 1.0, 2.0), (math.nan, 0.0, 1.0)]
)
def test_no_interval_where_one_is_unknown_or_misses_its_estimate(
    first: tuple[float, float, float],
) -> None:
    _, lower, upper = mover_difference(first, (0.0, -1.0, 1.0))
    assert math.isnan(lower) and math.isnan(upper)


def compared(*outputs: CaseOutput, **options: object) -> ComparedCases:
    return compare_cases(outputs, **options)  # type: ignore[arg-type]


def test_measures_stand_side_by_side() -> None:
    found = compared(output("first"), output("second", shares(0.5, 0.45, 0.55), currency="USD"))
    table = found.to_frame()
    assert list(table.columns) == [
        "chapter", "measure", "group", "unit",
        "first estimate", "first lower", "first upper",
        "second estimate", "second lower", "second upper",
    ]  # fmt: skip
    assert len(table) == len(MEASURES)
    (row,) = table[table["group"] == "top_20"].to_dict("records")
    assert (row["first estimate"], row["second estimate"]) == (0.7, 0.5)
    alone = table[table["measure"] == "gini"].iloc[0]
    assert alone["first estimate"] == 0.5 and math.isnan(alone["second estimate"])
    assert found.shared["measure"].tolist() == ["pareto_share", "pareto_share"]


def test_a_difference_is_the_case_less_the_first() -> None:
    found = compared(output("first"), output("second", shares(0.5, 0.45, 0.55)))
    (row,) = found.differences.to_dict("records")
    assert (row["case"], row["reference"], row["finding"]) == ("second", "first", "lower")
    expected = (-0.2, -0.2 - math.hypot(0.05, 0.1), -0.2 + math.hypot(0.05, 0.1))
    assert (row["difference"], row["lower"], row["upper"]) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(
    ("rows", "case", "finding", "why"),
    [
        (shares(0.9, 0.88, 0.92), {}, "higher", ""),
        (shares(0.75, 0.6, 0.9), {}, "not told apart", ""),
        ([measure("revenue", 1.0, 0.5, 2.0, unit="currency", chapter="0_customer_file")],
         {"currency": "USD"}, "", "no difference across currencies or units"),
        ([measure("gini", 0.5, 0.4, 0.6, unit="another index")], {}, "",
         "no difference across currencies or units"),
        ([measure("gini", 0.5)], {}, "", "no interval of a difference where an estimate has none"),
    ],
)  # fmt: skip
def test_what_a_difference_says(
    rows: list[dict[str, object]], case: dict[str, str], finding: str, why: str
) -> None:
    found = compared(output("first"), output("second", rows, **case))
    (row,) = found.differences.to_dict("records")
    assert (row["finding"], row["why"]) == (finding, why)
    assert math.isnan(row["lower"]) == (finding == "")
    assert math.isnan(row["difference"]) == ("units" in why)


def test_shares_of_the_same_kind_are_one_unit_and_money_is_named() -> None:
    rows = [measure("pareto_share", 0.5, 0.4, 0.6, group="top_20", unit="share of total revenue")]
    money = measure("revenue", 3.0, unit="currency", chapter="0_customer_file")
    found = compared(output("first"), output("second", [*rows, money]))
    assert list(found.differences["unit"]) == ["EUR", "share of total revenue"]


def test_two_runs_on_the_same_data_get_no_interval() -> None:
    again = CaseOutput("first", Path("crafted/again"), results("first"))
    found = compared(output("first"), again)
    assert list(found.cases["case"]) == ["first (1)", "first (2)"]
    assert set(found.differences["finding"]) == {""}
    assert set(found.differences["why"]) == {
        "no interval of a difference between two runs on the same data"
    }


def test_numbers_without_sampling_are_not_counted_as_told_apart() -> None:
    rows = [measure("gini", 0.0, 0.0, 0.0)]
    found = compared(output("first", rows), output("second", rows))
    assert found.differences["finding"].item() == ""
    assert "without an error of sampling" in found.differences["why"].item()


def test_every_pair_on_demand() -> None:
    outputs = [output(name) for name in ("first", "second", "third")]
    pairs = compare_cases(outputs, pairwise=True).differences[["case", "reference"]]
    assert len(pairs.drop_duplicates()) == 3
    assert len(compare_cases(outputs).differences["case"].drop_duplicates()) == 2


def test_sentences_count_and_name_what_is_simulated() -> None:
    found = compared(output("first"), output("second", shares(0.5, 0.45, 0.55), simulated=True))
    assert found.sentences[0].startswith("2 cases: first, second; 1 of 4 numbers reported by at")
    assert "1 of 1 difference with an interval lies away from zero" in found.sentences[1]
    assert found.sentences[-1] == "Simulated: second."


def test_chosen_measures() -> None:
    outputs = [output("first"), output("second")]
    found = compare_cases(outputs, measures=["pareto_share[top_10]", "gini"])
    assert set(zip(found.frame["measure"], found.frame["group"], strict=True)) == {
        ("gini", ""),
        ("pareto_share", "top_10"),
    }
    for wrong, said in {
        "giny": r"there is no such measure \(did you mean 'gini'\?\)",
        "theil": "none of these cases reports it",
        "pareto_share[top20]": r"no group 'top20' \(did you mean 'top_20'\?\)",
    }.items():
        with pytest.raises(CaseError, match=said):
            compare_cases(outputs, measures=[wrong])


def test_nothing_to_compare() -> None:
    with pytest.raises(CaseError, match="name at least two cases that have been run; got 1"):
        compare_cases([output("first")])
    with pytest.raises(CaseError, match="is given twice"):
        compare_cases([output("first"), output("first")])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gini", "hhi", "theil"]),
            st.floats(-1e6, 1e6) | st.none(),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.sampled_from(["EUR", "USD"]),
)
@settings(max_examples=10, deadline=None)
def test_no_finding_without_an_interval(
    rows: list[tuple[str, float | None, bool]], currency: str
) -> None:
    made = {
        name: measure(name, value, *((value - 1, value + 1) if known and value is not None else ()))
        for name, value, known in rows
    }
    found = compared(output("first"), output("second", list(made.values()), currency=currency))
    frame = found.differences
    assert (frame["finding"] == "").equals(frame["lower"].isna())
    assert len(found.to_frame()) == len({*made, "gini"}) + 3


HOSTILE = '=1+1<script>alert("x")</script>'


def test_the_page_and_the_tables(tmp_path: Path) -> None:
    group = [
        measure("pareto_share", 0.5, 0.4, 0.6, group=HOSTILE, unit="share of revenue"),
    ]
    rows = [*MEASURES, *group]
    outputs = [
        write(tmp_path / "a b" / "output", results("first", rows, title=HOSTILE)),
        write(tmp_path / "c" / "output", results("second", rows, simulated=True)),
    ]
    found = compare_cases(outputs)
    assert figure_measures(found) == ["pareto_share", "gini"]
    page = write_comparison(found, tmp_path, figures=["gini", "revenue"])
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "Simulated data: second" in text
    assert text.count("data:image/png") == 2
    assert 'href="a%20b/output/report.html"' in text
    links = [link for link in re.findall(r'href="([^"]*)"', text) if not link.startswith("#")]
    assert all((tmp_path / link.replace("%20", " ")).is_file() for link in links)
    with (tmp_path / "compare.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["measure"] for row in table} == {"revenue", "gini", "pareto_share"}
    assert pd.read_csv(tmp_path / "differences.csv")["finding"].isin(["not told apart"]).sum() == 4


def test_the_command(project: Path) -> None:
    casework = project / "casework"
    for name in ("first", "second"):
        write(casework / name / "output", results(name))
    result = CliRunner().invoke(app, ["compare", "first", "second", "--measure", "gini"])
    assert result.exit_code == 0, result.output
    assert f"written: {casework / 'compare.html'}" in result.output.replace("\n", "")
    for arguments, said in {
        ("first",): "name at least two cases",
        ("first", "third"): "no results.json there",
        ("first", "second", "--measure", "giny"): "did you mean 'gini'?",
    }.items():
        refused = CliRunner().invoke(app, ["compare", *arguments])
        assert refused.exit_code == 1 and said in refused.output


def test_what_is_made_up_is_called_so_wherever_it_stands(tmp_path: Path) -> None:
    """In the heads of tables, in the captions of differences, and in the table of differences."""
    outputs = [output("first"), output("second", simulated=True)]
    text = write_comparison(compare_cases(outputs), tmp_path).read_text(encoding="utf-8")
    assert '<th scope="col">second (simulated)</th>' in text
    assert "second (simulated) less first" in text
    assert pd.read_csv(tmp_path / "differences.csv")["simulated"].all()
    columns = list(pd.read_csv(tmp_path / "compare.csv").columns)
    assert "second (simulated) upper" in columns and "first estimate" in columns


def test_measured_is_not_set_against_assumed() -> None:
    profit = [measure("whale_peak", 1.2, 1.1, 1.3, unit="share of total profit")]
    assumed = [measure("whale_peak", 1.1, 1.0, 1.2, unit="share of total assumed profit")]
    (row,) = compared(output("first", profit), output("second", assumed)).differences.to_dict(
        "records"
    )
    assert row["finding"] == "" and "assumed margin" in row["why"]


def test_a_measure_that_stands_twice_is_refused() -> None:
    twice = [measure("gini", 0.5), measure("gini", 0.6)]
    with pytest.raises(CaseError, match="gini of chapter 1_pareto_analysis stands there twice"):
        compared(output("first"), output("second", twice))


def test_a_zero_has_no_sign_and_the_rest_a_minus(tmp_path: Path) -> None:
    rows = [measure("gini", -1e-9, -0.3, 0.2, unit="share of revenue")]
    found = compare_cases([output("first", rows), output("second", rows)])
    text = write_comparison(found, tmp_path).read_text(encoding="utf-8")
    assert "-0.0" not in text and "\N{MINUS SIGN}30.0" in text


def test_chance_is_told_with_what_goes_together() -> None:
    found = compared(output("first"), output("second", shares(0.5, 0.45, 0.55)))
    said = found.sentences[1]
    assert "about 0.1 would by chance" in said and "does not say why" in said
