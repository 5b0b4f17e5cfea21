"""Importance and performance of constructs agree with regressions of scores on the scale."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions
from keycustomer.dimensions.drivers.priorities import FIELDS

PATHS = "Price + Service -> Satisfaction -> Loyalty; Service -> Loyalty"
CONSTRUCTS = {
    "Price": ["p1", "p2"],
    "Service": ["s1", "s2", "s3"],
    "Satisfaction": ["t1", "t2"],
    "Loyalty": ["l1"],
}
ROUNDING = 1e-9
"""Weights settle to 1e-11, and are divided and multiplied by standard deviations."""


def survey(n=200, seed=0):
    """Answers from 1 to 7 that go with each other."""
    rng = np.random.default_rng(seed)
    price, service, own, rest = rng.normal(size=(4, n))
    satisfied = 0.3 * price + 0.6 * service + 0.6 * own
    loyal = 0.6 * satisfied + 0.2 * service + 0.5 * rest
    parts = dict(zip("pstl", (price, service, satisfied, loyal), strict=True))
    columns = {
        item: np.clip(np.round(4.5 + 1.3 * parts[item[0]] + rng.normal(size=n)), 1, 7)
        for items in CONSTRUCTS.values()
        for item in items
    }
    return pd.DataFrame(columns)


def rescaled_scores(fit, answers):
    """Scores as weighted means of answers rescaled to 0..100."""
    points = 100 * (answers - 1) / 6
    columns = {}
    for name, rows in fit.loadings().groupby("construct"):
        items = list(rows["item"])
        weights = rows["weight"].to_numpy() / points[items].std().to_numpy()
        columns[name] = points[items] @ (weights / weights.sum())
    return pd.DataFrame(columns)


def slopes(scores, outcome, before):
    x = np.column_stack([np.ones(len(scores)), scores[before]])
    return dict(zip(before, np.linalg.lstsq(x, scores[outcome].to_numpy())[0][1:], strict=True))


def test_importance_is_the_total_effect_of_scores_on_the_scale() -> None:
    answers = survey()
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    result = dimensions.construct_performance(fit, "Loyalty", low=1, high=7)
    scores = rescaled_scores(fit, answers)
    first = slopes(scores, "Satisfaction", ["Price", "Service"])
    last = slopes(scores, "Loyalty", ["Service", "Satisfaction"])
    told = {
        "Price": first["Price"] * last["Satisfaction"],
        "Service": last["Service"] + first["Service"] * last["Satisfaction"],
        "Satisfaction": last["Satisfaction"],
    }
    table = result.constructs.set_index("construct")
    assert table["importance"].to_dict() == pytest.approx(told, abs=ROUNDING)
    means = scores[list(table.index)].mean()
    assert table["performance"].to_numpy() == pytest.approx(means.to_numpy(), abs=ROUNDING)
    assert result.performance == pytest.approx(scores["Loyalty"].mean(), abs=ROUNDING)
    assert (table["importance"].diff().dropna() <= 0).all()


def test_items_share_the_importance_of_their_construct() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey())
    result = dimensions.construct_performance(fit, "Loyalty", low=1, high=7)
    sums = result.items.groupby("construct")["importance"].sum()
    table = result.constructs.set_index("construct")["importance"]
    assert sums[table.index].to_numpy() == pytest.approx(table.to_numpy(), abs=ROUNDING)
    means = 100 * (survey().mean() - 1) / 6
    items = result.items.set_index("item")["performance"]
    assert items.to_numpy() == pytest.approx(means[items.index].to_numpy(), abs=ROUNDING)


def test_intervals_come_from_the_bootstrap() -> None:
    drawn = dimensions.fit_pls(PATHS, CONSTRUCTS, survey()).bootstrap(100, seed=1)
    result = dimensions.construct_performance(drawn, "Loyalty", low=1, high=7)
    plain = dimensions.construct_performance(drawn.fit, "Loyalty", low=1, high=7)
    table = result.constructs
    for name in ("importance", "performance"):
        assert (table[f"{name}_lower"] < table[name]).all()
        assert (table[name] < table[f"{name}_upper"]).all()
        assert plain.constructs[f"{name}_lower"].isna().all()
    pd.testing.assert_series_equal(table["importance"], plain.constructs["importance"])
    assert set(table["field"]) <= set(FIELDS)
    borders = result.importance_border, result.performance_border
    assert borders == pytest.approx((table["importance"].mean(), table["performance"].mean()))


def test_the_scale_does_not_matter_for_importance() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey())
    tight = dimensions.construct_performance(fit, "Loyalty", low=1, high=7)
    wide = dimensions.construct_performance(fit, "Loyalty", low=0, high=10)
    assert wide.constructs["importance"].to_numpy() == pytest.approx(
        tight.constructs["importance"].to_numpy(), abs=ROUNDING
    )
    assert (wide.constructs["performance"] < tight.constructs["performance"] * 1.2).all()


@pytest.mark.parametrize(
    ("target", "scale", "told"),
    [
        ("Price", (1, 7), "nothing leads to 'Price'; targets: 'Satisfaction', 'Loyalty'"),
        ("Loyalti", (1, 7), "did you mean 'Loyalty'"),
        ("Loyalty", (7, 1), "low=7, high=1: the scale must rise"),
        ("Loyalty", (1, 5), r"outside the scale 1 to 5: p1 \(1 to 7\)"),
    ],
)
def test_what_is_wrong_is_said(target, scale, told) -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey())
    with pytest.raises(ValueError, match=told):
        dimensions.construct_performance(fit, target, low=scale[0], high=scale[1])


def test_items_asked_the_other_way_round_are_told() -> None:
    answers = survey()
    answers["s2"] = 8 - answers["s2"]
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    result = dimensions.construct_performance(fit, "Loyalty", low=1, high=7)
    assert "negative weights, so performance may leave 0 to 100: s2 (-" in " ".join(result.notes)
    answers["t2"] = 8 - answers["t1"] + np.random.default_rng(0).normal(0, 0.01, len(answers))
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    with pytest.raises(ValueError, match="weights of 'Satisfaction' cancel each other"):
        dimensions.construct_performance(fit, "Loyalty", low=0, high=8)


def test_a_sacrifice_counts_from_the_upper_end() -> None:
    answers = survey()
    turned = answers.assign(p1=8 - answers["p1"], p2=8 - answers["p2"])
    plain = dimensions.fit_pls(PATHS, CONSTRUCTS, answers).bootstrap(50)
    other = dimensions.fit_pls(PATHS, CONSTRUCTS, turned).bootstrap(50)
    told = dimensions.construct_performance(plain, "Loyalty", low=1, high=7)
    left = dimensions.construct_performance(other, "Loyalty", low=1, high=7)
    assert "the more of it, the less Loyalty: Price; if less of it" in " ".join(left.notes)
    found = dimensions.construct_performance(other, "Loyalty", low=1, high=7, reverse="Price")
    assert "less is better: Price" in found.notes[0]
    numbers = told.constructs.select_dtypes("number").columns
    assert found.constructs[numbers].to_numpy() == pytest.approx(
        told.constructs[numbers].to_numpy(), abs=1e-6
    )
    items = (
        found.items.set_index("item")["performance"],
        told.items.set_index("item")["performance"],
    )
    assert items[0][items[1].index].to_numpy() == pytest.approx(items[1].to_numpy())


def test_it_reads_as_a_report() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey())
    result = dimensions.construct_performance(fit, "Loyalty", low=1, high=7)
    said = " ".join(result.sentences)
    assert f"A point more of {result.constructs['construct'][0]} goes with" in said
    assert result.to_frame().equals(result.constructs)
    assert "Importance and performance for Loyalty" in result._repr_html_()
