"""Types by volume and loyalty: signs by hand, types that are traits, types that are noise."""

import datetime as dt
import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base
from keycustomer.dimensions.kano.disagreement import cohens_kappa
from keycustomer.relationships import (
    TypeThresholds,
    loyalty_signs,
    relationship_types,
    type_stability,
)
from keycustomer.relationships.rules.stability import IN_TURN, OVER_TIME, agreement_of
from keycustomer.simulate import simulate_company

FACTS = {"start": "2024-01-01", "end": "2024-12-31"}


def order_lines(rows):
    """Lines of (customer, day, revenue, product)."""
    table = pd.DataFrame(rows, columns=["customer_id", "date", "revenue", "product_id"])
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[s]")
    return table.assign(
        line=range(len(table)), order_id=None, quantity=1.0, discount=0.0, cost=0.0, channel=None
    )


def base_of(folder, rows, categories=None, survey=None, **facts):
    lines = order_lines(rows)
    names = lines["product_id"].unique()
    found = categories or {}
    tables = {
        "transactions": lines,
        "products": pd.DataFrame(
            {"product_id": names, "category": [found.get(one, one) for one in names]}
        ),
    }
    if survey is not None:
        tables["survey"] = survey
    path = folder / f"base{len(list(folder.iterdir()))}.duckdb"
    return contract_base(path, tables, **(FACTS | facts))


@pytest.fixture
def small(tmp_path):
    rows = [
        *(("often", f"2024-{m:02d}-01", 100.0, p) for m in range(1, 13) for p in ("v", "w")),
        ("once", "2024-01-01", 50.0, "v"),
        ("twice", "2024-06-01", 10.0, "v"),
        ("twice", "2024-07-01", 10.0, "w"),
    ]
    return base_of(tmp_path, rows)


def test_signs_by_hand(small):
    """Usual gaps: 335 days in 11 gaps, 30 in one; typical is the median of 335 / 11 and 30."""
    signs = loyalty_signs(small, broad=2).frame.set_index("customer_id")
    assert signs["purchases"].to_dict() == {"often": 12, "once": 1, "twice": 2}
    assert signs["repeated"].to_dict() == {"often": 1 - 1 / 12, "once": 0.0, "twice": 0.5}
    assert signs["active"].to_dict() == {"often": 1.0, "once": 1 / 12, "twice": 2 / 7}
    assert signs["breadth"].to_dict() == {"often": 1.0, "once": 0.5, "twice": 1.0}
    typical = (335 / 11 + 30) / 2
    silent = (dt.date(2024, 12, 31) - dt.date(2024, 7, 1)).days
    assert signs.loc["twice", "rhythm"] == pytest.approx((30 + typical) / 2 / silent)
    assert signs.loc["once", "rhythm"] == pytest.approx(typical / 365)
    assert signs.loc["often", "rhythm"] == 1  # silent for 30 days, usually for 335 / 11
    assert signs.loc["often", "volume"] == pytest.approx(2400 * 365.25 / 366)
    four = signs[["repeated", "active", "breadth", "rhythm"]].mean(axis=1)
    np.testing.assert_allclose(signs["loyalty"], four)


def test_a_customer_known_from_before_is_counted_from_the_window_on(small):
    later = loyalty_signs(small, start="2024-07-01", broad=2).frame.set_index("customer_id")
    assert set(later.index) == {"often", "twice"}
    assert later.loc["twice", "active"] == pytest.approx(1 / 6)
    assert later.loc["twice", "purchases"] == 1


def test_categories_are_those_of_the_products(tmp_path):
    rows = [("a", "2024-01-05", 1.0, "v"), ("a", "2024-02-05", 1.0, "w")]
    same = base_of(tmp_path, rows, {"v": "voice", "w": "voice"})
    assert loyalty_signs(same).frame["categories"].tolist() == [1]
    other = base_of(tmp_path, rows, {"v": "voice", "w": "data"})
    assert loyalty_signs(other).frame["categories"].tolist() == [2]


def test_answers_count_as_much_as_behaviour_for_those_who_gave_them(tmp_path):
    rows = [(c, f"2024-{m:02d}-03", 9.0, "v") for c in "ab" for m in range(1, 13)]
    survey = pd.DataFrame(
        {
            "customer_id": ["a", "a", *"stuvwxyz"],
            "date": ["2024-03-01", *["2024-09-01"] * 9],
            "stay": ["1", "4", *"12345123"],
            "tell": ["1", "2", *"12345123"],
        }
    )
    asked = {"loyalty": ["stay", "tell"]}
    base = base_of(tmp_path, rows, survey=survey, constructs=asked)
    signs = loyalty_signs(base, low=1, high=5)
    own = signs.frame.set_index("customer_id")
    assert own.loc["a", "answers"] == pytest.approx(0.5)  # the last one: a mean of 3 on 1 to 5
    assert own.loc["a", "loyalty"] == pytest.approx((own.loc["a", "behaviour"] + 0.5) / 2)
    assert own.loc["b", "loyalty"] == own.loc["b", "behaviour"]
    assert "50.0 % of the customers answered" in signs.notes[0]
    silent = loyalty_signs(base, answers=None)
    assert silent.frame["answers"].isna().all() and silent.answers is None
    assert "no dated answers on trust" in loyalty_signs(base, answers="trust").notes[0]


def points(volume, loyalty):
    ids = [f"c{n}" for n in range(len(volume))]
    return pd.DataFrame({"customer_id": ids, "volume": volume, "loyalty": loyalty})


def test_four_corners_make_three_types():
    table = points([10.0, 10.0, 1.0, 1.0], [0.9, 0.1, 0.9, 0.1])
    found = relationship_types(table, TypeThresholds(volume=5.0, loyalty=0.5))
    assert found.frame["type"].tolist() == ["relational", "selective", "selective", "transactional"]
    assert found.summary["volume_share"].tolist() == pytest.approx([10 / 22, 11 / 22, 1 / 22])
    assert found.parts["customers"].tolist() == [1, 1, 1, 1]
    border = relationship_types(points([5.0, 4.9], [0.5, 0.49]), TypeThresholds(5.0, loyalty=0.5))
    assert border.frame["type"].tolist() == ["relational", "transactional"]


def test_the_largest_fifth_is_large_where_no_volume_is_given():
    found = relationship_types(points(np.arange(1.0, 101), np.full(100, 0.9)))
    assert found.volume_cut == 81.0
    assert found.summary.set_index("type")["customers"].to_dict() == {
        "relational": 20,
        "selective": 80,
        "transactional": 0,
    }


def test_who_is_not_known_is_counted_and_what_hardly_differs_is_told():
    table = points([1.0, 2.0, np.nan], [0.99, 0.98, 0.5])
    found = relationship_types(table)
    assert found.excluded == 1 and len(found.frame) == 2
    assert any("1 customer without known" in note for note in found.notes)
    assert any("hardly tells them apart" in note for note in found.notes)


def made(folder, rates, spend, swap=False, seed=3, months=24):
    """Customers that buy in a month with a chance of their own; at half time chances may swap."""
    rng = np.random.default_rng(seed)
    starts = pd.date_range("2023-01-01", periods=months, freq="MS")
    rows = []
    for n, rate in enumerate(rates):
        for number, day in enumerate(starts):
            own = rates[-1 - n] if swap and number >= months // 2 else rate
            if number == 0 or rng.random() < own:
                paid = spend[-1 - n] if swap and number >= months // 2 else spend[n]
                date = day + pd.Timedelta(days=int(rng.integers(28)))
                rows.append((f"c{n:04d}", date, paid * rng.exponential(), "v"))
    return base_of(folder, rows, start="2023-01-01", end="2024-12-31")


DRAWS = 200

SURE = 0.999
"""Level of the intervals, so that a true statement fails in one of a thousand samples."""

LARGE_KAPPA = 0.8
"""Kappa of types that are traits; two kinds of customer here differ by far more than the noise."""


@cache
def study(kind, folder):
    n = 300
    two = np.r_[np.full(n // 5, 0.95), np.full(n - n // 5, 0.15)]
    if kind == "noise":
        rates, spend = np.full(n, 0.5), np.full(n, 10.0)
    else:
        rates, spend = two, np.where(two > 0.5, 100.0, 5.0)
    base = made(folder, rates, spend, swap=kind == "swap")
    between = TypeThresholds(None if kind == "noise" else 300.0, loyalty=0.9)
    types = relationship_types(loyalty_signs(base), between)
    return type_stability(types, draws=DRAWS, level=SURE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("types")


def test_types_that_are_traits_come_again_both_ways(folder):
    found = study("traits", folder)
    for split in (IN_TURN, OVER_TIME):
        assert found.of(split).lower > LARGE_KAPPA
        assert found.verdict(split) == "supported"


def test_types_of_customers_that_do_not_differ_are_noise(folder):
    """All customers alike: their types in two halves are independent, kappa 0."""
    found = study("noise", folder)
    for split in (IN_TURN, OVER_TIME):
        kappa = found.of(split)
        assert kappa.lower < 0 < kappa.upper
        assert found.verdict(split) == "not supported"


def test_customers_that_change_are_told_from_noise(folder):
    """A fifth falls and a fifth rises at half time: in turn types agree, over time they do not."""
    found = study("swap", folder)
    assert found.of(IN_TURN, "same").lower > found.of(OVER_TIME, "same").upper
    relational = found.each.query("split == 'earlier and later' and type == 'relational'")
    assert relational["upper"].iloc[0] < 0.1


def test_everybody_is_somewhere(folder):
    found = study("traits", folder)
    for split, table in found.moves.items():
        assert table.to_numpy().sum() == 300
        each = found.each[found.each["split"] == split]
        assert each["customers"].sum() == table.iloc[:-1, :-1].to_numpy().sum()
        assert found.of(split).n == each["customers"].sum()
    first, second = found.splits[IN_TURN]
    assert sorted([*first, *second]) == list(range(24))


def test_sensitivity_counts_who_changes(folder):
    rows = study("traits", folder).sensitivity
    assert rows["changed"].iloc[0] == 0
    np.testing.assert_allclose(rows[["relational", "selective", "transactional"]].sum(axis=1), 1)
    larger = rows[rows["threshold"] == "volume"].set_index("change")["relational"]
    assert larger.is_monotonic_decreasing


def test_kappa_is_that_of_other_implementations():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(5)
    first = rng.integers(0, 3, 400)
    second = np.where(rng.random(400) < 0.6, first, rng.integers(0, 3, 400))
    counts = np.bincount(first * 3 + second, minlength=9).reshape(1, 9).astype(float)
    same, kappa = agreement_of(counts, 3)[0]
    assert kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert kappa == pytest.approx(cohens_kappa(pd.Series(first), pd.Series(second)), abs=1e-12)
    assert same == (first == second).mean()
    assert math.isnan(agreement_of(np.array([[7.0, 0, 0, 0, 0, 0, 0, 0, 0]]), 3)[0, 1])


def test_real_baskets_have_all_three_types(complete_journey_base):
    signs = loyalty_signs(complete_journey_base)
    types = relationship_types(signs)
    assert (types.summary["customers"] > 0).all()
    assert types.summary["share"].sum() == pytest.approx(1)
    assert signs.frame["loyalty"].between(0, 1).all()
    found = type_stability(types, draws=DRAWS)
    # Half a year tells the type of a household better than chance, and not well.
    assert 0.4 < found.of(OVER_TIME).lower < found.of(OVER_TIME).upper < 0.6


TOLD, HARDLY = 0.5, 0.15
"""Correlation with the true loyalty that answers reach, and that behaviour does not."""


def test_under_contract_behaviour_hardly_tells_loyalty_and_answers_do(telecom_base):
    """Who has a contract buys every month, loyal or not; the truth is known here."""
    panel = simulate_company(**telecom_base.simulation).panel
    there = panel.active[-1]
    true = np.where(panel.active, panel.loyalty, np.nan)
    ids = [f"K{n + 1:07d}" for n in np.flatnonzero(there)]
    signs = loyalty_signs(telecom_base).frame.set_index("customer_id").loc[ids]
    signs["true"] = np.nanmean(true[:, there], axis=0)
    correlation = signs[["behaviour", "answers"]].corrwith(signs["true"])
    assert correlation["answers"] > TOLD
    assert abs(correlation["behaviour"]) < HARDLY


def test_what_cannot_be_halved_is_refused(small):
    with pytest.raises(ValueError, match=r"make them of loyalty_signs\(base\)"):
        type_stability(relationship_types(points([1.0, 2.0], [0.1, 0.9])))
    short = loyalty_signs(small, start="2024-10-01")
    with pytest.raises(ValueError, match="3 months: halves need at least 4"):
        type_stability(relationship_types(short))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"every": "fortnight"}, "every='fortnight': choose one of 'week'"),
        ({"broad": 0}, "broad=0: a number of categories above 0"),
        ({"start": "2025-01-01", "end": "2025-02-01"}, "nobody bought anything"),
    ],
)
def test_signs_that_make_no_sense_are_refused(small, arguments, said):
    with pytest.raises(ValueError, match=said):
        loyalty_signs(small, **arguments)


def test_types_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"1 value outside, first 1.5 of 'c1'"):
        relationship_types(points([1.0, 2.0], [0.5, 1.5]))
    with pytest.raises(ValueError, match="nobody can be sorted"):
        relationship_types(points([np.nan], [0.5]))
    with pytest.raises(ValueError, match=r"(?s)volume_share=0.*loyalty=2"):
        TypeThresholds(volume_share=0, loyalty=2)
    with pytest.raises(KeyError, match="no column 'loyalty'"):
        relationship_types(pd.DataFrame({"customer_id": ["a"], "volume": [1.0]}))
