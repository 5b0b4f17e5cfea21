"""Next needs: the model by other hands, planted needs found again, the grocery's holdout."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions
from keycustomer.dimensions.behaviour.adoption import Adoption
from keycustomer.dimensions.behaviour.association import (
    association_of,
    fit_logistic,
    learn_take_up,
)
from scipy.stats import mannwhitneyu
from written_bases import write_base

LINEAR = 1e-9
"""Linear systems of a few dozen unknowns by two ways."""

NEWTON = 1e-5
"""Newton's method against scikit-learn's limited-memory one."""

START, YEAR = dt.date(2024, 1, 1), 366
HORIZON = 91


def base_of(folder, first):
    """Open a base from first purchases: customer_id, category, day (from the first observed)."""
    lines = pd.DataFrame(
        {
            "line": range(len(first)),
            "customer_id": first["customer_id"],
            "date": [START + dt.timedelta(int(d)) for d in first["day"]],
            "product_id": "p-" + first["category"],
            "quantity": 1,
            "revenue": 1.0,
        }
    )
    names = first["category"].unique()
    products = pd.DataFrame({"product_id": "p-" + names, "category": names})
    return write_base(folder, {"transactions": lines, "products": products})


def planted(seed=0, customers=600, strength=0.7):
    """Who has `phone` takes up `cloud`, who has `mail` takes up `vault`, at all times.

    With strength 0 take-up hangs on nothing but the category.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        name = f"c{k:04d}"
        has = [c for c in ("phone", "mail", "radio", "paper") if rng.random() < 0.5]
        rows += [(name, c, 0) for c in ["base", *has]]
        for need, because in {"cloud": "phone", "vault": "mail"}.items():
            chance = 0.35 + strength * (0.5 if because in has else -0.5)
            if rng.random() < chance:
                rows.append((name, need, rng.integers(40, YEAR)))
        for other in ("tape", "lamp"):
            if rng.random() < 0.35:
                rows.append((name, other, rng.integers(40, YEAR)))
    return pd.DataFrame(rows, columns=["customer_id", "category", "day"])


def adoption_of(first):
    customers = pd.Index(sorted(first["customer_id"].unique()))
    categories = pd.Index(sorted(first["category"].unique()))
    return Adoption(
        customers,
        categories,
        customers.get_indexer(first["customer_id"]).astype(np.int64),
        categories.get_indexer(first["category"]).astype(np.int64),
        first["day"].to_numpy(np.int64),
        YEAR,
    )


def test_owned_and_taken_up_by_hand():
    first = pd.DataFrame(
        {"customer_id": list("aab"), "category": ["x", "y", "y"], "day": [0, 10, 19]}
    )
    adoption = adoption_of(first)
    assert adoption.owned(10).toarray().tolist() == [[1, 0], [0, 0]]
    assert adoption.taken_up(10, 9).toarray().tolist() == [[0, 1], [0, 0]]
    assert adoption.taken_up(10, 10).toarray().tolist() == [[0, 1], [0, 1]]


def test_one_inverse_gives_the_ridge_regressions_of_each_category_on_all_others():
    rng = np.random.default_rng(0)
    owned = (rng.random((200, 6)) < 0.4).astype(float)
    found = association_of(owned.T @ owned, 7.0)
    for column in range(6):
        rest = np.delete(np.arange(6), column)
        x = owned[:, rest]
        expected = np.linalg.solve(x.T @ x + 7.0 * np.eye(5), x.T @ owned[:, column])
        np.testing.assert_allclose(found[rest, column], expected, atol=LINEAR)
        assert found[column, column] == 0


def test_logistic_regression_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 2))
    answer = (rng.random(500) < 1 / (1 + np.exp(-(0.3 + x @ [1.0, -2.0])))).astype(float)
    weights, likelihood = fit_logistic([np.ones(500), *x.T], answer)
    other = linear_model.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, answer)
    np.testing.assert_allclose(
        weights, [other.intercept_[0], *other.coef_[0]], rtol=NEWTON, atol=NEWTON
    )
    chance = other.predict_proba(x)[:, 1]
    expected = np.log(np.where(answer > 0, chance, 1 - chance)).sum()
    assert likelihood == pytest.approx(expected, rel=1e-8)


def test_a_column_that_adds_nothing_does_no_harm():
    rng = np.random.default_rng(2)
    answer = (rng.random(300) < 0.3).astype(float)
    weights, _ = fit_logistic([np.ones(300), np.full(300, 2.0)], answer)
    assert weights[0] + 2 * weights[1] == pytest.approx(np.log(answer.mean() / (1 - answer.mean())))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_the_area_is_that_of_mann_and_whitney(cases):
    score = np.array([s for s, _ in cases], float)
    positive = np.array([p for _, p in cases])
    found = dimensions.weighted_auc(np.ones((1, len(cases))), score, positive)[0]
    if positive.all() or not positive.any():
        assert np.isnan(found)
        return
    wins = mannwhitneyu(score[positive], score[~positive], method="asymptotic").statistic
    assert found == pytest.approx(wins / (positive.sum() * (~positive).sum()))


def test_areas_by_weight_are_those_of_repeated_cases_and_strata_compare_within():
    rng = np.random.default_rng(3)
    score, positive = rng.normal(size=40), rng.random(40) < 0.4
    weights = rng.integers(0, 4, (3, 40))
    found = dimensions.weighted_auc(weights.astype(float), score, positive)
    for row, area in zip(weights, found, strict=True):
        again = dimensions.weighted_auc(
            np.ones((1, row.sum())), np.repeat(score, row), np.repeat(positive, row)
        )
        assert area == pytest.approx(again[0])
    # a score that only tells the strata apart tells nothing within them
    strata = np.arange(40) % 2
    within = dimensions.weighted_auc(np.ones((1, 40)), strata.astype(float), positive, strata)
    assert within[0] == 0.5


def test_planted_needs_are_found_with_their_reason(tmp_path):
    found = dimensions.next_needs(base_of(tmp_path, planted()), at_least=20, horizon=HORIZON)
    frame = found.frame
    firsts = frame[frame["rank"] == 1].set_index("customer_id")
    owned = planted().groupby("customer_id")["category"].agg(set)
    phone = [name for name, has in owned.items() if "phone" in has and "cloud" not in has]
    none = [name for name, has in owned.items() if not {"phone", "cloud"} & has]
    by_pair = frame.set_index(["customer_id", "category"])["probability"]
    with_, without = (by_pair[[(name, "cloud") for name in who]].mean() for who in (phone, none))
    assert with_ > 3 * without
    clouds = frame[(frame["category"] == "cloud") & frame["customer_id"].isin(phone)]
    assert clouds["because"].str.contains("phone").all()
    assert (
        firsts.loc[[n for n in phone if n in firsts.index], "category"]
        .isin(["cloud", "vault"])
        .mean()
        > 0.9
    )
    assert found.model.weights[3] > 0
    assert set(found.left_out["category"]) >= {"base", "phone", "mail", "radio", "paper"}


def test_suggestions_are_new_ranked_and_complete(tmp_path):
    first = planted(customers=300)
    found = dimensions.next_needs(base_of(tmp_path, first), at_least=5, horizon=HORIZON, top=3)
    owned = set(zip(first["customer_id"], first["category"], strict=True))
    frame = found.frame
    assert not owned & set(zip(frame["customer_id"], frame["category"], strict=True))
    assert frame.groupby("customer_id")["probability"].is_monotonic_decreasing.all()
    assert (frame.groupby("customer_id")["rank"].max() <= 3).all()
    assert frame["probability"].between(0, 1).all()
    np.testing.assert_allclose(frame["lift"], frame["probability"] / frame["popularity"])
    told = frame["customer_id"].nunique() + found.complete
    assert told == len(found.customers) == 300
    one = found.of("c0007")
    assert one["rank"].tolist() == list(range(1, len(one) + 1))
    with pytest.raises(KeyError, match="no customer 'nobody' with a purchase"):
        found.of("nobody")
    assert "Suggestions" in found._repr_html_()
    assert found.weights["term"].tolist() == ["constant", "popularity", "breadth", "association"]
    again = dimensions.next_needs(base_of(tmp_path, first), at_least=5, horizon=HORIZON, top=3)
    pd.testing.assert_frame_equal(frame, again.to_frame())


def test_products_can_be_suggested_in_place_of_categories(tmp_path):
    base = base_of(tmp_path, planted(customers=300))
    found = dimensions.next_needs(base, product_level="product", at_least=5, horizon=HORIZON)
    assert found.frame["category"].str.startswith("p-").all()
    assert "products within" in found.sentence


def test_very_many_customers_are_drawn_from(monkeypatch):
    monkeypatch.setattr("keycustomer.dimensions.behaviour.association.MOST_TRAINED", 250)
    adoption = adoption_of(planted())
    one, two = (
        learn_take_up(adoption, YEAR, HORIZON, 20, np.random.default_rng(4)) for _ in range(2)
    )
    assert one.customers == 250
    np.testing.assert_array_equal(one.weights, two.weights)


def test_later_take_ups_confirm_planted_needs(tmp_path):
    found = dimensions.check_next_needs(
        base_of(tmp_path, planted(seed=1, customers=800)),
        split="2024-08-31",
        horizon=HORIZON,
        at_least=20,
        draws=50,
    )
    measures = found.frame.set_index("measure")
    assert measures.loc["hit rate at 1", "difference_lower"] > 0.05
    assert measures.loc["which category", "difference_lower"] > 0.03
    assert measures.loc["which customer", "difference_lower"] > 0.03
    estimate = found.estimate("hit rate at 1", "difference")
    assert estimate.lower < estimate.estimate < estimate.upper
    assert estimate.n == found.takers
    calibration = found.calibration
    off = (calibration["foretold"] - calibration["observed"]).abs()
    # 240 pairs or so a class: the standard error of a share is below 0.033
    assert off.max() < 0.13
    assert "Foretold and observed" in found._repr_html_()


def test_where_nothing_goes_together_popularity_is_as_good(tmp_path):
    found = dimensions.check_next_needs(
        base_of(tmp_path, planted(seed=2, customers=800, strength=0.0)),
        split="2024-08-31",
        horizon=HORIZON,
        at_least=20,
        draws=50,
    )
    difference = found.frame.set_index("measure")["difference"]
    assert difference.abs().max() < 0.06


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "2024-12-01"}, "91 days after 2024-12-01 end beyond the last day observed"),
        ({"split": "2024-03-01"}, r"horizon=91 days: as many must lie before .* at most 30"),
        ({"split": "2023-03-01"}, "split is the last day of the first window"),
        ({"at_least": 500}, "at least 500 took up no category .* choose a longer horizon"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": 1.5}, "horizon"),
        ({"hits": [0]}, "hits"),
        ({"product_level": "brand"}, "product_level='brand': choose 'category' or 'product'"),
        ({"level": 95}, "level=95"),
    ],
)
def test_checks_that_cannot_be_made_are_refused(tmp_path, options, message):
    base = base_of(tmp_path, planted(customers=120))
    given = {"split": "2024-08-31", "horizon": HORIZON, "at_least": 5, "draws": 5} | options
    with pytest.raises(ValueError, match=message):
        dimensions.check_next_needs(base, **given)


def test_a_base_without_choice_is_refused(tmp_path, cdnow_base):
    one = pd.DataFrame({"customer_id": ["a", "b"], "category": "x", "day": [0, 300]})
    with pytest.raises(ValueError, match="the base has 1; use coarser categories"):
        dimensions.next_needs(base_of(tmp_path, one))
    with pytest.raises(ValueError, match=r"has no transactions\.product_id"):
        dimensions.next_needs(cdnow_base)


def test_the_grocery_take_ups_are_foretold_better_than_by_popularity(complete_journey_base):
    found = dimensions.check_next_needs(complete_journey_base, split="2017-09-30", draws=20)
    measures = found.frame.set_index("measure")
    assert (found.customers, found.takers, found.candidates) == (2443, 2249, 229)
    assert measures.loc["hit rate at 1", "model"] == pytest.approx(0.374, abs=0.01)
    assert measures.loc["hit rate at 1", "baseline"] == pytest.approx(0.238, abs=0.01)
    assert (measures["difference_lower"] > 0).all()
    assert measures.loc["which category", "difference"] == pytest.approx(0.020, abs=0.003)
    # take-up slows down over the year, so that chances are foretold too high
    calibration = found.calibration
    assert calibration["observed"].is_monotonic_increasing
    assert found.outside > 0
