"""Segments of customers: labels that come again, profiles, contributions and the placing rule."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import (
    kind_contributions,
    placing_rule,
    rand_index,
    read_variables,
    segment_customers,
    segment_numbers,
)
from segment_customers_made import KINDS, LOGGED, blobs, company

# Bayes' rule on the true classes errs for about one customer in fifteen.
RECOVERED = 0.8


def variables_of(frame, **arguments):
    return read_variables(frame, KINDS, logged=LOGGED, **arguments)


@cache
def segmented(method="mixture", n=1500):
    frame, group = company(n)
    value = frame.set_index("customer_id")["spend"]
    made = segment_customers(variables_of(frame), 4, method=method, value=value, sort_by="value")
    return frame, group, made


@pytest.mark.parametrize("method", ["mixture", "latent class"])
def test_known_segments_are_recovered(method):
    _, group, made = segmented(method)
    assert rand_index(made.labels, group) > RECOVERED - 0.05 * (method == "latent class")


def test_kinds_weighed_alike_make_k_means_find_the_regions():
    """Equal weights are a choice too: one column of three regions is a quarter of the distance."""
    frame, group = company(1500)
    equal = segment_customers(variables_of(frame), 4)
    weights = {"psychographic": 8, "firmographic": 2, "value": 1, "geographic": 0.2}
    weighed = segment_customers(variables_of(frame, weights=weights), 4)
    assert rand_index(equal.labels, group) < 0.3
    assert rand_index(weighed.labels, group) > 0.65


def test_labels_are_the_same_whatever_the_order_of_customers_and_the_seed():
    frame, _ = blobs(300)
    frame.index = [f"k{i}" for i in range(300)]
    kinds = {"place": ["x", "y"]}
    one = segment_customers(read_variables(frame, kinds), 4, seed=1)
    shuffled = frame.sample(frac=1, random_state=3)
    other = segment_customers(read_variables(shuffled, kinds), 4, seed=2)
    first, second = (m.frame.set_index("customer_id")["segment"] for m in (one, other))
    assert (first == second.reindex(first.index)).all()
    assert one.segments["customers"].is_monotonic_decreasing
    assert one.names == other.names


def test_segments_are_sorted_by_value_and_their_shares_add_up():
    frame, _, made = segmented()
    table = made.segments
    assert table["value_mean"].is_monotonic_decreasing
    assert table["value"].sum() == pytest.approx(frame["spend"].sum())
    assert table[["share", "value_share"]].sum().tolist() == pytest.approx([1, 1])
    assert made.value == "spend"


def test_names_are_the_salient_traits_and_differ():
    _, _, made = segmented()
    assert len(set(made.names)) == 4
    assert any("industry machines" in n and "high innovativeness" in n for n in made.names)
    assert not any("region" in name for name in made.names)


def test_profiles_are_means_in_the_variables_own_units():
    frame, _, made = segmented()
    rows = made.profiles
    own = (made.frame["segment"] == 2).to_numpy()
    one = rows[(rows["segment"] == 2) & (rows["variable"] == "price orientation")].iloc[0]
    assert one["mean"] == pytest.approx(frame.loc[own, "price orientation"].mean())
    law = rows[(rows["segment"] == 2) & (rows["level"] == "law")].iloc[0]
    assert law["mean"] == pytest.approx((frame.loc[own, "industry"] == "law").mean())
    spend = rows[(rows["segment"] == 2) & (rows["variable"] == "spend")].iloc[0]
    assert spend["mean"] == pytest.approx(np.expm1(np.log1p(frame.loc[own, "spend"]).mean()))
    assert len(made.traits(2, 3)) == 3


@pytest.mark.parametrize("method", ["k-means", "mixture", "latent class"])
def test_placing_the_same_customers_gives_their_segments(method):
    frame, _, made = segmented(method)
    again = made.place(frame.head(200))
    pd.testing.assert_frame_equal(again, made.frame.head(200))


def test_new_customers_are_placed_with_what_is_known():
    frame, _, made = segmented()
    new = frame.head(1).assign(industry="a trade never seen", spend=np.nan, customer_id="new")
    placed = made.place(new)
    assert placed["customer_id"].tolist() == ["new"]
    assert 0.2 < placed["certainty"].iloc[0] <= 1
    with pytest.raises(ValueError, match=r"lacks the columns 'spend'; .*placing_rule"):
        made.place(new.drop(columns="spend"))
    with pytest.raises(ValueError, match="employees: no logarithm can be taken of 'many'"):
        made.place(new.assign(employees="many"))


def test_a_large_base_is_fitted_on_a_sample_and_everybody_is_placed():
    frame, group = company(30_000)
    made = segment_customers(variables_of(frame), 4, method="mixture")
    assert made.fitted_on == 5000 and len(made.frame) == 30_000
    assert "fitted on 5,000 of 30,000 customers" in made.notes[-1]
    assert rand_index(made.labels, group) > RECOVERED


def test_each_kind_is_shown_with_what_it_adds():
    _, _, made = segmented()
    table = kind_contributions(made).set_index("kind")
    assert table["between"].sum() == pytest.approx(1)
    assert table["between"].idxmax() == "psychographic"
    assert table.loc["geographic", "moved"] < 0.02
    assert table.loc["geographic", "agreement_without"] > 0.95
    assert table.loc["psychographic", "agreement_without"] < 0.6


def test_one_kind_alone_has_nothing_to_be_compared_with():
    frame, _ = blobs(200)
    made = segment_customers(read_variables(frame, {"place": ["x", "y"]}), 4)
    (row,) = kind_contributions(made).to_dict("records")
    assert (row["between"], np.isnan(row["agreement_without"])) == (1.0, True)
    assert row["moved"] > 0.5


def test_the_rule_says_how_often_it_is_right_for_customers_not_seen():
    _, _, made = segmented()
    rule = placing_rule(made, ["firmographic", "geographic"])
    assert rule.accuracy.lower < rule.accuracy.estimate < rule.accuracy.upper
    assert rule.accuracy.lower > rule.baseline + 0.2
    new, _ = company(1500, seed=9)
    truth = made.place(new)["segment"]
    placed = rule.place(new[["customer_id", "industry", "employees", "region"]])
    seen = (placed["segment"] == truth).mean()
    # Both shares come from 1,500 customers: twice the interval's half width.
    assert seen == pytest.approx(rule.accuracy.estimate, abs=0.05)
    assert rule.confusion.to_numpy().sum() == 1500
    assert "placed right by firmographic and geographic variables, better than" in rule.sentence


def test_a_rule_from_what_tells_nothing_says_so():
    _, _, made = segmented()
    rule = placing_rule(made, ["geographic"])
    assert abs(rule.kappa) < 0.1
    assert "no better than putting all in the largest segment" in rule.sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"segments": 0}, "segments=0: a whole number from 1 to 20"),
        ({"segments": 2.5}, "segments=2.5"),
        ({"sort_by": "value"}, "'value' together with value="),
        ({"sort_by": "name"}, "sort_by='name'"),
        ({"value": [1.0, 2.0]}, "2 values for 100 customers"),
        ({"value": pd.Series({"c1": 1.0})}, r"no value of customer 'c0'.*\(99 customers\)"),
    ],
)
def test_wrong_calls_name_argument_value_and_cure(arguments, said):
    frame, _ = company(100)
    with pytest.raises(ValueError, match=said):
        segment_customers(variables_of(frame), **({"segments": 3} | arguments))


def test_more_segments_than_different_customers_are_refused():
    frame, _ = blobs(60)
    alike = read_variables(frame.assign(x=np.arange(len(frame)) % 2), {"traits": ["x"]})
    assert segment_customers(alike, 2).partition.fit == pytest.approx(1)
    for ask in (
        lambda: segment_customers(alike, 3),
        lambda: segment_numbers(alike, [2, 3], pairs=2),
    ):
        with pytest.raises(ValueError, match=r"2 different sets of values, too few\s+for 3 segm"):
            ask()


def test_refusals_of_the_rule_and_the_contributions():
    frame, _, made = segmented()
    with pytest.raises(ValueError, match=r"kinds=.*a list of kinds among 'psychographic'"):
        placing_rule(made, ["behaviour"])
    with pytest.raises(ValueError, match="folds=1"):
        placing_rule(made, folds=1)
    with pytest.raises(ValueError, match="segment=9: 1 to 4"):
        made.traits(9)
    single = segment_customers(variables_of(frame.head(60)), 1)
    assert single.names == ["average"]
    with pytest.raises(ValueError, match="with one segment"):
        kind_contributions(single)
    with pytest.raises(ValueError, match="two segments with at least 5 customers"):
        placing_rule(single)


def test_hostile_names_stay_text():
    frame, _ = blobs(60)
    frame = frame.rename(columns={"x": "<script>"})
    made = segment_customers(read_variables(frame, {"<b>": ["<script>", "y"]}), 2)
    assert "<script>" not in made._repr_html_()
    assert "<script>" not in placing_rule(made)._repr_html_()


def test_a_kind_without_which_nobody_differs_has_no_agreement_without_it():
    frame = pd.DataFrame(
        {
            "customer_id": [f"{k:02d}" for k in range(60)],
            "spend": np.linspace(1, 100, 60),
            "region": ["north", "south"] * 30,
        }
    )
    variables = read_variables(frame, {"value": ["spend"], "geographic": ["region"]})
    added = kind_contributions(segment_customers(variables, 4)).set_index("kind")
    assert np.isnan(added["agreement_without"]["value"])
    assert added["agreement_without"]["geographic"] > 0
