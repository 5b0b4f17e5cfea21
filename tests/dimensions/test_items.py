"""Item analysis: closed forms, reversed items found, careless respondents counted."""

import math

import known_surveys as surveys
import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import analyse_items
from keycustomer.dimensions.measurement.items import fisher_interval, longest_runs

MOBI = {
    "image": [f"IMAG{n}" for n in range(1, 6)],
    "expectation": [f"CUEX{n}" for n in range(1, 4)],
    "quality": [f"PERQ{n}" for n in range(1, 8)],
    "loyalty": [f"CUSL{n}" for n in range(1, 4)],
}


def test_figures_of_an_item_by_hand():
    table = pd.DataFrame(
        {"a": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5.0], "b": [1, 2, 3, 4, 5, 2, 1, 4, 3, np.nan]}
    )
    result = analyse_items(table, ["a", "b"], low=1, high=5)
    row = result.items.set_index("item").loc["b"]
    given = table["b"].dropna()
    assert row["answered"] == 9
    assert row["share_unanswered"] == pytest.approx(0.1)
    assert row["mean"] == pytest.approx(given.mean())
    assert row["sd"] == pytest.approx(given.std())
    assert row["skewness"] == pytest.approx(given.skew())
    assert row["share_floor"] == pytest.approx(2 / 9)
    assert row["share_ceiling"] == pytest.approx(1 / 9)
    assert row["item_total"] == pytest.approx(table.corr().iloc[0, 1])
    assert result.usage["answers"].sum() == 19
    assert result.usage["share"].sum() == pytest.approx(1)
    assert result.distribution.loc["b", 2.0] == pytest.approx(2 / 9)
    np.testing.assert_allclose(result.distribution.sum(axis=1), 1)


def test_item_total_leaves_the_item_out():
    answers = surveys.mobi()
    result = analyse_items(answers, MOBI, low=1, high=10).items.set_index("item")
    for item in MOBI["quality"]:
        rest = answers[[other for other in MOBI["quality"] if other != item]].sum(axis=1)
        assert result.loc[item, "item_total"] == pytest.approx(answers[item].corr(rest))
    # two loyalty questions of three are about price differences and hardly hang together
    assert result.loc["CUSL2", "remark"].startswith("weak")


@pytest.mark.parametrize("turned", [["PERQ3"], ["CUEX2", "PERQ1", "PERQ3"], []])
def test_reversed_items_are_found_and_the_cure_is_told(turned):
    answers = surveys.mobi()
    answers[turned] = 11 - answers[turned]
    result = analyse_items(answers, MOBI, low=1, high=10)
    assert result.reversed_items == tuple(turned)
    assert any("reverse=" in note for note in result.notes) == bool(turned)


def test_careless_respondents_are_counted():
    table = surveys.mobi()
    table.loc[3] = 5
    table.loc[4] = np.nan
    table.loc[4, "IMAG1":"IMAG3"] = 5
    items = [item for names in MOBI.values() for item in names]
    result = analyse_items(table, MOBI, low=1, high=10)
    careless = (table[items].nunique(axis=1) == 1) & (table[items].notna().sum(axis=1) >= 6)
    # three equal answers and no more are no straight line
    assert set(result.straight_liners) == set(table.index[careless])
    assert 3 in result.straight_liners and 4 not in result.straight_liners
    assert result.respondents.loc[3, "longest_run"] == len(items)
    assert result.respondents.loc[3, "sd"] == 0


def test_longest_runs_end_at_holes():
    table = pd.DataFrame([[1, 1, np.nan, 1, 1, 1], [np.nan] * 6, [1, 2, 3, 4, 5, 6]])
    assert longest_runs(table).tolist() == [3, 0, 1]


def test_an_interval_holds_the_true_correlation():
    generator = np.random.default_rng(5)
    truth, held = 0.6, 0
    for _ in range(400):
        pair = generator.multivariate_normal([0, 0], [[1, truth], [truth, 1]], size=60)
        low, high = fisher_interval(np.corrcoef(pair.T)[0, 1], 60)
        held += low <= truth <= high
    # 95 % of 400, give or take three binomial standard deviations
    assert 0.95 - 3 * math.sqrt(0.95 * 0.05 / 400) <= held / 400


@pytest.mark.parametrize(("r", "n"), [(math.nan, 50), (0.5, 3)])
def test_no_interval_where_there_is_none(r, n):
    assert all(math.isnan(end) for end in fisher_interval(r, n))
    assert fisher_interval(1.0, 50) == (1.0, 1.0)


def test_single_items_and_hostile_names():
    table = surveys.mobi().rename(columns={"CUSCO": "<i>"})
    result = analyse_items(table, {"<b>": ["<i>"]}, low=1, high=10)
    assert math.isnan(result.items.loc[0, "item_total"])
    assert "<i>" not in result._repr_html_().replace("<i></i>", "")
    assert math.isnan(result.mean_correlation)
    with pytest.raises(ValueError, match="must be a share"):
        analyse_items(table, ["<i>"], level=95)
