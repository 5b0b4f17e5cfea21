"""Demand of markets: against pyblp, linearmodels, closed forms and known truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    MarketTastes,
    compare_demands,
    fit_market_demand,
    market_merger,
    read_market,
    usage_market,
)
from keycustomer.pricing.market.linear_gmm import absorb
from keycustomer.pricing.market.tastes import priced
from keycustomer.simulate import simulate_company
from known_markets import PRICE, known_market

SAME = 1e-8  # the same numbers by another program
SLOPE = 1e-6  # central differences of smooth functions at this step
STEP = 1e-5
EQUILIBRIUM = 1e-9  # pyblp stops its fixed point at 1e-12 of another norm

EFFECTS = {"effects": ["product"], "characteristics": ["x"]}


def pyblp_frame(rows, instruments):
    names = {"market": "market_ids", "product": "product_ids", "firm": "firm_ids"}
    names |= {"price": "prices", "share": "shares"}
    names |= {name: f"demand_instruments{k}" for k, name in enumerate(instruments)}
    return rows.rename(columns=names)


@pytest.fixture(scope="module")
def pyblp():
    import pyblp

    before, pyblp.options.verbose = pyblp.options.verbose, False
    yield pyblp
    pyblp.options.verbose = before


@pytest.mark.parametrize(("steps", "method"), [(1, "1s"), (2, "2s")])
@pytest.mark.parametrize("cluster", [None, "market"])
def test_logit_is_that_of_pyblp(pyblp, steps, method, cluster):
    rows = known_market(seed=1)
    rows["cost2"] = rows["cost"] ** 2
    ours = fit_market_demand(
        rows, instruments=["cost", "cost2"], cluster=cluster, steps=steps, **EFFECTS
    )
    data = pyblp_frame(rows, ["cost", "cost2"])
    kind = "robust" if cluster is None else "clustered"
    if cluster:
        data["clustering_ids"] = data["market_ids"]
    problem = pyblp.Problem(pyblp.Formulation("0 + x + prices", absorb="C(product_ids)"), data)
    theirs = problem.solve(method=method, W_type=kind, se_type=kind)
    assert ours.coefficients["estimate"].to_numpy() == pytest.approx(theirs.beta.ravel(), abs=SAME)
    errors = ours.coefficients["standard_error"].to_numpy()
    assert errors == pytest.approx(theirs.beta_se.ravel(), abs=SAME)
    assert ours.objective == pytest.approx(float(np.asarray(theirs.objective).item()), abs=1e-6)
    check_outputs(ours, theirs)


def check_outputs(ours, theirs, atol=SAME):
    """Elasticities, diversion, markups and a merger's prices, in a market and in all."""
    name = ours.table.markets[3]
    np.testing.assert_allclose(
        ours.elasticities(name), theirs.compute_elasticities(market_id=name), atol=atol
    )
    # pyblp writes the diversion to the outside on the diagonal.
    diversion = ours.diversion_ratios(name)
    mine = diversion.drop(columns="outside").to_numpy() + np.diag(diversion["outside"])
    np.testing.assert_allclose(mine, theirs.compute_diversion_ratios(market_id=name), atol=atol)
    markups = ours.markups()
    np.testing.assert_allclose(markups["markup"], theirs.compute_markups().ravel(), atol=atol)
    own = theirs.extract_diagonals(theirs.compute_elasticities()).ravel()
    np.testing.assert_allclose(ours.own_elasticities()["own_price_elasticity"], own, atol=atol)
    assert ours.own_price_elasticity.estimate == pytest.approx(own.mean(), abs=atol)
    costs = theirs.compute_costs()
    merged = np.where(ours.table.frame["firm"].isin(["F0", "F1"]), "one", ours.table.frame["firm"])
    prices = theirs.compute_prices(firm_ids=merged, costs=costs).ravel()
    effect = market_merger(ours, ["F0", "F1"])
    np.testing.assert_allclose(effect.frame["new_price"], prices, atol=EQUILIBRIUM)
    change = theirs.compute_consumer_surpluses(prices=prices) - theirs.compute_consumer_surpluses()
    np.testing.assert_allclose(effect.surplus["surplus_change"], change.ravel(), atol=EQUILIBRIUM)


def test_nested_logit_is_that_of_pyblp(pyblp):
    rows = known_market(60, 6, nesting=0.4, seed=2)
    instruments = ["cost", "rival_cost", "nest_cost"]
    rows["nest_cost"] = rows.groupby(["market", "nest"])["cost"].transform("sum") - rows["cost"]
    ours = fit_market_demand(rows, instruments=instruments, nests="nest", **EFFECTS)
    data = pyblp_frame(rows, instruments).rename(columns={"nest": "nesting_ids"})
    problem = pyblp.Problem(pyblp.Formulation("0 + x + prices", absorb="C(product_ids)"), data)
    theirs = problem.solve(
        rho=0.3, method="1s", optimization=pyblp.Optimization("l-bfgs-b", {"gtol": 1e-9})
    )
    found = ours.coefficients.set_index("kind").loc["nesting"]
    # pyblp searches for what is linear here, and stops before the last digits.
    assert found["estimate"] == pytest.approx(theirs.rho.item(), abs=1e-5)
    assert found["standard_error"] == pytest.approx(theirs.rho_se.item(), abs=1e-4)
    check_outputs_near(ours, theirs)
    assert found["lower"] < 0.4 < found["upper"]


def check_outputs_near(ours, theirs):
    name = ours.table.markets[0]
    np.testing.assert_allclose(
        ours.elasticities(name), theirs.compute_elasticities(market_id=name), atol=1e-3
    )
    np.testing.assert_allclose(
        ours.markups()["markup"], theirs.compute_markups().ravel(), atol=1e-3
    )


def random_market(pyblp, seed=3):
    """Rows of random-coefficients demand simulated and priced by pyblp."""
    ids = pyblp.build_id_data(T=30, J=6, F=3)
    simulation = pyblp.Simulation(
        product_formulations=(
            pyblp.Formulation("1 + prices + x"),
            pyblp.Formulation("0 + x"),
            pyblp.Formulation("1 + x + z"),
        ),
        beta=[1, -2, 1], sigma=[[1.5]], gamma=[1, 0.2, 0.5], product_data=ids,
        xi_variance=0.04, omega_variance=0.01, correlation=0.5,
        integration=pyblp.Integration("product", 9), seed=seed,
    )  # fmt: skip
    data = simulation.replace_endogenous().product_data
    frame = {"market": data["market_ids"], "firm": data["firm_ids"], "price": data["prices"]}
    frame |= {"share": data["shares"], "x": data["x"], "z": data["z"]}
    rows = pd.DataFrame({name: np.asarray(values).ravel() for name, values in frame.items()})
    rows["product"] = np.tile([f"P{j}" for j in range(6)], 30)
    return rows.assign(
        market=[f"M{int(m):02d}" for m in rows["market"]], firm=[f"F{int(f)}" for f in rows["firm"]]
    )


@pytest.fixture(scope="module")
def random_demand(pyblp):
    rows = random_market(pyblp)
    others = rows.groupby("market")["x"].transform("sum") - rows["x"]
    spread = rows.groupby("market")["x"].transform(lambda x: [((x - a) ** 2).sum() for a in x])
    rows = rows.assign(others=others, far=spread, far_x=spread * rows["x"])
    return fit_market_demand(
        rows, characteristics=["x"], instruments=["z", "others", "far", "far_x"], random=["x"],
        start={("x", "spread"): 1.0}, draws=60,
    )  # fmt: skip


def test_random_coefficients_recover_the_truth(random_demand):
    rows = random_demand.coefficients.set_index(["term", "kind"])
    for key, truth in ((("price", "mean"), -2), (("x", "spread"), 1.5), (("x", "mean"), 1)):
        # One sample: four standard errors, beyond which it would have to be a mistake.
        gap = abs(abs(rows.loc[key, "estimate"]) - abs(truth))
        assert gap < 4 * rows.loc[key, "standard_error"]
    assert random_demand.model == "random coefficients"
    assert random_demand.own_price_elasticity.lower < random_demand.own_price_elasticity.estimate


def test_random_coefficients_outputs_are_those_of_pyblp(pyblp, random_demand):
    rows = random_demand.table.frame
    sigma = random_demand.coefficients["estimate"].iloc[0]
    from keycustomer.pricing.market.design import demand_design
    from keycustomer.pricing.market.random_coefficients import random_terms, read_buyers

    instruments = ["z", "others", "far", "far_x"]
    design = demand_design(
        random_demand.table, characteristics=["x"], instruments=instruments, effects=[],
        cluster=None,
    )  # fmt: skip
    buyers = read_buyers(design, random_terms(design, ["x"]), None, 60, 0)
    data = pyblp_frame(rows, instruments)
    agents = {"market_ids": buyers.market, "weights": buyers.weight, "nodes": buyers.nodes}
    formulas = (pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + x"))
    theirs = pyblp.Problem(formulas, data, agent_data=agents).solve(
        sigma=[[sigma]], method="1s", optimization=pyblp.Optimization("return")
    )
    check_outputs(random_demand, theirs, atol=1e-7)


def test_least_squares_and_instruments_are_those_of_linearmodels():
    from linearmodels.iv import IV2SLS

    rows = known_market(seed=4)
    outside = 1 - rows.groupby("market")["share"].transform("sum")
    y = np.log(rows["share"] / outside)
    exogenous = rows[["x"]].assign(constant=1.0)
    theirs = IV2SLS(y, exogenous, rows[["price"]], rows[["cost"]]).fit(cov_type="robust")
    ours = fit_market_demand(rows, characteristics=["x"], instruments=["cost"])
    assert ours.price_coefficient.estimate == pytest.approx(theirs.params["price"], abs=SAME)
    error = ours.coefficients.set_index("term").loc["price", "standard_error"]
    assert error == pytest.approx(theirs.std_errors["price"], abs=SAME)
    first = theirs.first_stage.diagnostics.loc["price"]
    assert ours.first_stage.partial_r2 == pytest.approx(first["partial.rsquared"], abs=SAME)
    assert ours.first_stage.f == pytest.approx(first["f.stat"], rel=SAME)
    # With one instrument the effective F is the robust one.
    assert ours.first_stage.effective_f == pytest.approx(ours.first_stage.f)


def test_instruments_cure_what_least_squares_gets_wrong():
    found = {"ols": [], "iv": [], "covered": []}
    for seed in range(150):
        rows = known_market(25, 4, seed=seed)
        naive = fit_market_demand(rows, characteristics=["x"]).price_coefficient
        cured = fit_market_demand(
            rows, characteristics=["x"], instruments=["cost"]
        ).price_coefficient
        found["ols"].append(naive.estimate)
        found["iv"].append(cured.estimate)
        found["covered"].append(cured.lower <= PRICE <= cured.upper)
    # Quality moves price by half of it: plim = beta + cov(price, quality) / var(price).
    paid = 1 / 12 + 0.25 * 0.25 + 0.01
    assert np.mean(found["ols"]) == pytest.approx(PRICE + 0.5 * 0.25 / paid, abs=0.05)
    assert np.mean(found["iv"]) == pytest.approx(PRICE, abs=0.05)
    assert 0.88 <= np.mean(found["covered"]) <= 0.99  # 95 % of 150, four standard errors


def tastes(seed, buyers=3, products=4, nesting=0.0):
    generator = np.random.default_rng(seed)
    weight = generator.dirichlet(np.ones(buyers))
    return MarketTastes(
        generator.normal(size=(products, buyers)), -generator.uniform(0.5, 3, buyers), weight,
        np.arange(products) % 2 if nesting else np.arange(products), nesting,
    )  # fmt: skip


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), nesting=st.sampled_from([0.0, 0.3, 0.8]))
def test_what_holds_in_every_market(seed, nesting):
    one = tastes(seed, nesting=nesting)
    price = np.random.default_rng(seed).uniform(0.2, 2, 4)
    shares = one.shares(price)
    assert (shares > 0).all() and shares.sum() < 1
    jacobian = one.jacobian(price)
    moved = [
        (one.shares(price + STEP * unit) - one.shares(price - STEP * unit)) / (2 * STEP)
        for unit in np.eye(4)
    ]
    np.testing.assert_allclose(jacobian, np.transpose(moved), atol=SLOPE)
    np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-12)
    assert one.diversion(price).sum(axis=1) == pytest.approx(np.ones(4))
    # Consumers lose the share they buy by every unit of price (Roy).
    lost = [
        (one.surplus(price + STEP * u) - one.surplus(price - STEP * u)) / (2 * STEP)
        for u in np.eye(4)
    ]
    np.testing.assert_allclose(lost, -shares, atol=SLOPE)
    alone, together = one.markups(price, np.eye(4)), one.markups(price, np.ones((4, 4)))
    assert (together > alone - 1e-12).all() and (alone > 0).all()


def test_equilibrium_closed_forms():
    monopoly = MarketTastes(np.array([[3.0]]), np.array([-0.8]), np.ones(1), np.arange(1))
    price, residual = priced(monopoly, np.array([2.0]), np.ones((1, 1)), np.array([3.0]))
    assert price[0] == pytest.approx(4.154456195, abs=5e-10)
    assert residual < 1e-10
    # One owner of two like products asks c + 1 / (a s0).
    two = MarketTastes(np.full((2, 1), 1.0), np.array([-1.0]), np.ones(1), np.arange(2))
    price, _ = priced(two, np.ones(2), np.ones((2, 2)), np.array([1.0, 5.0]))
    assert price == pytest.approx(1 + 1 / (1 - two.shares(price).sum()) * np.ones(2))


def test_equilibrium_prices_give_back_the_observed_ones():
    demand = fit_market_demand(known_market(seed=5), instruments=["cost"], **EFFECTS)
    name = demand.table.markets[0]
    rows = demand.markups().query("market == @name").set_index("product")
    found = demand.equilibrium_prices(name, rows["marginal_cost"])
    assert found.to_numpy() == pytest.approx(rows["price"].to_numpy(), abs=EQUILIBRIUM)
    with pytest.raises(ValueError, match=r"no cost is given.*P1"):
        demand.equilibrium_prices(name, {"P0": 1.0})


def test_ownership_orders_markups():
    demand = fit_market_demand(known_market(seed=6), instruments=["cost"], **EFFECTS)
    means = [demand.markups(o)["markup"].mean() for o in ("product", "firm", "monopoly")]
    assert means == sorted(means) and means[0] < means[2]
    mapped = demand.markups({f"P{j}": f"F{j // 2}" for j in range(4)})
    assert mapped["markup"].to_numpy() == pytest.approx(demand.markups()["markup"].to_numpy())
    with pytest.raises(ValueError, match=r"no owner is given for products \['P1'"):
        demand.markups({"P0": "a"})
    with pytest.raises(ValueError, match="no column 'maker'"):
        demand.markups("maker")


def test_a_merger_raises_prices_and_savings_lower_them():
    demand = fit_market_demand(known_market(seed=7), instruments=["cost"], **EFFECTS)
    plain = market_merger(demand, ["F0", "F1"])
    assert (plain.frame["change"] > 0).all()
    assert (plain.surplus["surplus_change"] < 0).all()
    assert (plain.surplus["profit_change"] > 0).all()
    assert plain.residual < 1e-10
    saving = market_merger(demand, {"F0": "both", "F1": "both"}, cost_saving=0.9)
    assert (saving.frame["new_price"] < plain.frame["new_price"]).all()
    assert "F0, F1" in plain.sentence and plain.by_product()["merging"].all()
    with pytest.raises(ValueError, match="no owner \\['F9'\\]"):
        market_merger(demand, ["F0", "F9"])
    with pytest.raises(ValueError, match="at least two"):
        market_merger(demand, ["F0"])
    with pytest.raises(ValueError, match="cost_saving"):
        market_merger(demand, ["F0", "F1"], cost_saving=2)


def test_other_prices():
    demand = fit_market_demand(known_market(seed=8), instruments=["cost"], **EFFECTS)
    name = demand.table.markets[0]
    same = demand.shares_at(market=name)
    assert same["change"].to_numpy() == pytest.approx(np.zeros(5), abs=1e-12)
    observed = demand.table.frame.query("market == @name")["share"].to_numpy()
    assert same["share"].iloc[:-1].to_numpy() == pytest.approx(observed)
    cut = demand.shares_at({"P0": 0.5}, factor={"P1": 2}, market=name).set_index("product")
    assert cut.loc["P0", "change"] > 0 > cut.loc["P1", "change"]
    assert cut["new_share"].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"has no product \['Q'\]"):
        demand.shares_at({"Q": 1.0}, market=name)
    with pytest.raises(ValueError, match="prices must be above 0"):
        demand.shares_at(factor={"P0": 0}, market=name)
    with pytest.raises(ValueError, match="there is no such market"):
        demand.shares_at(market="nowhere")


def test_demand_that_does_not_fall_is_said_and_refused():
    rows = known_market(price=0.5, endogeneity=0, seed=9)
    demand = fit_market_demand(rows, instruments=["cost"], **EFFECTS)
    assert any("not a demand curve" in note for note in demand.notes)
    with pytest.raises(ValueError, match="price coefficients are not negative"):
        market_merger(demand, ["F0", "F1"])


def test_weak_instruments_are_called_weak():
    rows = known_market(seed=10)
    rows["noise"] = np.random.default_rng(0).normal(size=len(rows))
    demand = fit_market_demand(rows, instruments=["noise"], **EFFECTS)
    assert demand.first_stage.weak
    assert "weak: do not trust" in demand._repr_html_()


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"price": 2.0}, {}, "there is only one price"),
        ({}, {"characteristics": ["x", "x2"]}, "'x2' does not vary beyond"),
        ({"price": lambda r: r["product"].str[1].astype(int) + 1.0}, {"effects": ["product"]},
         "'price' does not vary beyond the effects"),
        ({"still": 1.0}, {"instruments": ["still"]}, "instrument 'still' does not vary beyond"),
        ({}, {"characteristics": ["x"], "instruments": ["x"]}, "instrument 'x' does not vary"),
        ({"solo": lambda r: r["product"]}, {"nests": "solo", "instruments": ["cost"]},
         "every product is alone in its nest"),
        ({"nest": None}, {"nests": "nest", "instruments": ["cost"]}, "nests: 'nest' is missing"),
        ({"x": "red"}, {"characteristics": ["x"]}, "must hold known numbers.*give it as an effect"),
        ({}, {"instruments": ["z"]}, "instrument: the market table has no column 'z'"),
        ({}, {"effects": "product"}, r"give a list of columns, \['product'\]"),
        ({}, {"cluster": "one"}, "at least two groups"),
        ({}, {"steps": 3}, "allowed are 1"),
        ({}, {"errors": "wild"}, "allowed are 'robust'"),
        ({}, {"start": {}}, "start: only with random coefficients"),
        ({}, {"random": ["x"]}, "random coefficients need instruments"),
        ({}, {"random": "x", "instruments": ["cost"]}, "give a list of columns"),
        ({}, {"random": {"x": []}, "instruments": ["cost"]}, "need 'spread' or the names"),
        ({}, {"random": {"x": ["income"]}, "instruments": ["cost"]}, "give the frame demographics"),
        ({}, {"random": ["x"], "instruments": ["cost"], "search": False}, "start: unknown are"),
        ({}, {"random": ["x"], "instruments": ["cost"], "linear_price": False}, "needs a random"),
        ({}, {"nests": "nest"}, "a nested logit needs instruments"),
        ({}, {"nests": "nest", "instruments": ["cost"]}, "at least as many instruments"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted(change, arguments, message):
    rows = known_market(seed=11).assign(x2=lambda r: 3 * r["x"], one="all").assign(**change)
    with pytest.raises(ValueError, match=message):
        fit_market_demand(rows, **arguments)


@pytest.mark.parametrize("size", [1e9, 1e-9])
def test_units_of_columns_do_not_matter(size):
    rows = known_market(seed=3)
    arguments = {"characteristics": ["x"], "instruments": ["cost"], "cluster": "market"}
    plain = fit_market_demand(rows, **arguments).coefficients.set_index("term")
    large = rows.assign(x=size * rows["x"], cost=rows["cost"] / size)
    found = fit_market_demand(large, **arguments).coefficients.set_index("term")
    for column in ("estimate", "standard_error"):
        expected = plain[column].where(plain.index != "x", plain[column] / size)
        assert found[column].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_no_more_rows_than_coefficients():
    rows = known_market(seed=3).iloc[:3]
    with pytest.raises(ValueError, match="3 rows cannot tell 3 coefficients"):
        fit_market_demand(rows, characteristics=["x"], instruments=["cost"])


def test_the_order_of_random_terms_does_not_matter():
    rows = known_market(10, seed=15)
    rows["cost2"] = rows["cost"] ** 2
    start = {("constant", "spread"): 0.9, ("price", "spread"): 0.2}
    one, other = (
        fit_market_demand(
            rows, instruments=["cost", "cost2", "rival_cost"], random=terms, start=start,
            search=False, draws=20,
        )
        for terms in (["price", "constant"], ["constant", "price"])
    )  # fmt: skip
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients)
    assert one.coefficients["term"].tolist() == ["constant", "price", "constant", "price"]
    shares = [t.shares(p) for (_, t, p) in one._markets()]
    np.testing.assert_allclose(np.concatenate(shares), rows["share"], atol=SAME)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"place": ["M000"]}, "has no column 'market'"),
        ({"market": ["M000", "M001"], "income": [1.0, None]}, r"\['income'\] are not known"),
        ({"market": ["M000", "M001"], "age": [1.0, 2]}, r"lacks columns \['income'\]"),
    ],
)
def test_demographics_that_cannot_be_used(people, message):
    with pytest.raises(ValueError, match=message):
        fit_market_demand(
            known_market(2), instruments=["cost"], random={"x": ["income"]},
            demographics=pd.DataFrame(people),
        )  # fmt: skip


def test_demographics_must_cover_the_markets():
    people = pd.DataFrame({"market": ["M000"], "income": [1.0]})
    with pytest.raises(ValueError, match=r"no row for markets \['M001'"):
        fit_market_demand(
            known_market(3), instruments=["cost"], random={"x": ["income"]}, demographics=people
        )


def test_effects_come_out_as_dummies_would():
    generator = np.random.default_rng(12)
    columns = generator.normal(size=(200, 2))
    groups = [generator.integers(0, 9, 200), generator.integers(0, 7, 200)]
    dummies = np.column_stack([(g[:, None] == np.arange(g.max() + 1)) for g in groups])
    left = columns - dummies @ np.linalg.lstsq(dummies.astype(float), columns, rcond=None)[0]
    np.testing.assert_allclose(absorb(columns, groups), left, atol=1e-10)
    assert absorb(columns, []) is not columns


def test_models_side_by_side():
    rows = known_market(seed=13)
    models = {
        "ordinary": fit_market_demand(rows, characteristics=["x"]),
        "instruments": fit_market_demand(rows, characteristics=["x"], instruments=["cost"]),
    }
    table = compare_demands(models, truth=-4.0)
    assert table.frame["name"].tolist() == ["ordinary", "instruments"]
    assert np.isnan(table.frame["effective_f"][0]) and table.frame["effective_f"][1] > 10
    assert "the truth is -4.00" in table.sentence
    assert compare_demands(models, ownership=None).frame["markup"].isna().all()
    with pytest.raises(ValueError, match="demands is empty"):
        compare_demands({})


def test_simulated_operator_by_product():
    market = simulate_company(300, 24, seed=0).tables()["market"]
    market.attrs["simulated"] = True
    table = usage_market(market)
    demand = fit_market_demand(
        table, effects=["product_region", "product_period"], instruments=["cost_shock"],
        cluster="region",
    )  # fmt: skip
    assert demand.first_stage.effective_f > 10
    assert any("Only 5 groups of region" in note for note in demand.notes)
    row = demand.coefficients.iloc[-1]
    reach = (row["upper"] - row["estimate"]) / row["standard_error"]
    assert reach == pytest.approx(2.776445, abs=1e-6)  # t with 4 degrees of freedom
    assert "Simulated" in demand.sentence
    assert np.isfinite(demand.own_price_elasticity.lower)
    with pytest.raises(ValueError, match="must sum below 1"):
        read_market(market)
