"""Deal-proneness against price response: recovery of known responses, and the grocery's figures."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from keycustomer import pricing
from keycustomer.pricing.proneness.agreement import Measured, agreement
from keycustomer.pricing.proneness.redemptions import redemptions
from keycustomer.pricing.proneness.responses import choices_of, fit_responses, price_responses
from sold_bases import sold_base

# a standard deviation over 600 customers, most known to about as much, has an error of 0.05; weeks
# bought instead of purchases flatten responses by some hundredths
SPREAD = 0.1
# four times 600 intervals: 0.005, of which the flattening and the estimated shares take more
COVERAGE = 0.03
# a correlation of 1,500 customers has an error of 0.026, after correction 2.5 times as much
CORRELATION = 0.2


def drawn_choices(seed=0, customers=600, categories=40, weeks=26, spread=0.8):
    """Purchases of customers with known relative elasticities."""
    generator = np.random.default_rng(seed)
    price = np.where(generator.random((categories, weeks)) < 0.3, -0.4, 0.0)
    price = price + 0.05 * generator.normal(size=price.shape)
    relative = spread * generator.normal(size=customers)
    season = 0.3 * generator.normal(size=price.shape)
    taste = np.exp(generator.normal(-3.6, 0.7, (customers, categories)))
    rate = np.exp(season + (relative[:, None, None] - 2.0) * price) * taste[:, :, None]
    who, what, when = np.nonzero(generator.random(rate.shape) < 1 - np.exp(-rate))
    rows = pd.DataFrame(
        {"customer_id": who, "category": what, "week": when, "price": np.exp(price[what, when])}
    )
    return rows, relative


class TestResponses:
    def test_recovers_known_responses(self):
        spreads, held = [], []
        for seed in range(4):
            rows, relative = drawn_choices(seed=seed)
            found = fit_responses(choices_of(rows))
            truth = relative[found.customers] - relative[found.customers].mean()
            estimate = found.pooled.estimate - found.pooled.estimate.mean()
            held.append(np.mean(np.abs(estimate - truth) < 1.96 * found.pooled.error))
            spreads.append(found.spread)
            assert np.corrcoef(estimate, truth)[0, 1] > 0.7
        assert np.mean(spreads) == pytest.approx(0.8, abs=SPREAD)
        assert np.mean(held) == pytest.approx(0.95, abs=COVERAGE)

    def test_equal_customers_have_no_spread(self):
        rows, _ = drawn_choices(seed=1, spread=0.0)
        assert fit_responses(choices_of(rows)).spread < 0.25

    def test_what_moves_all_customers_cancels(self):
        rows, _ = drawn_choices(seed=2, customers=200)
        raised = rows.assign(price=3 * rows["price"])
        one, two = fit_responses(choices_of(rows)), fit_responses(choices_of(raised))
        assert two.pooled.estimate == pytest.approx(one.pooled.estimate, abs=1e-5)

    def test_one_newton_step_by_hand(self):
        # two weeks, price 1 and e^-1; all customers together buy equally often in both
        rows = pd.DataFrame(
            [(who, what, week, np.exp(-week)) for who, what, week in [(0, 0, 1), (0, 1, 1)]]
            + [(1, 0, 0, 1.0), (1, 1, 0, 1.0)]
            + [(2, 0, 0, 1.0), (2, 0, 1, np.exp(-1.0))],
            columns=["customer_id", "category", "week", "price"],
        )
        choices = choices_of(rows)
        assert choices.share[0] == pytest.approx([0.5, 0.5])
        assert choices.bought == pytest.approx([-2.0, 0.0, -1.0])
        found = fit_responses(choices)
        # who bought in the cheap week only is the more elastic one, the third is between
        assert found.pooled.estimate[0] < found.pooled.estimate[2] < found.pooled.estimate[1]
        assert found.pooled.estimate[2] == pytest.approx(0.0, abs=1e-6)

    def test_one_price_is_refused(self, hand_made_base):
        rows = [
            (k, f"c{k % 3}", f"o{k}", dt.date(2024, 1, 1) + dt.timedelta(k), "p", 1, 2, 0, 1, "x")
            for k in range(60)
        ]
        base = hand_made_base({"transactions": rows, "products": [("p", "a")]})
        window = {"start": base.start, "end": base.end}
        with pytest.raises(ValueError, match="no category has two prices"):
            price_responses(base, window, categories=5)


def measured(truth, error, generator):
    raw = truth + error * generator.normal(size=len(truth))
    share = np.full(len(truth), truth.var() / (truth.var() + error**2))
    return Measured(raw, np.full(len(truth), error**2), share * raw, share)


class TestAgreement:
    @pytest.mark.parametrize("correlation", [0.0, 0.6])
    def test_correction_recovers_the_correlation_of_true_values(self, correlation):
        generator = np.random.default_rng(7)
        first = generator.normal(size=1500)
        rest = np.sqrt(1 - correlation**2) * generator.normal(size=1500)
        second = correlation * first + rest
        found = agreement(
            measured(first, 1.0, generator),
            measured(second, 1.5, generator),
            level=0.95,
            draws=300,
            seed=1,
        )
        assert found.true_correlation.estimate == pytest.approx(correlation, abs=CORRELATION)
        assert found.true_correlation.lower < correlation < found.true_correlation.upper
        # errors of variance 1 and 2.25 leave 1 / sqrt(2 x 3.25) of it
        seen = correlation / np.sqrt(2 * 3.25)
        assert found.correlation.estimate == pytest.approx(seen, abs=CORRELATION)


class TestRedemptions:
    def test_scores_that_decide_are_told_from_those_that_do_not(self):
        generator = np.random.default_rng(3)
        prone, spent, chance = generator.normal(size=(3, 2000))
        answered = generator.random(2000) < 1 / (1 + np.exp(2 - prone - 0.5 * spent))
        scores = pd.DataFrame({"deal-proneness": prone, "spent": spent, "luck": chance})
        found = redemptions(
            scores, answered, spending="spent", groups=5, level=0.95, draws=200, seed=0
        )
        odds = found.odds.set_index("score")
        assert odds.loc["deal-proneness", "lower"] < np.e < odds.loc["deal-proneness", "upper"]
        assert odds.loc["luck", "lower"] < 1 < odds.loc["luck", "upper"]
        assert found.among_alike.lower > 0.6
        auc = found.auc.set_index("score")
        assert auc.loc["luck", "behind_lower"] > 0
        assert auc.loc["luck", "auc"] == pytest.approx(0.5, abs=0.05)

    def test_too_few_answers_are_refused(self):
        scores = pd.DataFrame({"deal-proneness": np.arange(50.0), "spent": np.arange(50.0)})
        with pytest.raises(ValueError, match="3 customers answered an offer and 47 did not"):
            redemptions(
                scores,
                np.arange(50) < 3,
                spending="spent",
                groups=2,
                level=0.95,
                draws=10,
                seed=0,
            )


class TestCheck:
    def test_grocery(self, complete_journey_base):
        found = pricing.proneness_check(
            complete_journey_base, offer="campaign", answer="coupon redemption", draws=200
        )
        assert found.verdict == "supported"
        assert found.correlation.lower > 0.2
        assert found.true_correlation.estimate > found.correlation.estimate
        assert found.groups["relative_elasticity"].is_monotonic_decreasing
        assert found.groups["upper"].iloc[-1] < 0 < found.groups["lower"].iloc[0]
        assert found.redemptions.among_alike.lower > 0.5
        # how much a customer buys tells more of coupons than either
        auc = found.redemptions.auc.set_index("score")["auc"]
        assert auc["spending (log)"] > auc["deal-proneness"] > auc["share of purchases on deal"]

    def test_negotiated_prices_are_refused(self, telecom_base):
        with pytest.raises(ValueError, match="V5 cannot be measured here"):
            pricing.proneness_check(telecom_base)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"split": "2030-01-01"}, "split is the last day"),
            ({"offer": "campaign"}, "needs the kind of interaction that answers it"),
            ({"level": 95}, "share between 0 and 1"),
            ({"groups": 1}, "groups"),
            ({"categories": 0}, "categories"),
        ],
    )
    def test_refusals(self, complete_journey_base, arguments, message):
        with pytest.raises(ValueError, match=message):
            pricing.proneness_check(complete_journey_base, **arguments)


def grocery(path, seed, *, linked, without=()):
    """Sales of 150 customers; who takes deals wherever there are any responds to prices if linked.

    Half of the products of a category are on deal in a week of deals.  Customers differ in how
    gladly they take the one on deal, and, where this is linked, in how much more they buy then.
    """
    generator = np.random.default_rng(seed)
    cut = np.where(generator.random((20, 52)) < 0.3, generator.choice([0.2, 0.4], (20, 52)), 0.0)
    prone = generator.normal(size=150)
    slope = 2.0 + (0.8 * prone if linked else np.zeros(150))
    taste = np.exp(generator.normal(-1.6, 0.6, (150, 20)))
    rate = np.exp(-slope[:, None, None] * np.log(1 - cut)) * taste[:, :, None]
    who, what, when = np.nonzero(generator.random(rate.shape) < 1 - np.exp(-rate))
    cut = cut[what, when]
    glad = 1 / (1 + np.exp(-1.2 * prone[who] - 0.5))
    on = (cut > 0) & (generator.random(len(who)) < glad)
    other = (cut > 0) | (generator.random(len(who)) < 0.5)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        7 * when + generator.integers(0, 7, len(who)), "D"
    )
    lines = pd.DataFrame(
        {
            "order_id": [f"o{n}" for n in range(len(who))],
            "customer_id": [f"k{n:03d}" for n in who],
            "date": day,
            "product_id": [f"p{n}{'ab'[int(b)]}" for n, b in zip(what, other & ~on, strict=True)],
            "quantity": 1.0,
            "revenue": 5.0 * (1 - cut * on),
            "discount": 5.0 * cut * on,
        }
    )
    products = [(f"p{n}{one}", f"c{n}") for n in range(20) for one in "ab"]
    tables = {
        "transactions": lines.drop(columns=[one for one in without if one in lines]),
        "products": pd.DataFrame(products, columns=["product_id", "category"]),
        "customers": pd.DataFrame({"customer_id": sorted(set(lines["customer_id"]))}),
    }
    return sold_base(path, {k: v for k, v in tables.items() if k not in without})


class TestMadeUpGroceries:
    def test_proneness_that_tells_nothing_of_prices_is_not_supported_often(self, tmp_path):
        verdicts = [
            pricing.proneness_check(
                grocery(tmp_path / f"{seed}.duckdb", seed, linked=False), draws=100, seed=seed
            ).verdict
            for seed in range(6)
        ]
        # one in forty each: three of six in 1 of 3,000
        assert verdicts.count("supported") <= 2
        linked = grocery(tmp_path / "linked.duckdb", 1, linked=True)
        assert pricing.proneness_check(linked, draws=100).verdict == "supported"

    @pytest.mark.parametrize(
        ("without", "message"),
        [
            ("products", "knows no products.category"),
            ("discount", "knows no discounts"),
            ("quantity", "knows no transactions.quantity"),
        ],
    )
    def test_bases_that_cannot_tell(self, tmp_path, without, message):
        base = grocery(tmp_path / "base.duckdb", 1, linked=True, without=(without,))
        with pytest.raises(ValueError, match=message):
            pricing.proneness_check(base)
