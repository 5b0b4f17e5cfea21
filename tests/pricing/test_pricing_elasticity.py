"""Elasticities equal those of other programs, count what they drop, and refuse what has none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers import CustomerBase
from keycustomer.pricing import (
    cross_elasticities,
    known_panel,
    price_elasticity,
    sales_panel,
    stockpiling_controls,
)
from keycustomer.pricing.elasticity.first_stage import critical_value
from revenue_tiers import abc

EXACT = 1e-9  # the same regression, solved in another way
ITERATED = 1e-5  # a Poisson fit ends when its deviance hardly changes
PRINTED = 0.01  # two printed decimals


def rows(seed: int = 0, units: int = 60, periods: int = 12, products: int = 2) -> pd.DataFrame:
    """Prices that follow demand, an instrument, another price, and some zeros."""
    chance = np.random.default_rng(seed)
    n = units * periods * products
    frame = pd.DataFrame(
        {
            "product": np.repeat([f"p{k}" for k in range(products)], units * periods),
            "unit": np.tile(np.repeat([f"u{k:02d}" for k in range(units)], periods), products),
            "period": np.tile(
                pd.date_range("2024-01-01", periods=periods, freq="MS"), units * products
            ),
            "shift": chance.normal(size=n),
            "other_shift": chance.normal(size=n),
            "promotion": chance.integers(0, 2, n).astype(float),
        }
    )
    demand = chance.normal(size=n)
    log_price = 0.1 * (frame["shift"] + 0.5 * frame["other_shift"] + demand + chance.normal(size=n))
    frame["price"] = np.exp(log_price - 0.05 * frame["promotion"])
    frame["rival"] = np.exp(0.1 * chance.normal(size=n) + 0.3 * log_price)
    mean = np.exp(
        1
        - 1.5 * np.log(frame["price"])
        + 0.5 * np.log(frame["rival"])
        + 0.3 * demand
        + 0.2 * frame["promotion"]
    )
    frame["quantity"] = chance.poisson(mean)
    return frame


def dummies(frame: pd.DataFrame, *effects: str) -> np.ndarray:
    """Constant and all levels of effects but the first, one column each."""
    levels = [pd.get_dummies(frame[e], drop_first=True, dtype=float) for e in effects]
    return np.column_stack([np.ones(len(frame)), *levels])


def sold(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with a sale, with logs and the product by unit."""
    kept = frame[frame["quantity"] > 0]
    return kept.assign(
        lq=np.log(kept["quantity"]),
        lp=np.log(kept["price"]),
        lr=np.log(kept["rival"]),
        both=kept["product"] + kept["unit"],
    )


def test_fixed_effects_equal_a_regression_with_dummies() -> None:
    """Effects not nested in clusters all count: statsmodels counts its dummies too."""
    import statsmodels.api as sm

    frame = rows()
    found = price_elasticity(
        frame, effects=("product", "period"), cross="rival", controls="promotion", cluster="unit"
    )
    kept = sold(frame)
    design = np.column_stack([kept[["lp", "lr", "promotion"]], dummies(kept, "product", "period")])
    unit = pd.factorize(kept["unit"])[0]
    other = sm.OLS(kept["lq"].to_numpy(), design).fit(cov_type="cluster", cov_kwds={"groups": unit})
    assert found.frame["term"].tolist() == ["own", "rival"]
    assert np.allclose(found.frame["elasticity"], other.params[:2], atol=EXACT)
    assert np.allclose(found.frame["standard_error"], other.bse[:2], rtol=EXACT)
    row = found.own.iloc[0]
    assert row["rows"] == len(kept) and row["zeros_dropped"] == (frame["quantity"] == 0).sum()
    assert row["clusters"] == 60 and row["degrees_of_freedom"] == 59
    from scipy.stats import t

    assert row["upper"] - row["elasticity"] == pytest.approx(
        t.ppf(0.975, 59) * row["standard_error"], rel=EXACT
    )


def test_instruments_equal_linearmodels() -> None:
    """Dummies as exogenous columns; linearmodels counts them all."""
    linearmodels = pytest.importorskip("linearmodels.iv")
    frame = rows()
    found = price_elasticity(
        frame,
        method="iv",
        effects=("product", "period"),
        cross="rival",
        controls="promotion",
        instruments=("shift", "other_shift"),
        cluster="unit",
    )
    kept = sold(frame)
    exogenous = np.column_stack([kept[["lr", "promotion"]], dummies(kept, "product", "period")])
    other = linearmodels.IV2SLS(
        kept["lq"], exogenous, kept["lp"], kept[["shift", "other_shift"]]
    ).fit(cov_type="clustered", clusters=pd.factorize(kept["unit"])[0], debiased=True)
    assert found.own["elasticity"][0] == pytest.approx(other.params["lp"], abs=EXACT)
    assert found.own["standard_error"][0] == pytest.approx(other.std_errors["lp"], rel=EXACT)


@pytest.mark.parametrize("cluster", ["unit", "period", "product^unit"])
def test_poisson_and_instruments_equal_pyfixest(cluster: str) -> None:
    """Effects that are not nested in clusters, where both count alike."""
    pyfixest = pytest.importorskip("pyfixest")
    frame = rows().assign(both=lambda d: d["product"] + d["unit"])
    name = {"product^unit": "both"}.get(cluster, cluster)
    frame["own_level"] = np.arange(len(frame)) % 37
    effects = {"effects": ("own_level",), "cluster": cluster}
    found = price_elasticity(frame, method="poisson", cross="rival", **effects)
    logs = frame.assign(lp=np.log(frame["price"]), lr=np.log(frame["rival"]))
    other = pyfixest.fepois("quantity ~ lp + lr | own_level", logs, vcov={"CRV1": name})
    assert np.allclose(found.frame["elasticity"], other.coef(), atol=ITERATED)
    assert np.allclose(found.frame["standard_error"], other.se(), rtol=1e-3)
    found = price_elasticity(frame, method="iv", instruments="shift", cross="rival", **effects)
    other = pyfixest.feols("lq ~ lr | own_level | lp ~ shift", sold(frame), vcov={"CRV1": name})
    assert np.allclose(found.frame["elasticity"], other.coef()[["lp", "lr"]], atol=EXACT)
    assert np.allclose(found.frame["standard_error"], other.se()[["lp", "lr"]], rtol=1e-6)


def test_effects_nested_in_clusters_cost_nothing() -> None:
    """As linearmodels' panel regression counts, which leaves out nested effects by itself."""
    panel_module = pytest.importorskip("linearmodels.panel")
    frame = rows(products=1)
    found = price_elasticity(frame, effects="unit", cluster="unit")
    kept = sold(frame).set_index(["unit", "period"])
    other = panel_module.PanelOLS(kept["lq"], kept[["lp"]], entity_effects=True).fit(
        cov_type="clustered", cluster_entity=True, auto_df=True
    )
    assert found.own["elasticity"][0] == pytest.approx(other.params["lp"], abs=EXACT)
    n = len(kept)  # linearmodels: n-K with the slope alone, without (n-1) and G/(G-1)
    ratio = np.sqrt(60 / 59 * (n - 1) / (n - 2) * (n - 1) / n)
    assert found.own["standard_error"][0] / other.std_errors["lp"] == pytest.approx(ratio, rel=2e-3)


def test_the_effective_f_of_one_instrument_is_its_f() -> None:
    found = price_elasticity(rows(), method="iv", instruments="shift").first_stage.iloc[0]
    assert found["effective_f"] == pytest.approx(found["f"], rel=EXACT)
    assert found["critical_value"] == pytest.approx(23.11, abs=PRINTED)  # Olea & Pflueger, tau .10
    assert np.isnan(found["overidentification"]) and not found["weak"]


def test_critical_values_fall_with_more_equal_instruments() -> None:
    values = [critical_value(np.eye(k)) for k in (1, 2, 5)]
    assert values == sorted(values, reverse=True)
    assert critical_value(np.diag([1.0, 0.0])) == pytest.approx(values[0])


def test_the_anderson_rubin_interval_ends_where_the_test_does() -> None:
    """At its ends the instrument explains quantity less elasticity x price just significantly."""
    frame = rows(3)
    frame["quantity"] += 1
    found = price_elasticity(frame, method="iv", instruments="shift", effects="period")
    stage = found.first_stage.iloc[0]
    for end in ("ar_lower", "ar_upper"):
        moved = np.log(frame["quantity"]) - stage[end] * np.log(frame["price"])
        told = frame.assign(amount=np.exp(moved), mover=np.exp(frame["shift"]))
        again = price_elasticity(
            told, price="mover", quantity="amount", effects="period", cluster="unit"
        ).own.iloc[0]
        nearest = min(abs(again["lower"]), abs(again["upper"]))
        assert nearest < 1e-8 * again["standard_error"] + 1e-9


def test_useless_instruments_leave_the_interval_open() -> None:
    frame = rows(1).assign(useless=np.random.default_rng(9).normal(size=1440))
    found = price_elasticity(frame, method="iv", instruments="useless")
    stage = found.first_stage.iloc[0]
    assert stage["weak"] and np.isinf([stage["ar_lower"], stage["ar_upper"]]).any()
    assert "weak" in found.identification["all"] and "Anderson-Rubin" in found.identification["all"]


def test_instruments_that_disagree_are_found_out() -> None:
    frame = rows(2)
    frame["quantity"] = np.exp(-1.5 * np.log(frame["price"]) + 0.3 * frame["other_shift"])
    found = price_elasticity(frame, method="iv", instruments=("shift", "other_shift"))
    assert found.first_stage["overidentification"][0] < 0.01


def test_identification_says_what_is_compared() -> None:
    found = price_elasticity(rows(), method="iv", instruments="shift", cross="rival")
    said = found.identification["all"]
    assert "product x unit and period and other prices and controls in common" in said
    assert "goes with shift" in said and "cannot test" in said
    shares = found.price_variation.set_index("source")["share"]
    assert shares.sum() == pytest.approx(1) and shares["left"] > 0
    assert list(shares.index) == ["product^unit", "period", "other prices and controls", "left"]


@given(scale=st.floats(1e-3, 1e3), cost=st.floats(1e-3, 1e3), seed=st.integers(0, 5))
@settings(max_examples=15)
def test_units_of_price_and_quantity_do_not_matter(scale: float, cost: float, seed: int) -> None:
    frame = rows(seed, units=12)
    other = frame.assign(price=frame["price"] * cost, quantity=frame["quantity"] * scale)
    one, two = (price_elasticity(f.sample(frac=1, random_state=seed)) for f in (frame, other))
    assert two.own["elasticity"][0] == pytest.approx(one.own["elasticity"][0], abs=1e-8)
    assert two.own["standard_error"][0] == pytest.approx(one.own["standard_error"][0], rel=1e-6)


def test_groups_are_estimated_by_themselves() -> None:
    frame = rows().assign(tier=lambda d: np.where(d["unit"] < "u30", "A", "B"))
    found = price_elasticity(frame, by="tier")
    alone = price_elasticity(frame[frame["tier"] == "B"])
    assert found.own["group"].tolist() == ["A", "B"]
    assert found.own["elasticity"][1] == pytest.approx(alone.own["elasticity"][0], abs=EXACT)
    estimate = found.own_price_elasticity("B")
    assert (estimate.estimate, estimate.n) == (found.own["elasticity"][1], 30)
    with pytest.raises(KeyError, match="one of \\['A', 'B'\\]"):
        found.own_price_elasticity("C")


def test_changes_equal_a_regression_of_differences() -> None:
    import statsmodels.api as sm

    frame = rows(products=1)
    frame["quantity"] += 1
    found = price_elasticity(frame, method="ols", changes=True)
    logs = frame.sort_values(["unit", "period"])
    steps = {
        c: np.log(logs[c]).groupby(logs["unit"]).diff().dropna() for c in ("quantity", "price")
    }
    other = sm.OLS(steps["quantity"], sm.add_constant(steps["price"])).fit()
    assert found.own["elasticity"][0] == pytest.approx(other.params["price"], abs=EXACT)
    assert found.own["rows"][0] == 60 * 11


def test_lags_add_up_to_the_long_run() -> None:
    panel = known_panel(80, 20, -1.2, endogeneity=0, seed=4).panel
    longer = stockpiling_controls(panel, lags=2, leads=1)
    first = longer.frame.groupby("unit").head(1)
    assert first["price_lag_1"].isna().all() and longer.frame["price_lag_1"].isna().sum() == 80
    names = ("price_lag_1", "price_lag_2", "price_lead_1")
    found = price_elasticity(longer, cross=names)
    assert found.dropped["rows"].sum() == 80 * 3
    lasting = found.long_run().iloc[0]
    assert lasting["elasticity"] == pytest.approx(found.frame["elasticity"].sum(), abs=EXACT)
    spread = found.covariances["all"].to_numpy().sum() ** 0.5
    assert lasting["standard_error"] == pytest.approx(spread, rel=EXACT)
    assert lasting["lower"] < -1.2 < lasting["upper"]
    with pytest.raises(ValueError, match="no such terms were estimated"):
        price_elasticity(panel).long_run()


def test_lags_respect_gaps() -> None:
    panel = known_panel(3, 6, seed=1).panel
    holes = panel.frame[
        ~(
            (panel.frame["unit"] == "unit 0001")
            & (panel.frame["period"] == pd.Timestamp("2020-03-01"))
        )
    ]
    lagged = stockpiling_controls(replace(panel, frame=holes), lags=1).frame
    own = lagged[lagged["unit"] == "unit 0001"].set_index("period")["price_lag_1"]
    assert own.isna()[[pd.Timestamp("2020-01-01"), pd.Timestamp("2020-04-01")]].all()
    assert own.notna().sum() == 3


def test_the_trap_of_zero_weeks(complete_journey_base: CustomerBase) -> None:
    """With zero weeks dropped the small look inelastic: methods.md, as near as definitions allow.

    There soft drinks by tier have -2.88, -1.88 and -1.80 in logs, -3.24, -3.11 and -4.23 with
    zeros; which products were taken is not recorded, and the hundred largest are taken here.
    """
    panel = sales_panel(
        complete_journey_base,
        product="product_id",
        category="SOFT DRINKS",
        tiers=abc(complete_journey_base),
        largest=100,
    )
    logs = price_elasticity(panel, by="tier", cluster="product")
    counts = price_elasticity(panel, by="tier", cluster="product", method="poisson")
    near = 0.3
    assert logs.own["elasticity"].tolist() == pytest.approx([-2.88, -1.88, -1.80], abs=near)
    assert counts.own["elasticity"].tolist() == pytest.approx([-3.24, -3.11, -4.23], abs=near)
    assert counts.own["elasticity"].iloc[2] == counts.own["elasticity"].min()
    assert logs.own["zeros_dropped"].sum() == (panel.frame["quantity"] == 0).sum()
    assert any("zero has no log" in note for note in logs.notes)
    assert counts.own["zeros_dropped"].sum() == 0


def test_own_and_cross_elasticities_come_back() -> None:
    """Two products that take customers from each other, and one that does not care."""
    chance = np.random.default_rng(5)
    truth = np.array([[-2.0, 0.8, 0.0], [0.5, -1.5, 0.0], [0.0, 0.0, -1.0]])
    logs = 0.2 * chance.normal(size=(60 * 30, 3))
    amounts = np.exp(logs @ truth.T + 0.2 * chance.normal(size=(60 * 30, 3)) + 3)
    frame = pd.concat(
        pd.DataFrame(
            {
                "product": f"brand {k}",
                "unit": np.repeat([f"s{u}" for u in range(60)], 30),
                "period": np.tile(pd.date_range("2024-01-01", periods=30, freq="W"), 60),
                "quantity": amounts[:, k],
                "price": np.exp(logs[:, k]),
            }
        )
        for k in range(3)
    )
    panel = replace(known_panel(2, 2).panel, frame=frame.assign(revenue=1.0))
    found = cross_elasticities(panel, ["brand 0", "brand 1", "brand 2"])
    assert np.abs(found.matrix.to_numpy() - truth).max() < 0.15
    inside = found.frame.assign(
        true=truth.ravel()[
            np.argsort(
                [
                    3 * int(r["product"][-1]) + int(r["price_of"][-1])
                    for r in found.frame.to_dict("records")
                ]
            ).argsort()
        ]
    )
    assert (inside["lower"].le(inside["true"]) & inside["upper"].ge(inside["true"])).sum() >= 7
    relation = found.frame.set_index(["product", "price_of"])["relation"]
    assert (
        relation["brand 0", "brand 1"] == "substitutes" and relation["brand 0", "brand 0"] == "own"
    )
    twin = frame.assign(
        price=np.tile(np.exp(logs[:, 0]), 3) * np.exp(0.01 * chance.normal(size=len(frame)))
    )
    together = cross_elasticities(replace(panel, frame=twin.assign(revenue=1.0)))
    assert "prices move together" in together.notes[0]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"quantity": 0}, {}, "nothing was sold in any of 1,440 rows"),
        ({"quantity": 0}, {"method": "poisson"}, "nothing was sold in any of 1,440 rows"),
        ({"quantity": -1}, {}, "1,440 rows with a quantity below 0"),
        ({"price": 2.0}, {}, "price is 2 in all .* rows: one price only tells nothing"),
        ({"by_period": True}, {}, "price 'price' is explained wholly by the effects \\(period\\)"),
        ({}, {"cluster": "product"}, "2 clusters \\(product\\): a standard error needs at least 5"),
        ({}, {"method": "gmm"}, "method='gmm': one of"),
        ({}, {"method": "iv"}, "instruments go with method='iv'"),
        ({}, {"instruments": "shift"}, "instruments go with method='iv'"),
        ({}, {"method": "ols", "effects": "unit"}, "method='ols' has none"),
        ({}, {"controls": "weather"}, "no column 'weather'"),
        ({}, {"controls": "unit"}, "'unit' must hold numbers"),
        ({}, {"cross": "price"}, "'price' cannot play two parts"),
        ({}, {"method": "poisson", "changes": True}, "takes quantities, not their changes"),
        ({"twice": True}, {"cross": "rival"}, "'price' is a sum of multiples of \\['rival'\\]"),
        ({"constant": 1.0}, {"method": "iv", "instruments": "constant"}, "'constant' is explained"),
    ],
)
def test_what_has_no_elasticity_is_refused(change: dict, arguments: dict, message: str) -> None:
    frame = rows()
    if change.pop("by_period", False):
        frame["price"] = 1 + frame["period"].dt.month / 10
    if change.pop("twice", False):
        frame["rival"] = frame["price"] ** 2
    with pytest.raises(ValueError, match=message):
        price_elasticity(frame.assign(**change), **arguments)


def test_a_group_without_sales_is_named() -> None:
    frame = rows().assign(tier=lambda d: np.where(d["unit"] < "u30", "A", "B"))
    frame.loc[frame["tier"] == "B", "quantity"] = 0
    with pytest.raises(ValueError, match="group 'B': nothing was sold"):
        price_elasticity(frame, by="tier")


def test_levels_that_tell_nothing_are_dropped_and_counted() -> None:
    frame = rows()
    frame.loc[frame["unit"] == "u00", "quantity"] = 0
    alone = frame.iloc[[100]].assign(unit="lonely", quantity=3)
    found = price_elasticity(
        pd.concat([frame, alone]), method="poisson", effects=("unit", "period")
    )
    dropped = found.dropped.set_index("reason")["rows"]
    assert dropped.to_dict() == {"alone in an effect": 1, "an effect without a sale": 24}
    without = price_elasticity(
        frame[frame["unit"] != "u00"], method="poisson", effects=("unit", "period")
    )
    assert found.own["elasticity"][0] == pytest.approx(without.own["elasticity"][0], abs=ITERATED)


def test_a_rising_curve_is_no_demand_curve() -> None:
    panel = known_panel(100, 12, -0.5, endogeneity=0.5, seed=2).panel
    found = price_elasticity(panel)
    assert found.own["verdict"][0] == "rises with the price: not a demand curve"
    assert "no price can be set by it" in found.notes[-1]


def test_few_clusters_are_told_and_nothing_is_changed() -> None:
    frame = rows(units=8)
    before = frame.copy()
    found = price_elasticity(frame, cluster="unit")
    assert found.own["clusters"][0] == 8 and "fewer than 30 clusters" in found.notes[0]
    assert (
        "<script>"
        not in price_elasticity(
            frame.assign(tier="<script>"), by="tier", cluster="unit"
        )._repr_html_()
    )
    pd.testing.assert_frame_equal(frame, before)


def test_rows_without_a_group_are_counted() -> None:
    frame = rows(products=1)
    frame["tier"] = np.where(frame["unit"] < "u30", "A", None)
    found = price_elasticity(frame, by="tier", cluster="unit")
    assert found.dropped.tail(1).to_dict("records") == [
        {"group": "none", "reason": "tier not known", "rows": 360}
    ]
    assert "360 rows without a tier" in found.notes[-1]


@pytest.mark.parametrize("size", [1e9, 1e-9])
def test_units_of_instruments_and_controls_do_not_matter(size: float) -> None:
    frame = rows()
    arguments = {
        "method": "iv", "effects": ("unit",), "instruments": ("shift", "other_shift"),
        "controls": "promotion", "cluster": "unit",
    }  # fmt: skip
    plain = price_elasticity(frame, **arguments)
    large = frame.assign(shift=frame["shift"] * size, promotion=frame["promotion"] / size)
    found = price_elasticity(large, **arguments)
    for column in ("elasticity", "standard_error"):
        assert found.frame[column].to_numpy() == pytest.approx(plain.frame[column], rel=1e-6)
    for column in ("f", "effective_f", "ar_lower", "ar_upper", "overidentification"):
        assert found.first_stage[column][0] == pytest.approx(plain.first_stage[column][0], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"again": lambda f: 2 * f["shift"]}, {"instruments": ("shift", "again")}, "is a sum of"),
        ({"quantity": 2.0}, {"instruments": "shift"}, "'quantity' does not vary beyond"),
        ({"one": lambda f: f["unit"].str[-1]}, {"instruments": tuple("abcde"), "cluster": "one"},
         "10 clusters .one. for 5 instruments"),
    ],
)  # fmt: skip
def test_instruments_that_cannot_be_judged(change, arguments, message) -> None:
    chance = np.random.default_rng(1)
    frame = rows().assign(**{name: chance.normal(size=1440) for name in "abcde"}).assign(**change)
    with pytest.raises(ValueError, match=message):
        price_elasticity(frame, method="iv", effects=(), **({"cluster": "unit"} | arguments))


def test_what_is_no_panel_or_name_is_refused() -> None:
    frame = rows()
    with pytest.raises(ValueError, match="'price' is the name of more than one column"):
        price_elasticity(pd.concat([frame, frame[["price"]]], axis=1))
    with pytest.raises(TypeError, match="panel=DataFrame: a PricePanel"):
        cross_elasticities(frame)
    with pytest.raises(TypeError, match="give a list of products"):
        cross_elasticities(known_panel(10, 5).panel, "product")
    with pytest.raises(ValueError, match="must be finite"):
        known_panel(elasticity=np.nan)
