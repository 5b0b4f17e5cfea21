"""Deal-proneness: the counts by another hand, recovery of a known spread, the grocery's figures."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions
from keycustomer.dimensions.behaviour.deals import CLASSES, PRIOR_LINES, DealCounts, read_deals
from keycustomer.dimensions.behaviour.proneness import fit_proneness, weighted_correlation
from written_bases import write_base

SUMS = 1e-9
"""Sums of a few hundred doubles in two orders."""

SPLIT = "2017-06-30"

WINDOW = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 12, 31)}


def base_of(folder, transactions, products, interactions=None):
    tables = {"transactions": transactions, "products": products}
    return write_base(
        folder, tables if interactions is None else tables | {"interactions": interactions}
    )


PRODUCTS = pd.DataFrame({"product_id": ["p1", "p2", "p3", "p4"], "category": [*"aab", None]})


def purchases(seed=0, customers=25, lines=600, prone=0.0, days=366):
    """Random order lines: category a is often on deal, b seldom; customers differ by `prone`."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, lines)
    product = rng.choice(["p1", "p2", "p3"], lines)
    day = rng.integers(0, days, lines)
    lean = rng.normal(0, 1, customers)[who] * prone
    logit = np.where(product == "p3", -1.5, 0.3) + lean
    deal = rng.random(lines) < 1 / (1 + np.exp(-logit))
    frame = pd.DataFrame(
        {
            "line": range(lines),
            "customer_id": [f"c{k:03d}" for k in who],
            "date": [dt.date(2024, 1, 1) + dt.timedelta(int(d)) for d in day],
            "product_id": product,
            "quantity": 1,
            "revenue": 2.0,
            "discount": np.where(deal, 0.5, 0.0),
        }
    )
    frame["order_id"] = frame["customer_id"] + "-" + day.astype(str)
    return frame


def expected_by_hand(frame):
    """Expectation of each line, from its definition, line by line."""
    frame = frame.merge(PRODUCTS, on="product_id").dropna(subset=["category"])
    frame = frame.assign(
        month=pd.to_datetime(frame["date"]).dt.month, deal=(frame["discount"] > 0).astype(float)
    )
    overall = frame["deal"].mean()
    told = []
    for row in frame.to_dict("records"):
        others = frame[(frame["customer_id"] != row["customer_id"])]
        others = others[others["category"] == row["category"]]
        cell = others[others["month"] == row["month"]]
        rate = (others["deal"].sum() + PRIOR_LINES * overall) / (len(others) + PRIOR_LINES)
        told.append((cell["deal"].sum() + PRIOR_LINES * rate) / (len(cell) + PRIOR_LINES))
    return frame.assign(expected=told)


def test_counts_by_hand(tmp_path):
    frame = purchases(lines=200, customers=6)
    odd = frame.head(4).assign(
        line=range(900, 904),
        quantity=[-1, 1, 1, 1],
        revenue=[-2.0, 2.0, 2.0, 2.0],
        discount=[0.0, None, 0.0, 0.0],
        product_id=["p1", "p1", "p4", "unknown"],
    )
    base = base_of(tmp_path, pd.concat([frame, odd]), PRODUCTS)
    counts = read_deals(base, WINDOW)
    by_hand = expected_by_hand(frame)
    sums = by_hand.groupby("customer_id").agg(
        lines=("deal", "size"), deals=("deal", "sum"), expected=("expected", "sum")
    )
    pd.testing.assert_frame_equal(
        counts.totals(), sums.astype(float), check_index_type=False, atol=SUMS
    )
    assert counts.orders.tolist() == by_hand.groupby("customer_id")["order_id"].nunique().tolist()
    assert counts.excluded.set_index("reason")["lines"].to_dict() == {
        "discount not known": 1,
        "no purchase (return, no quantity)": 1,
        "product without a category": 2,
    }


def test_baskets_alternate_between_the_halves(tmp_path):
    frame = purchases(lines=200, customers=6)
    counts = read_deals(base_of(tmp_path, frame, PRODUCTS), WINDOW)
    orders = frame.sort_values(["customer_id", "date", "order_id"])
    place = orders.groupby("customer_id")["date"].rank(method="dense").astype(int)
    second = orders[place % 2 == 0].groupby("customer_id").size()
    assert counts.totals(half=0)["lines"].tolist() == second.tolist()
    both = counts.totals(half=0) + counts.totals(half=1)
    pd.testing.assert_frame_equal(both, counts.totals())


def test_dispersion_is_one_for_independent_lines_and_more_for_like_baskets(tmp_path):
    independent = purchases(seed=1, lines=20_000, customers=100)
    alike = independent.copy()
    first = alike.groupby("order_id")["discount"].transform("first")
    alike["discount"] = first
    one = read_deals(base_of(tmp_path, independent, PRODUCTS), WINDOW).dispersion
    many = read_deals(base_of(tmp_path, alike, PRODUCTS), WINDOW).dispersion
    assert one < 1.05
    assert many > 1.2


def counts_of(truth, lines=200, seed=0, clusters=1):
    """Counts of customers with a known proneness; `clusters` lines go the same way together."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    expected = np.broadcast_to((np.arange(CLASSES) + 0.5) / CLASSES, (n, 2, CLASSES))
    size = rng.poisson(np.broadcast_to(lines, n)[:, None, None] / (2 * CLASSES), expected.shape)
    chance = 1 / (1 + (1 / expected - 1) * np.exp(-truth[:, None, None]))
    deals = rng.binomial(size, chance) * clusters
    return DealCounts(
        customers=pd.Index([f"{k:05d}" for k in range(n)], name="customer_id"),
        lines=size.astype(float) * clusters,
        deals=deals.astype(float),
        expected=np.array(expected),
        dispersion=float(clusters),
        orders=np.ones(n, dtype=np.int64),
        excluded=pd.DataFrame({"reason": [], "lines": []}),
    )


@pytest.mark.parametrize("clusters", [1, 3])
def test_a_known_spread_is_recovered_and_the_intervals_cover(clusters):
    rng = np.random.default_rng(11)
    truth = rng.normal(0.1, 0.5, 3000)
    counts = counts_of(truth, lines=rng.integers(2, 300, 3000), seed=12, clusters=clusters)
    fitted = fit_proneness(counts)
    # standard errors of the mean and spread of 3000 customers are about 0.012
    assert fitted.average == pytest.approx(0.1, abs=0.05)
    assert fitted.spread == pytest.approx(0.5, abs=0.05)
    half = 1.96 * fitted.spread * np.sqrt(1 - fitted.share)
    covered = np.abs(fitted.shrunken - truth) <= half
    # the standard error of a share of 3000 is 0.4 %; penalised quasi-likelihood is a little short
    assert 0.93 < covered.mean() < 0.965
    raw_error = np.nanmean((np.nan_to_num(fitted.raw) - truth) ** 2)
    assert np.mean((fitted.shrunken - truth) ** 2) < 0.8 * raw_error


def test_no_difference_between_customers_is_found_where_there_is_none():
    fitted = fit_proneness(counts_of(np.zeros(800), seed=3))
    assert fitted.spread < 0.08
    assert np.abs(fitted.shrunken - fitted.average).max() < 0.15


def test_always_or_never_on_deal_stays_finite():
    counts = counts_of(np.random.default_rng(0).normal(0, 0.5, 200), lines=40)
    counts.deals[0], counts.deals[1] = counts.lines[0], 0.0
    fitted = fit_proneness(counts)
    assert np.isfinite(fitted.shrunken).all()
    assert fitted.shrunken[0] == fitted.shrunken.max()
    assert fitted.shrunken[1] == fitted.shrunken.min()


@settings(max_examples=15)
@given(st.integers(0, 500), st.floats(0.2, 1.0))
def test_shrinking_moves_towards_the_average_and_never_past_it(seed, spread):
    truth = np.random.default_rng(seed).normal(0, spread, 60)
    fitted = fit_proneness(counts_of(truth, lines=30, seed=seed))
    assert ((fitted.share >= 0) & (fitted.share <= 1)).all()
    side = np.sign(fitted.raw - fitted.average) * np.sign(fitted.shrunken - fitted.average)
    known = np.isfinite(fitted.raw) & (fitted.spread > 0)
    # where the step was settled the shrunken value lies between the average and the own one
    assert (side[known] >= 0).all()


def test_weighted_correlation_is_that_of_repeated_customers():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 30))
    weights = rng.integers(0, 4, (5, 30)).astype(float)
    expected = [
        np.corrcoef(np.repeat(first, row), np.repeat(second, row))[0, 1]
        for row in weights.astype(int)
    ]
    np.testing.assert_allclose(weighted_correlation(weights, first, second), expected, atol=SUMS)
    assert np.isnan(weighted_correlation(weights, np.ones(30), second)).all()


def test_basket_contents_are_no_proneness(tmp_path):
    """Who buys what is often on deal has a high share of deals, and no proneness."""
    frame = purchases(seed=5, customers=60, lines=12_000)
    lover = frame["customer_id"] < "c030"
    frame = frame[
        (lover & (frame["product_id"] != "p3")) | (~lover & (frame["product_id"] != "p1"))
    ]
    found = dimensions.deal_proneness(base_of(tmp_path, frame, PRODUCTS), draws=20).frame
    lovers = found["customer_id"] < "c030"
    gap = found.loc[lovers, "deal_share"].mean() - found.loc[~lovers, "deal_share"].mean()
    lean = found.loc[lovers, "proneness"].mean() - found.loc[~lovers, "proneness"].mean()
    assert gap > 0.15
    assert abs(lean) < 0.1


def test_result_reads_well_and_is_reproducible(tmp_path):
    base = base_of(tmp_path, purchases(seed=6, customers=40, lines=8000, prone=0.8), PRODUCTS)
    one, two = (dimensions.deal_proneness(base, draws=50, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    assert one.reliability == two.reliability
    assert one.reliability.estimate > 0.8
    frame = one.frame
    assert frame["proneness"].is_monotonic_decreasing
    assert (frame["lower"] < frame["upper"]).all()
    np.testing.assert_allclose(frame["odds_ratio"], np.exp(frame["proneness"]))
    np.testing.assert_allclose(frame["excess"], frame["deal_share"] - frame["expected_share"])
    assert one.price_driven["lower"].min() > one.average
    assert "split-half reliability 0." in one.sentence
    assert "The most deal-prone" in one._repr_html_()


def test_a_depth_of_discount_can_be_asked_for(tmp_path):
    frame = purchases(lines=3000, customers=20)
    rng = np.random.default_rng(0)
    # a list value of 2.5: discounts of 0.5 are a fifth of it, those of 0.1 a twenty-fifth
    frame["discount"] = np.where(rng.random(3000) < 0.4, 0.5, 0.1)
    frame["revenue"] = 2.5 - frame["discount"]
    base = base_of(tmp_path, frame, PRODUCTS)
    found = dimensions.deal_proneness(base, deeper_than=0.1, draws=20)
    deals = found.frame["deal_share"] @ found.frame["lines"]
    assert deals == pytest.approx((frame["discount"] == 0.5).sum())
    assert "above 10 % of its list value" in found.notes[0]
    # exactly a fifth is not deeper than a fifth
    with pytest.raises(ValueError, match=r"of 3,000 purchase lines .* 0 are on deal"):
        dimensions.deal_proneness(base, deeper_than=0.2)
    with pytest.raises(ValueError, match="deeper_than=10 must be a share between 0 and 1; 10 %"):
        dimensions.deal_proneness(base, deeper_than=10)


def test_where_nearly_all_is_on_deal_it_says_so(tmp_path):
    frame = purchases(lines=400, customers=10)
    frame["discount"] = np.where(np.arange(400) % 20 == 0, 0.0, 0.5)
    found = dimensions.deal_proneness(base_of(tmp_path, frame, PRODUCTS), draws=20)
    assert "customers can hardly be told apart; choose another depth" in found.notes[1]


def test_few_customers_have_no_reliability_and_it_says_why(tmp_path):
    found = dimensions.deal_proneness(
        base_of(tmp_path, purchases(customers=5, lines=40), PRODUCTS), draws=20
    )
    assert found.reliability.method == "no interval: 0 customers with 20 lines in either half"


def test_what_a_base_lacks_is_told(tmp_path):
    frame = purchases(lines=50)
    products = PRODUCTS.assign(category=None)
    with pytest.raises(ValueError, match=r"knows no products\.category; map the column"):
        dimensions.deal_proneness(base_of(tmp_path, frame, products))
    no_discount = frame.assign(discount=None)
    with pytest.raises(ValueError, match=r"knows no discounts, so nobody .* map discount"):
        dimensions.deal_proneness(base_of(tmp_path, no_discount, PRODUCTS))
    never = frame.assign(discount=0.0)
    with pytest.raises(ValueError, match=r"of 50 purchase lines .* 0 are on deal"):
        dimensions.deal_proneness(base_of(tmp_path, never, PRODUCTS))
    base = base_of(tmp_path, frame, PRODUCTS)
    with pytest.raises(ValueError, match="start 2024-06-01 lies after end 2024-02-01"):
        dimensions.deal_proneness(base, start="2024-06-01", end="2024-02-01")
    with pytest.raises(ValueError, match="start is a day such as"):
        dimensions.deal_proneness(base, start="soon")
    with pytest.raises(ValueError, match="level=95"):
        dimensions.deal_proneness(base, level=95)


# Later purchases


def checked(folder, **options):
    frame = purchases(seed=8, customers=80, lines=16_000, prone=0.6)
    rng = np.random.default_rng(9)
    ids = frame["customer_id"].drop_duplicates()
    contacts = pd.DataFrame({"customer_id": ids, "date": dt.date(2024, 9, 1), "kind": "letter"})
    answers = contacts[rng.random(len(ids)) < 0.4].assign(kind="coupon")
    base = base_of(folder, frame, PRODUCTS, pd.concat([contacts.iloc[:70], answers]))
    return dimensions.check_deal_proneness(base, **({"split": "2024-06-30", "draws": 60} | options))


def test_a_lasting_trait_is_confirmed_by_later_purchases(tmp_path):
    found = checked(tmp_path)
    assert found.customers == 80 and found.gone == 0
    assert found.slope.lower < 1 < found.slope.upper + 0.1
    assert found.correlation.estimate > 0.7
    assert (found.groups["customers"] == 16).all()
    excess = found.groups["later_share"] - found.groups["expected_share"]
    assert excess.is_monotonic_increasing
    errors = found.prediction.set_index("method")["error"]
    # all buy the same mix here, so that the basket alone foretells no more than the average
    assert errors["basket and proneness"] < errors["past deal share"] < 0.6 * errors["basket"]
    assert found.answer_auc.empty and found.answer == ""
    assert "Later purchases by proneness" in found._repr_html_()
    assert found.sentence.startswith("After 2024-06-30 the most prone group bought")


def test_answers_are_counted_among_those_with_an_offer(tmp_path):
    found = checked(tmp_path, offer="letter", answer="coupon")
    assert found.groups["offered"].sum() == 70
    assert (found.groups["answered"] <= found.groups["offered"]).all()
    assert found.groups["lower"].le(found.groups["answer_share"]).all()
    # answers were drawn at random, so proneness says nothing of them
    row = found.answer_auc.iloc[0]
    assert row["lower"] < 0.5 < row["upper"]
    everybody = checked(tmp_path, answer="coupon")
    assert everybody.groups["offered"].sum() == 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "2024-12-31"}, "split is the last day of the first window"),
        ({"split": None}, "split is the last day of the first window"),
        ({"groups": 1}, "groups"),
        ({"groups": 60}, "only 80 customers bought both until and after 2024-06-30"),
        ({"offer": "letter"}, "offer='letter' needs the kind of interaction that answers it"),
        ({"answer": "visit"}, "no interaction of kind 'visit' .* 'coupon', 'letter'"),
    ],
)
def test_checks_that_cannot_be_made_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        checked(tmp_path, **options)


def test_the_grocery_households_stay_as_deal_prone_as_they_were(complete_journey_base):
    found = dimensions.check_deal_proneness(
        complete_journey_base, split=SPLIT, offer="campaign", answer="coupon redemption", draws=60
    )
    assert found.customers + found.gone == 2389
    assert 0.7 < found.slope.estimate < 0.9 and found.slope.upper < 1
    assert found.correlation.lower > 0.5
    errors = found.prediction.set_index("method")
    assert errors["error"].idxmin() == "basket and proneness"
    assert errors.loc["basket and proneness", "saved_lower"] > 0.01
    # the plain share of the past foretells less than what is in the basket
    assert errors.loc["past deal share", "saved_upper"] < 0
    scores = found.answer_auc.set_index("score")
    assert scores.loc["proneness among those who buy as much", "lower"] > 0.5
    shares = found.groups["answer_share"]
    assert shares.iloc[-1] > 1.5 * shares.iloc[0]


def test_the_grocery_proneness_is_reliable(complete_journey_base):
    found = dimensions.deal_proneness(complete_journey_base, end="2017-03-31", draws=100)
    lines = complete_journey_base.query(
        "select count(*) as n from transactions where date <= '2017-03-31'"
    )
    assert found.frame["lines"].sum() + found.excluded["lines"].sum() == lines["n"].iloc[0]
    assert found.reliability.lower > 0.55
    assert 1.2 < found.dispersion < 1.7
    assert 0.05 < found.frame["price_driven"].mean() < 0.25
