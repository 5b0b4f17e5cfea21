"""Price realisation: the waterfall adds up, the price band, and accounts with deep discounts."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers import customer_table
from keycustomer.pricing import discount_outliers, pocket_price_band, price_waterfall
from keycustomer.pricing.realised.deep_discounts import few_by_chance
from keycustomer.pricing.realised.pocket_prices import explained
from keycustomer.simulate import simulate_company
from sold_bases import sold_base

CENTS = 1e-6
"""Share of the list value that rounding of amounts to a hundredth of a cent can make."""

PANELS = 20
"""Made panels for coverage and false discoveries."""

DAY = dt.date(2024, 1, 15)


def lines(rows):
    """Write order lines from customer, date, list value, discount share, cost."""
    return [
        (n, who, f"o{n}", day, "p", 1, listed * (1 - cut), listed * cut, cost, None)
        for n, (who, day, listed, cut, cost) in enumerate(rows)
    ]


@pytest.fixture
def small(hand_made_base):
    rows = [("a", DAY, 1000, 0.10, 600), ("b", DAY, 500, 0.20, 300), ("c", DAY, 100, 0.0, 70)]
    return hand_made_base(
        {
            "transactions": lines(rows),
            "interactions": [("a", DAY, "visit", 50), ("b", DAY, "call", 5)],
        }
    )


def test_the_steps_by_hand(small):
    tiers = pd.Series({"a": "A", "b": "B"})
    bonus = pd.Series({"a": 30.0})
    found = price_waterfall(small, tiers=tiers, rebates={"bonus": bonus})
    whole = found.of().set_index("step")["amount"].to_dict()
    assert whole == pytest.approx(
        {
            "list value": 1600,
            "discounts": -200,
            "invoice value": 1400,
            "bonus": -30,
            "pocket value": 1370,
            "cost of goods": -970,
            "margin": 400,
            "cost to serve": -55,
            "profit": 345,
        }
    )
    assert found.groups == ["all", "A", "B", "not in a tier"]
    assert found.share("profit", "A") == pytest.approx((900 - 30 - 600 - 50) / 1000)
    assert "Of 100 at list prices remain: 87.5 invoice value" in found.sentence
    assert "Simulated" in found._repr_html_()
    with pytest.raises(KeyError, match="no group 'D'"):
        found.of("D")


def test_groups_add_up_to_all_and_to_the_customer_table(telecom_base):
    table = customer_table(telecom_base)
    tiers = pd.Series(np.resize(["A", "B", "C"], len(table)), index=table["customer_id"])
    found = price_waterfall(telecom_base, tiers=tiers)
    amounts = found.frame.pivot(index="step", columns="group", values="amount")
    whole = amounts["all"].abs().max()
    assert amounts[["A", "B", "C"]].sum(axis=1).to_numpy() == pytest.approx(
        amounts["all"].to_numpy(), abs=CENTS * whole
    )
    assert amounts.loc["profit", "all"] == pytest.approx(table["profit"].sum(), rel=CENTS)
    assert found.simulated and found.currency == "EUR"
    changes = found.of().query("kind == 'change'")["share"].sum()
    assert changes + 1 == pytest.approx(found.share("profit"))


def test_what_the_base_does_not_tell_is_said(hand_made_base):
    rows = [(*row[:7], row[7], None, None) for row in lines([("a", DAY, 100, 0.1, 0)])]
    rows += lines([("r", DAY, -50, 0.0, -40)])
    found = price_waterfall(hand_made_base({"transactions": rows, "interactions": []}))
    assert found.of()["step"].tolist() == ["list value", "discounts", "invoice value"]
    assert any("neither recorded nor assumed" in note for note in found.notes)
    assert found.excluded["reason"].tolist() == ["bought nothing in the window"]
    assumed = price_waterfall(
        hand_made_base({"transactions": rows, "interactions": []}), margin=0.4
    )
    assert assumed.share("margin") == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tiers": pd.Series({"x": "A"})}, "its index must be the customer_id"),
        ({"tiers": ["A"]}, "must be a series"),
        ({"rebates": {"bonus": pd.Series({"x": 1.0})}}, "none of its customers"),
        ({"rebates": {"bonus": pd.Series({"a": -1.0})}}, "as a positive amount"),
        ({"rebates": {"bonus": 5}}, "must be a series of amounts"),
    ],
)
def test_tiers_and_rebates_that_do_not_fit_are_refused(small, options, said):
    with pytest.raises(ValueError, match=said):
        price_waterfall(small, **options)


def test_bases_without_discounts_or_purchases_are_refused(small, hand_made_base):
    bare = pd.DataFrame({"customer_id": ["a"], "date": [pd.Timestamp(DAY)]})
    base = sold_base(small.path.parent / "bare.duckdb", {"transactions": bare})
    with pytest.raises(ValueError, match="map discount, list_amount or list_price"):
        price_waterfall(base)
    with pytest.raises(ValueError, match="map discount, list_amount or list_price"):
        discount_outliers(base)
    with pytest.raises(ValueError, match="no customer bought anything"):
        price_waterfall(small, end="2024-01-02")


def known_base(path, n, by_size, seed):
    """Make a base in which size takes `by_size` of the discounts' variance."""
    generator = np.random.default_rng(seed)
    size = generator.normal(0, 1, n)
    noise = generator.normal(0, 1, n)
    cut = 0.2 + 0.04 * (np.sqrt(by_size) * size + np.sqrt(1 - by_size) * noise)
    listed = np.exp(6 + size)
    names = [f"k{i:04d}" for i in range(n)]
    table = pd.DataFrame(
        {
            "line": range(n),
            "customer_id": names,
            "order_id": names,
            "date": pd.Timestamp(DAY),
            "product_id": "p",
            "quantity": 1.0,
            "revenue": listed * (1 - cut),
            "discount": listed * cut,
            "cost": 0.5 * listed,
        }
    )
    contacts = pd.DataFrame(
        {"customer_id": names[:1], "date": [pd.Timestamp(DAY)], "kind": "call", "cost": 1.0}
    )
    people = pd.DataFrame({"customer_id": names})
    tables = {"transactions": table, "interactions": contacts, "customers": people}
    return sold_base(path, tables)


def test_the_share_that_size_explains_is_recovered(tmp_path):
    base = known_base(tmp_path / "band.duckdb", 2_000, 0.2, 1)
    found = pocket_price_band(price_waterfall(base), draws=200)
    assert found.explained_by_size.lower <= 0.2 <= found.explained_by_size.upper
    # nine of ten of a normal lie within 1.645 standard deviations
    assert found.width.lower <= 2 * 1.645 * 0.04 <= found.width.upper
    assert len(found.to_frame()) == 2_000 and "size explains" in found.sentence
    assert "Quantiles" in found._repr_html_()


def test_bands_need_customers_of_different_sizes(small, tmp_path):
    with pytest.raises(ValueError, match="at least 10 of different sizes"):
        pocket_price_band(price_waterfall(small))


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_explained_variance_agrees_with_least_squares(seed):
    generator = np.random.default_rng(seed)
    design = np.column_stack([np.ones(30), generator.normal(size=(30, 2))])
    outcome = generator.normal(size=30) + design[:, 1]
    weights = generator.integers(0, 3, 30).astype(float)
    rows = np.repeat(np.arange(30), weights.astype(int))
    x, y = design[rows], outcome[rows]
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    n = len(rows)
    adjusted = 1 - (left @ left / (n - 3)) / (y.var() * n / (n - 1))
    found = explained(weights[None, :], design, outcome)[0]
    assert found == pytest.approx(np.clip(adjusted, 0, 1), abs=1e-9)


def monthly_base(path, seed, n=120, months=24, deep=12, extra=0.06, keeps=0.5):
    """Make a base whose discounts follow size, a war, habits of months, and a few given more."""
    generator = np.random.default_rng(seed)
    size = generator.normal(0, 1, n)
    lasting = np.where(np.arange(n) < deep, extra, 0.0)
    noise = np.zeros((months, n))
    for month in range(months):
        fresh = generator.normal(0, 0.02, n)
        noise[month] = keeps * noise[month - 1] + np.sqrt(1 - keeps**2) * fresh if month else fresh
    war = np.where(np.arange(months) > 15, 0.05, 0.0)
    cut = 0.15 + 0.02 * size + lasting + war[:, None] + noise
    joined = np.where(generator.random(n) < 0.3, 12, 0)
    days = [pd.Timestamp("2023-01-10") + pd.DateOffset(months=m) for m in range(months)]
    rows = [
        (f"k{i:03d}", days[m], np.exp(5 + size[i]), cut[m, i])
        for m in range(months)
        for i in range(n)
        if m >= joined[i]
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "date", "listed", "cut"])
    table = table.assign(
        line=range(len(table)),
        order_id=[f"o{k}" for k in range(len(table))],
        product_id="p",
        quantity=1.0,
        revenue=table["listed"] * (1 - table["cut"]),
        discount=table["listed"] * table["cut"],
        cost=0.5 * table["listed"],
    )
    people = pd.DataFrame({"customer_id": [f"k{i:03d}" for i in range(n)], "region": "north"})
    people.loc[::2, "region"] = "south"
    contacts = pd.DataFrame(
        {"customer_id": ["k000"], "date": [pd.Timestamp("2023-01-10")], "kind": "call", "cost": 1.0}
    )
    tables = {"transactions": table, "customers": people, "interactions": contacts}
    base = sold_base(path, tables, start="2023-01-01", end="2024-12-31")
    return base, pd.Series(lasting - lasting.mean(), index=people["customer_id"])


@pytest.fixture(scope="module")
def panels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels")
    made = [monthly_base(folder / f"{seed}.duckdb", seed) for seed in range(PANELS)]
    return [(discount_outliers(base), truth) for base, truth in made]


def test_intervals_hold_the_lasting_excess_and_few_are_called_deep_by_chance(panels):
    held, false, found = [], [], []
    for result, truth in panels:
        frame = result.frame.set_index("customer_id")
        own = truth.loc[frame.index]
        held.append(((frame["lower"] <= own) & (own <= frame["upper"])).mean())
        called = frame.index[frame["deep"]]
        false.append((own.loc[called] < 0).mean() if len(called) else 0.0)
        found.append((own.loc[called] > 0).sum() / 12)
    # the fit by size takes a little of the lasting differences along, hence not quite .95
    assert np.mean(held) > 0.92
    assert np.mean(false) < 0.05 + 2 * np.std(false) / np.sqrt(PANELS)
    # a third joined late, and of twelve months that go together little can be proved
    assert np.mean(found) > 0.7


def test_autocorrelation_is_recovered_in_short_series(panels):
    assert np.mean([result.autocorrelation for result, _ in panels]) == pytest.approx(0.5, abs=0.04)


def test_who_gets_what_its_like_get_is_not_called_deep(tmp_path):
    base, _ = monthly_base(tmp_path / "none.duckdb", 1, deep=0)
    found = discount_outliers(base, like=("region",))
    assert len(found.deep) <= 1 and found.like == ("size", "region")
    if found.deep.empty:
        assert "No account" in found.sentence
    assert "Left out" in found._repr_html_() or found.excluded.empty
    with pytest.raises(ValueError, match="did you mean 'region'"):
        discount_outliers(base, like=("regoin",))
    with pytest.raises(ValueError, match="a sequence of columns"):
        discount_outliers(base, like="region")
    with pytest.raises(ValueError, match="at least 20 are needed"):
        discount_outliers(base, least_months=25)
    with pytest.raises(ValueError, match="of at least 3"):
        discount_outliers(base, least_months=2)
    with pytest.raises(ValueError, match="chance_share"):
        discount_outliers(base, chance_share=1)


def test_the_deep_ones_of_the_simulated_operator_have_generous_managers(telecom_base):
    found = discount_outliers(telecom_base)
    company = simulate_company(**telecom_base.simulation)
    ids = company.truth.accounts["customer_id"]
    habit = pd.Series(company.accounts.manager_habit, index=ids)
    deep = habit.loc[found.deep["customer_id"]]
    assert deep.mean() > habit.mean() + habit.std() / 2
    excess = found.frame.set_index("customer_id")["excess"]
    assert np.corrcoef(excess, habit.loc[excess.index])[0, 1] > 0.5


def test_few_by_chance_by_hand():
    marked = few_by_chance(np.array([0.012, 0.9, 0.001, 0.03]), 0.05)
    # .03 <= .05 x 3/4, so the three smallest stand
    assert marked.tolist() == [True, False, True, True]
    assert not few_by_chance(np.array([0.5, 0.6]), 0.05).any()
