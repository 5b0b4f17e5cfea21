"""Covariates explain differences between customers, exactly and with their uncertainty."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import lifetime
from keycustomer.lifetime import BetaLaw, GammaLaw, PointLaw, simulate_customers
from keycustomer.lifetime.covariates import families
from keycustomer.lifetime.covariates.covariate_model import fit_with_covariates
from keycustomer.lifetime.covariates.design import read_design
from keycustomer.lifetime.covariates.effects import CovariateRows, EffectsLikelihood
from lifetimes import BetaGeoFitter, ParetoNBDFitter

MODELS = ("BG/NBD", "Pareto/NBD")
DROPOUT = {"BG/NBD": BetaLaw(0.8, 2.4), "Pareto/NBD": GammaLaw(0.8, 12.0)}

STEP = 1e-5
"""Relative step of numerical derivatives, about the cube root of the precision of floats."""

DERIVATIVE = 1e-6
"""What central differences with that step may be off by, relative to the largest entry."""

SAME_FIT = 1e-5
"""Parameters of two searches for one maximum: each stops when a step gains nothing measurable."""

SAME_LIKELIHOOD = 1e-9
"""Log-likelihoods of the same data at the same place, up to rounding."""


def simulated(model, customers=1500, seed=1):
    """Customers of two regions and four ages; in the south they buy faster and leave sooner."""
    parts = []
    for k, (region, effect) in enumerate({"north": 0.0, "south": 0.6}.items()):
        law = DROPOUT[model]
        faster = (
            BetaLaw(law.a * np.exp(effect), law.b)
            if model == "BG/NBD"
            else GammaLaw(law.shape, law.rate * np.exp(-effect))
        )
        for age in (20, 30, 45, 60):
            slower = np.exp(-effect - 0.01 * (age - 40))
            part = simulate_customers(
                model,
                GammaLaw(0.8, 6.0 * slower),
                faster,
                np.arange(20.0, 40.0),
                customers=customers // 8,
                seed=seed + 10 * k + age,
            )
            parts.append(part.assign(region=region, age=age))
    table = pd.concat(parts, ignore_index=True)
    table["customer_id"] = [f"c{n:05d}" for n in table.index]
    return table


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    table = simulated(request.param)
    return table, fit_with_covariates(table, ["region", "age"], model=request.param)


def test_names_and_origin(fitted):
    _, model = fitted
    laws = {"BG/NBD": ("a", "b"), "Pareto/NBD": ("dropout",)}[model.model]
    columns = ("region=south", "age")
    assert model.names[:4] == tuple(model.without.names)
    assert model.names[4:] == tuple(f"{law}: {c}" for law in ("purchasing", *laws) for c in columns)
    assert tuple(model.effects) == model.names[4:]
    assert "region compares with 'north'; age counts from its mean, 38.75" in model.notes[0]
    assert not model.limit
    frame = model.to_frame()
    row = frame.set_index("parameter").loc["purchasing: age"]
    assert row["upper"] - row["estimate"] == pytest.approx(row["estimate"] - row["lower"])
    assert (frame["standard_error"] > 0).all()
    html = model._repr_html_()
    assert "purchasing: region=south" in html
    assert "Against the model without covariates: chi-squared" in html


def test_the_maximum_is_that_of_an_independent_likelihood(fitted):
    table, model = fitted
    best = independent(model, table, model.values)
    assert model.log_likelihood == pytest.approx(best, rel=SAME_LIKELIHOOD)
    generator = np.random.default_rng(3)
    error = np.array(list(model.standard_errors.values()))
    for _ in range(20):
        away = model.values + 0.05 * error * generator.normal(size=error.size)
        assert independent(model, table, away) < best


def independent(model, table, values):
    """Log-likelihood by the package lifetimes, one group of equal covariates at a time."""
    total = 0.0
    moved = replace(model, values=np.asarray(values, dtype=float))
    for _, group in table.groupby(["region", "age"]):
        laws = moved.customer_parameters(group).iloc[0].to_numpy()
        x, t_x, T = (group[c].to_numpy() for c in ("frequency", "recency", "T"))
        if model.model == "BG/NBD":
            one = np.ones(len(group))
            mean = BetaGeoFitter._negative_log_likelihood(np.log(laws), x, t_x / 7, T / 7, one, 0)
            total -= mean * len(group)
        else:
            total += ParetoNBDFitter._conditional_log_likelihood(laws, x, t_x / 7, T / 7).sum()
    return total


def test_the_likelihood_ratio_tests_all_effects(fitted):
    _, model = fitted
    test = model.likelihood_ratio
    assert test.statistic == 2 * (model.log_likelihood - model.without.log_likelihood)
    assert test.degrees == len(model.effects)
    assert test.p_value < 1e-6
    assert str(test).startswith(f"chi-squared {test.statistic:.4g} with {test.degrees} degrees")


@pytest.mark.parametrize("model", MODELS)
def test_one_degree_of_freedom(model):
    table = simulated(model, 400)
    one = fit_with_covariates(table, {"purchasing": ["age"]}, model=model)
    assert tuple(one.effects) == ("purchasing: age",)
    assert "with 1 degree of freedom, p = " in str(one.likelihood_ratio)
    z = one.effects["purchasing: age"] / one.standard_errors["purchasing: age"]
    # The likelihood-ratio and the Wald test agree up to higher order.
    assert one.likelihood_ratio.statistic == pytest.approx(z**2, rel=0.2)


def kinds():
    return [(model, kinds) for model in MODELS for kinds in families.all_kinds(model)]


@pytest.mark.parametrize(("model", "kinds"), kinds())
def test_score_and_hessian(model, kinds):
    generator = np.random.default_rng(0)
    table = simulated(model, 80)
    x, t_x, T = table["frequency"], table["recency"] / 7, table["T"] / 7
    if kinds[1] == "split":
        x, t_x = (x > 0).astype(float), t_x.where(x == 1, t_x / x.clip(1))
    coded = {law: generator.normal(size=(len(table), 2)) for law in ("purchasing", "dropout")}
    weights = generator.integers(1, 4, len(table)).astype(float)
    rows = CovariateRows(x.to_numpy(), t_x.to_numpy(), T.to_numpy(), weights, coded)
    objective = EffectsLikelihood(families.family(model, kinds), rows)
    free = np.where(objective.positive, 0.7, 0.2) * generator.uniform(0.6, 1.4, objective.size)
    value, score, hessian = objective(free)
    for k in range(free.size):
        step = np.zeros(free.size)
        step[k] = STEP
        above, below = objective(free + step), objective(free - step)
        slope, bend = (above[0] - below[0]) / (2 * STEP), (above[1] - below[1]) / (2 * STEP)
        assert abs(slope - score[k]) < DERIVATIVE * np.abs(score).max()
        np.testing.assert_allclose(bend, hessian[k], atol=DERIVATIVE * np.abs(hessian).max())
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10)
    assert np.isfinite(value)


@pytest.fixture(scope="module", params=MODELS)
def twins(request):
    """Every customer and a twin that lives twice as slowly; what is true of them is known."""
    fast = simulated(request.param, 800)
    slow = fast.assign(recency=fast["recency"] * 2, T=fast["T"] * 2)
    both = pd.concat([fast.assign(pace="fast"), slow.assign(pace="slow")], ignore_index=True)
    return fast, slow, fit_with_covariates(both, ["pace"], model=request.param)


def test_twins_that_live_twice_as_slowly(twins):
    fast, _, model = twins
    alone = fit_alone(model.model, fast)
    for name in alone.names:
        assert model.parameters[name] == pytest.approx(alone.parameters[name], rel=SAME_FIT)
    half = {"purchasing: pace=slow": -np.log(2)}
    if model.model == "Pareto/NBD":
        half["dropout: pace=slow"] = -np.log(2)
    for name, effect in model.effects.items():
        assert effect == pytest.approx(half.get(name, 0.0), abs=SAME_FIT)
    slower = np.log(2) * fast["frequency"].sum()
    assert model.log_likelihood == pytest.approx(2 * alone.log_likelihood - slower)


def fit_alone(model, table):
    fit = lifetime.fit_bgnbd if model == "BG/NBD" else lifetime.fit_paretonbd
    return fit(table)


def test_predictions_for_twins(twins):
    fast, slow, model = twins
    alone = fit_alone(model.model, fast)
    quick, late = fast.assign(pace="fast"), slow.assign(pace="slow")
    alive = alone.probability_alive(fast)
    close = {"rtol": 50 * SAME_FIT}
    np.testing.assert_allclose(model.probability_alive(quick), alive, **close)
    np.testing.assert_allclose(model.probability_alive(late), alive, **close)
    bought = alone.expected_purchases(26, fast)
    np.testing.assert_allclose(model.expected_purchases(26, quick), bought, **close)
    np.testing.assert_allclose(model.expected_purchases(52, late), bought, **close)
    new = alone.expected_purchases_new(26)
    np.testing.assert_allclose(model.expected_purchases_new(26, quick.head(2)), [new] * 2, **close)
    np.testing.assert_allclose(model.expected_purchases_new(52, late.head(2)), [new] * 2, **close)
    worth = alone.discounted_purchases(fast, 0.21)
    np.testing.assert_allclose(model.discounted_purchases(quick, 0.21), worth, **close)
    # Half the rate of interest a week over twice the weeks: 1.21 a year is 1.1 twice.
    np.testing.assert_allclose(model.discounted_purchases(late, 0.1), worth, **close)


def test_predictions_are_those_of_each_group_s_laws(fitted):
    table, model = fitted
    ahead = model.expected_purchases(39, table)
    worth = model.discounted_purchases(table, 0.1, horizon=52)
    for _, places in table.groupby(["region", "age"]).groups.items():
        group = table.loc[places]
        values = model.customer_parameters(group).iloc[0].to_numpy()
        laws = families.family(model.model, model.kinds).laws(*values)
        own = replace(model.without, purchasing=laws[0], dropout=laws[1])
        np.testing.assert_allclose(ahead[places], own.expected_purchases(39, group), rtol=1e-9)
        expected = own.discounted_purchases(group, 0.1, 52)
        np.testing.assert_allclose(worth[places], expected, rtol=1e-9)


def test_a_column_s_unit_and_first_level_do_not_matter(fitted):
    table, model = fitted
    other = table.assign(
        age=table["age"] * 1e6, region=table["region"].map({"north": "z", "south": "a"})
    )
    moved = fit_with_covariates(other, ["age", "region"], model=model.model)
    assert moved.log_likelihood == pytest.approx(model.log_likelihood, rel=SAME_LIKELIHOOD)
    for name, effect in model.effects.items():
        law, column = name.split(": ")
        twin = {"age": (f"{law}: age", 1e-6), "region=south": (f"{law}: region=z", -1.0)}[column]
        assert moved.effects[twin[0]] == pytest.approx(twin[1] * effect, rel=20 * SAME_FIT)
        errors = moved.standard_errors[twin[0]], model.standard_errors[name]
        assert errors[0] == pytest.approx(abs(twin[1]) * errors[1], rel=20 * SAME_FIT)


def test_equal_customers_count_once_and_twice_as_many_count_twice():
    table = simulated("Pareto/NBD", 400)
    one = fit_with_covariates(table, ["region"], model="Pareto/NBD")
    twice = fit_with_covariates(pd.concat([table] * 2), ["region"], model="Pareto/NBD")
    assert twice.rows == one.rows < len(table)
    assert twice.log_likelihood == pytest.approx(2 * one.log_likelihood)
    for name, error in one.standard_errors.items():
        assert twice.parameters[name] == pytest.approx(one.parameters[name], rel=SAME_FIT)
        assert twice.standard_errors[name] == pytest.approx(error / np.sqrt(2), rel=SAME_FIT)


def test_unit_of_time():
    table = simulated("BG/NBD", 400)
    week = fit_with_covariates(table, ["age"])
    day = fit_with_covariates(table, ["age"], unit="day")
    assert day.unit == "day"
    assert day.parameters["alpha"] == pytest.approx(7 * week.parameters["alpha"], rel=SAME_FIT)
    for name, effect in week.effects.items():
        assert day.effects[name] == pytest.approx(effect, rel=20 * SAME_FIT, abs=1e-7)
    np.testing.assert_allclose(
        day.expected_purchases(70, table), week.expected_purchases(10, table), rtol=50 * SAME_FIT
    )


@pytest.mark.parametrize("model", MODELS)
def test_customers_alike_but_for_their_covariates_end_in_a_limit(model):
    dropout = {"BG/NBD": PointLaw(0.25), "Pareto/NBD": PointLaw(0.05)}[model]
    parts = [
        simulate_customers(model, PointLaw(0.2 * np.exp(g)), dropout, 30.0, customers=40, seed=s)
        for s, g in enumerate((0.0, 0.7))
    ]
    table = pd.concat([part.assign(g=str(k)) for k, part in enumerate(parts)], ignore_index=True)
    limits = [
        fit_with_covariates(table.sample(60, random_state=s), ["g"], model=model) for s in range(4)
    ]
    assert any("no differences" in one.limit for one in limits)
    for one in limits:
        alive = one.probability_alive(table)
        assert ((alive >= 0) & (alive <= 1)).all()
        assert (one.expected_purchases(10, table) >= 0).all()
        assert one.likelihood_ratio.statistic >= 0
        own = one.without.log_likelihood
        assert one.log_likelihood >= own - SAME_LIKELIHOOD * abs(own)


@pytest.mark.parametrize("model", MODELS)
def test_a_level_that_never_came_back_has_an_effect_without_bound(model):
    table = simulated(model, 800)
    gone = table["age"] == 60
    table.loc[gone, ["frequency", "recency"]] = 0.0
    table["group"] = np.where(gone, "never", "some")
    table["group"] = pd.Categorical(table["group"], ["some", "never"])
    fitted = fit_with_covariates(table, {"purchasing": ["group"]}, model=model)
    assert "The data set no bound to 'purchasing: group=never'" in fitted.limit
    assert np.isinf(fitted.standard_errors["purchasing: group=never"])
    alone = fit_alone(model, table[~gone])
    for name in alone.names:
        assert fitted.parameters[name] == pytest.approx(alone.parameters[name], rel=1e-3)
        assert fitted.standard_errors[name] == pytest.approx(alone.standard_errors[name], rel=0.01)
    assert fitted.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-6)
    assert fitted.expected_purchases(26, table)[gone].max() < 1e-3


@pytest.mark.parametrize("model", MODELS)
def test_few_customers_always_end_somewhere(model):
    table = simulated(model, 4000, seed=9)
    for draw in range(5):
        some = table.sample(30, random_state=draw)
        if some["region"].nunique() < 2:
            continue
        one = fit_with_covariates(some, ["region"], model=model)
        assert np.isfinite(one.log_likelihood)
        assert np.isfinite(one.expected_purchases(20, some)).all()


def test_nobody_came_back():
    table = simulated("BG/NBD", 80).assign(frequency=0.0, recency=0.0)
    for model in MODELS:
        one = fit_with_covariates(table, ["region"], model=model)
        assert one.log_likelihood == pytest.approx(0.0, abs=1e-3)
        assert one.limit
        assert one.expected_purchases(20, table).max() < 1e-3


def test_customers_who_never_bought_are_set_apart():
    table = simulated("Pareto/NBD", 400)
    extra = table.head(3).assign(frequency=0.0, recency=np.nan, T=np.nan, region=None)
    both = pd.concat([extra, table])
    one, two = (fit_with_covariates(t, ["region"], model="Pareto/NBD") for t in (table, both))
    assert one.log_likelihood == two.log_likelihood
    assert two.customers == len(table)
    assert two.notes[-1] == "3 customers never bought and are set apart."
    assert len(one.notes) == 1
    alive = two.probability_alive(both)
    assert np.isnan(alive[:3]).all()
    np.testing.assert_array_equal(alive[3:], one.probability_alive(table))


def test_codings():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, 2, 6], dtype="Int64"),
            "member": [True, False, True],
            "size": pd.Categorical(["s", "l", "m"], ["s", "m", "l", "xl"]),
            "text": ["b", "a", "b"],
        }
    )
    assert read_design(frame, ["n"]).code(frame).tolist() == [[-2], [-1], [3]]
    assert read_design(frame, ["member"]).names == ("member=True",)
    size = read_design(frame, ["size"])
    assert size.names == ("size=m", "size=l")
    assert size.code(frame).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert read_design(frame, ["text"]).code(frame).tolist() == [[1], [0], [1]]
    assert read_design(frame, []).code(frame).shape == (3, 0)


@pytest.mark.parametrize(
    ("columns", "change", "message"),
    [
        (["agee"], {}, r"column 'agee' is missing; columns found: customer_id, frequency"),
        (["age", "age"], {}, "'age' is given more than once"),
        (["age"], {"age": 3.0}, "'age' is 3.0 for everybody and can explain nothing"),
        (["age"], {"age": np.nan}, r"'age' is not known .* 80 customers \('c00000', 'c00001'"),
        (["age"], {"age": np.inf}, "'age' is not known or not finite for 80 customers"),
        (["region"], {"region": None}, "'region' is not known or not finite for 80"),
        (["customer_id"], {}, "'customer_id' has 80 levels, more than 50; join rare ones"),
        (["day"], {"day": pd.date_range("2025-01-01", periods=80)}, "'day' holds dates; turn"),
        (["age", "double"], {"double": lambda t: 2 * t["age"] + 1}, "double can be computed from"),
        ([], {}, "name at least one column"),
        ({"buying": ["age"]}, {}, "'buying' is no law; the keys are 'purchasing' and 'dropout'"),
    ],
)
def test_columns_that_cannot_be_used_are_named(columns, change, message):
    table = simulated("BG/NBD", 80).assign(**change)
    with pytest.raises(ValueError, match=message):
        fit_with_covariates(table, columns)


def test_more_that_cannot_be_used():
    table = simulated("BG/NBD", 80)
    with pytest.raises(TypeError, match=r"a list of columns is needed, \['age'\]"):
        fit_with_covariates(table, "age")
    with pytest.raises(ValueError, match="model='MBG/NBD': covariates go with 'BG/NBD' or"):
        fit_with_covariates(table, ["age"], model="MBG/NBD")
    fitted = fit_with_covariates(table, ["region", "age"])
    elsewhere = table.assign(region="east")
    with pytest.raises(ValueError, match="'region' holds 'east', which the model has not seen; it"):
        fitted.probability_alive(elsewhere)
    with pytest.raises(ValueError, match="'age' was numeric when the model was fitted and is"):
        fitted.probability_alive(table.assign(age="old"))
    with pytest.raises(ValueError, match="column 'age' is missing"):
        fitted.expected_purchases(5, table.drop(columns="age"))
    with pytest.raises(ValueError, match="horizon=-1"):
        fitted.expected_purchases(-1, table)
    with pytest.raises(TypeError, match="the customer table with the column 'region', 'age'"):
        fitted.probability_alive(fitted.histories)
    with pytest.raises(TypeError, match="columns is needed, not histories"):
        fit_with_covariates(fitted.histories, ["age"])
