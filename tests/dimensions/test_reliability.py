"""Reliability: closed forms, other packages, properties, recovery, hostile answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions
from keycustomer.dimensions.measurement.factor_loadings import FactorModel

FEW = 20
"""Draws of tests that look at estimates only."""

SETTLED = 1e-6
"""Loadings are sought until a step is a hundred-millionth of a standard error."""


def congeneric(n, loadings, seed=0, units=1.0):
    """Items of one factor with the loadings, standardised but for the units."""
    rng = np.random.default_rng(seed)
    loadings = np.asarray(loadings)
    own = rng.normal(size=(n, len(loadings))) * np.sqrt(1 - loadings**2)
    values = (rng.normal(size=(n, 1)) * loadings + own) * units
    return pd.DataFrame(values, columns=[f"x{at}" for at in range(len(loadings))])


def measured(answers, **more):
    return dimensions.measure_reliability(
        {"one": list(answers.columns)}, answers, **{"draws": FEW} | more
    )


def test_alpha_is_the_textbook_formula() -> None:
    answers = congeneric(80, [0.8, 0.6, 0.7, 0.5], units=[1, 2, 3, 4])
    k = answers.shape[1]
    raw = k / (k - 1) * (1 - answers.var().sum() / answers.sum(axis=1).var())
    r = answers.corr().to_numpy()[np.tril_indices(k, -1)].mean()
    table = measured(answers).table.loc["one"]
    assert table["alpha"] == pytest.approx(raw)
    assert table["alpha_standardised"] == pytest.approx(k * r / (1 + (k - 1) * r))


def test_alpha_without_an_item_is_the_alpha_of_the_others() -> None:
    answers = congeneric(80, [0.8, 0.6, 0.7, 0.2])
    result = measured(answers)
    for row in result.dropped.to_dict("records"):
        rest = measured(answers.drop(columns=row["item"])).of("one").estimate
        assert row["alpha_without"] == pytest.approx(rest)
        assert row["change"] == pytest.approx(rest - result.of("one").estimate)


def test_two_items_have_the_reliability_of_spearman_and_brown() -> None:
    answers = congeneric(90, [0.8, 0.6])
    r = answers["x0"].corr(answers["x1"])
    result = measured(answers)
    table = result.table.loc["one"]
    for name in ("alpha_standardised", "composite_reliability"):
        assert table[name] == pytest.approx(2 * r / (1 + r), abs=SETTLED)
    assert table["ave"] == pytest.approx(r, abs=0.02)  # weighted by variances that are near one
    assert "two items, whose standardised loadings are taken as equal: one" in result.notes
    assert not len(result.dropped)


def test_items_without_a_common_factor_have_no_omega() -> None:
    """Three correlations of which one is negative have no loadings."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    answers = pd.DataFrame({"x0": a + b, "x1": a - 0.6 * b, "x2": b + 0.3 * rng.normal(size=200)})
    result = measured(answers)
    assert np.isnan(result.of("one", "omega").estimate)
    assert "no common factor makes these correlations" in " ".join(result.notes)
    assert result.of("one", "alpha").estimate < 0.7


def test_loadings_are_those_of_factor_analysis_by_maximum_likelihood() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    answers = congeneric(400, [0.8, 0.6, 0.7, 0.5, 0.9])
    z = (answers - answers.mean()) / answers.std(ddof=0)
    model = decomposition.FactorAnalysis(1, tol=1e-12, max_iter=20_000, svd_method="lapack")
    told = np.abs(model.fit(z.to_numpy()).components_[0])
    own = measured(answers).loadings["standardised"].to_numpy()
    assert own == pytest.approx(told, abs=1e-4)  # EM creeps up to the maximum


@given(
    seed=st.integers(0, 10_000),
    units=st.lists(st.floats(0.1, 100), min_size=4, max_size=4),
)
@settings(max_examples=10, deadline=None)
def test_units_change_raw_figures_only(seed, units) -> None:
    answers = congeneric(150, [0.8, 0.6, 0.7, 0.75], seed)
    plain = measured(answers, draws=2).table.loc["one"]
    other = measured(answers * units + 3.0, draws=2).table.loc["one"]
    for name in ("alpha_standardised", "composite_reliability"):
        assert other[name] == pytest.approx(plain[name], abs=SETTLED)
    # alpha is a lower bound of the reliability of the sum in the population only
    same = measured(answers * 7.0 - 1.0, draws=2).table.loc["one"]
    assert same.to_numpy(float) == pytest.approx(plain.to_numpy(float), abs=SETTLED)


def test_truth_is_recovered_and_covered() -> None:
    """Of thirty samples, 95 % intervals should miss one or two; seven is a chance of 0.0006."""
    loadings = np.array([0.9, 0.7, 0.6, 0.5])
    common = loadings.sum() ** 2
    omega = common / (common + (1 - loadings**2).sum())
    large = measured(congeneric(100_000, loadings, 7), draws=2)
    assert large.of("one", "omega").estimate == pytest.approx(omega, abs=0.005)
    assert large.of("one", "ave").estimate == pytest.approx((loadings**2).mean(), abs=0.005)
    assert large.of("one").estimate < omega
    missed = 0
    for seed in range(30):
        own = measured(congeneric(200, loadings, seed), draws=150).of("one", "omega")
        missed += not own.lower <= omega <= own.upper
    assert missed < 7


def two_factors(n=300, correlation=0.4, seed=0):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = correlation * first + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    parts = {f"{name}{at}": own for name, own in (("a", first), ("b", second)) for at in range(3)}
    return pd.DataFrame({item: own + 0.8 * rng.normal(size=n) for item, own in parts.items()})


BLOCKS = {"A": ["a0", "a1", "a2"], "B": ["b0", "b1", "b2"]}


def test_joint_draws_are_fits_to_the_drawn_respondents() -> None:
    answers = two_factors(120)
    model = FactorModel([[0, 1, 2], [3, 4, 5]])
    covariances = np.cov(answers.to_numpy().T)[None]
    model.fit(covariances, 120)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 120, size=(3, 120))
    stack = np.stack([np.cov(answers.to_numpy()[own].T) for own in rows])
    together = model.fit_all(stack, 120)
    for draw in range(3):
        alone = FactorModel([[0, 1, 2], [3, 4, 5]]).fit(stack[draw : draw + 1], 120)
        # draws end at a ten-thousandth of a standard error
        assert together.loadings[draw] == pytest.approx(alone.loadings[0], abs=1e-4)
        assert together.factors[draw] == pytest.approx(alone.factors[0], abs=1e-4)


def test_a_joint_model_of_one_factor_twice_is_refused() -> None:
    answers = two_factors(correlation=1.0, seed=3)
    # the same luck in an item of either: they correlate beyond what reliability allows
    shared = np.random.default_rng(9).normal(size=len(answers))
    answers = answers.assign(a0=answers["a0"] + shared, b0=answers["b0"] + shared)
    result = dimensions.measure_reliability(BLOCKS, answers, factors="joint", draws=FEW)
    why = result.of("A", "omega").method
    alone = dimensions.measure_reliability(BLOCKS, answers, draws=FEW)
    assert alone.of("A", "omega").estimate > 0.5
    assert np.isnan(result.of("A", "omega").estimate)
    assert "the factors determine each other" in why
    assert "merge constructs, or give factors='each'" in why


def test_a_single_item_in_a_joint_model_is_its_own_factor() -> None:
    answers = two_factors()
    blocks = {"A": BLOCKS["A"], "Single": ["b0"]}
    result = dimensions.measure_reliability(blocks, answers, factors="joint", draws=FEW)
    assert result.of("A", "omega").estimate > 0.7
    assert np.isnan(result.of("Single").estimate)
    assert "Single: no omega, composite reliability, AVE: one item" in " ".join(result.notes)


def test_a_heywood_case_is_not_read() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300))
    answers = pd.DataFrame(
        {
            "x0": x + 0.1 * y,
            "x1": x + 1.5 * rng.normal(size=300),
            "x2": x + 0.3 * y + 3 * rng.normal(size=300),
        }
    )
    answers["x0"] = answers["x1"] + answers["x2"] + 0.2 * rng.normal(size=300)
    result = measured(answers)
    assert np.isnan(result.of("one", "omega").estimate)
    assert "Heywood case, a negative share of own variance: x0 (-" in " ".join(result.notes)
    assert not np.isnan(result.of("one", "alpha").estimate)


def test_missing_answers_are_counted() -> None:
    answers = congeneric(60, [0.8, 0.7, 0.6])
    answers.iloc[:4, 1] = np.nan
    listwise = measured(answers)
    assert (listwise.respondents, listwise.excluded) == (56, 4)
    mean = measured(answers, missing="mean")
    assert (mean.respondents, mean.excluded) == (60, 0)
    assert mean.of("one").estimate < listwise.of("one").estimate + 0.05


def test_the_same_seed_gives_the_same_intervals() -> None:
    answers = congeneric(60, [0.8, 0.7, 0.6])
    assert measured(answers, seed=3).frame.equals(measured(answers, seed=3).frame)
    assert not measured(answers, seed=3).frame.equals(measured(answers, seed=4).frame)


@pytest.mark.parametrize(
    ("constructs", "told"),
    [
        ({}, "constructs must name the items by construct"),
        ({"A": []}, "constructs without items: 'A'"),
        ({"A": ["a0", "a0", "a1"]}, "items named more than once: 'a0'"),
        ({"A": ["a0", "a1"], "B": ["a1", "b0"]}, "items named more than once: 'a1'"),
        ({"A": ["a0", "copi"]}, "item 'copi' is not in the table; did you mean 'copy'"),
        ({"A": ["a0", "flat"]}, "flat: all 60 answers are 3"),
        ({"A": ["a0", "a1", "copy"]}, r"'copy' of construct 'A' is determined by 'a0', 'a1'"),
    ],
)
def test_what_is_wrong_is_said(constructs, told) -> None:
    answers = two_factors(60).assign(flat=3.0, copy=lambda t: 5 - t["a0"])
    with pytest.raises(ValueError, match=told):
        dimensions.measure_reliability(constructs, answers, draws=FEW)


def test_fewer_respondents_than_items_are_refused() -> None:
    answers = congeneric(11, np.full(12, 0.7))
    with pytest.raises(ValueError, match="12 items and 11 respondents: more respondents"):
        measured(answers)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="factors='all': choose one of 'each', 'joint'"):
        measured(congeneric(60, [0.8, 0.7]), factors="all")
    with pytest.raises(KeyError, match="no 'beta' of 'one'"):
        measured(congeneric(60, [0.8, 0.7])).of("one", "beta")


def test_names_from_data_are_escaped() -> None:
    answers = congeneric(60, [0.8, 0.7, 0.6])
    result = dimensions.measure_reliability({"<i>x</i>": list(answers)}, answers, draws=FEW)
    assert "<i>" not in result._repr_html_()
    assert result.to_frame().equals(result.frame)
