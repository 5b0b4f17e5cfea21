"""Naive, adjusted and doubly robust answers: closed forms, other packages, known truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import relationships
from keycustomer.relationships.effects.arms import Arms
from keycustomer.relationships.effects.comparing import clustered_error
from keycustomer.relationships.effects.designs import read_design
from keycustomer.relationships.effects.means import robust_means
from keycustomer.stats.regressions.regression import fit_regression

EXACT = 1e-9
"""Sums of the same numbers in another order."""

FITTED = 1e-6
"""Two optimisers of the same likelihood, stopped at steps of 1e-8 and 1e-9."""

PENALISED = 1e-3
"""Shares move by less when coefficients are penalised by a hundredth of a row's information."""

SHIFT = -0.5
"""True effect of care in the made-up customers, log-odds."""


def made_up(seed: int, n: int = 1500) -> pd.DataFrame:
    """Make customers whose size moves both care and leaving; truth by the process itself."""
    generator = np.random.default_rng(seed)
    size = generator.standard_normal(n)
    care = generator.random(n) < 1 / (1 + np.exp(-(0.9 * size - 0.3)))
    odds = -0.8 + 0.9 * size
    chance = 1 / (1 + np.exp(-(odds[:, None] + SHIFT * np.array([0.0, 1.0]))))
    left = generator.random(n) < chance[np.arange(n), care.astype(int)]
    frame = {"care": np.where(care, "close", "basic"), "left": left, "size": size}
    return pd.DataFrame(frame | {"if_basic": chance[:, 0], "if_close": chance[:, 1]})


def effect(frame: pd.DataFrame, **more: object) -> relationships.TreatmentEffects:
    given = {"treatment": "care", "outcome": "left", "covariates": ["size"]} | more
    return relationships.treatment_effects(frame, **given)


@pytest.mark.parametrize("link", ["logistic", "log", "identity"])
def test_regressions_agree_with_statsmodels_and_so_do_their_robust_errors(link: str) -> None:
    generator = np.random.default_rng(3)
    design = np.column_stack([np.ones(400), generator.standard_normal((400, 3))])
    mean = design @ np.array([0.2, 0.5, -0.3, 0.0])
    families = {
        "logistic": (sm.families.Binomial(), generator.random(400) < 1 / (1 + np.exp(-mean))),
        "log": (sm.families.Poisson(), generator.poisson(np.exp(mean))),
        "identity": (sm.families.Gaussian(), mean + generator.standard_normal(400)),
    }
    family, outcome = families[link]
    outcome = np.asarray(outcome, dtype=float)
    own = fit_regression(design, outcome, link)
    theirs = sm.GLM(outcome, design, family=family).fit(cov_type="HC0", tol=1e-12)
    np.testing.assert_allclose(own.coefficients, theirs.params, atol=FITTED)
    left = 1 - theirs.get_influence(observed=False).hat_matrix_diag
    plain = own.influence(design, outcome) * left[:, None]
    np.testing.assert_allclose(np.sqrt((plain**2).sum(axis=0)), theirs.bse, rtol=1e-4)


def test_robust_errors_of_a_straight_line_are_hc3() -> None:
    generator = np.random.default_rng(5)
    design = np.column_stack([np.ones(80), generator.standard_exponential((80, 2))])
    outcome = design @ np.array([1.0, 0.5, 0.0]) + design[:, 1] * generator.standard_normal(80)
    own = fit_regression(design, outcome, "identity").influence(design, outcome)
    theirs = sm.OLS(outcome, design).fit(cov_type="HC3")
    np.testing.assert_allclose(np.sqrt((own**2).sum(axis=0)), theirs.bse, rtol=1e-6)


def test_separated_groups_stay_finite_under_a_penalty() -> None:
    x = np.r_[np.zeros(50), np.ones(50)]
    model = fit_regression(np.column_stack([np.ones(100), x]), x, "logistic", penalty=0.1)
    assert np.isfinite(model.coefficients).all()
    assert model.coefficients[1] > 5


def test_a_fit_that_cannot_come_to_rest_says_what_to_do() -> None:
    design = np.column_stack([np.ones(40), np.arange(40.0)])
    with pytest.raises(ValueError, match=r"40 rows on 2 columns did not come to rest.*penalty"):
        fit_regression(design, np.full(40, 3.0) + np.arange(40.0), "logistic")


def test_without_covariates_all_three_are_the_shares_of_the_groups() -> None:
    frame = made_up(1)
    found = effect(frame, covariates=[]).table.query("measure == 'mean'")
    shares = frame.groupby("care")["left"].mean()
    for method, tolerance in (
        ("naive", EXACT),
        ("doubly robust", PENALISED),
        ("adjusted", PENALISED),
    ):
        own = found[found["method"] == method].set_index("setting")["estimate"]
        np.testing.assert_allclose(own[["basic", "close"]], shares, atol=tolerance)


def test_errors_of_a_naive_rate_are_those_of_the_textbook() -> None:
    """Of a share: p (1 - p) / n, with n / (n - 1) for the customers drawn."""
    frame = made_up(2)
    row = effect(frame).table.query("method == 'naive' and measure == 'mean'").iloc[0]
    basic = frame.loc[frame["care"] == "basic", "left"]
    share, n = basic.mean(), len(basic)
    expected = np.sqrt(share * (1 - share) / n * len(frame) / (len(frame) - 1))
    assert row["standard_error"] == pytest.approx(expected, rel=EXACT)


def test_adjusted_is_the_mean_prediction_of_statsmodels_logit() -> None:
    frame = made_up(4)
    design = sm.add_constant(np.column_stack([frame["care"] == "close", frame["size"]]))
    fit = sm.Logit(frame["left"].to_numpy(dtype=float), design.astype(float)).fit(disp=0)
    for name, value in (("basic", 0.0), ("close", 1.0)):
        everybody = design.astype(float).copy()
        everybody[:, 1] = value
        own = effect(frame).estimate(name, "mean", "adjusted").estimate
        assert own == pytest.approx(fit.predict(everybody).mean(), abs=PENALISED)


def test_adjusted_and_doubly_robust_hold_the_truth_where_naive_does_not() -> None:
    """Of 30 made-up samples; 25 or more hits are 98 % likely at a coverage of .93 and above."""
    held = {"naive": 0, "adjusted": 0, "doubly robust": 0}
    errors: dict[str, list[float]] = {name: [] for name in held}
    for seed in range(30):
        frame = made_up(seed, 800)
        truth = frame["if_close"].mean() - frame["if_basic"].mean()
        found = effect(frame, seed=seed)
        for method in held:
            one = found.estimate("close", "difference", method)
            held[method] += one.lower <= truth <= one.upper
            errors[method].append(one.estimate - truth)
    assert held["naive"] <= 8
    assert min(held["adjusted"], held["doubly robust"]) >= 25
    assert np.mean(errors["naive"]) > 0.1
    for method in ("adjusted", "doubly robust"):
        assert abs(np.mean(errors[method])) < 3 * np.std(errors[method]) / np.sqrt(30)


def test_doubly_robust_is_right_when_either_model_is() -> None:
    """With the right propensities a regression that knows nothing does no harm."""
    frame = made_up(7, 20_000)
    care = (frame["care"] == "close").to_numpy()
    chance = 1 / (1 + np.exp(-(0.9 * frame["size"].to_numpy() - 0.3)))
    right = np.column_stack([1 - chance, chance])
    known, nothing = frame[["size"]].to_numpy(), np.zeros((len(frame), 0))
    left = frame["left"].to_numpy(dtype=float)
    fold = np.arange(len(frame)) % 2
    truth = frame[["if_basic", "if_close"]].mean().to_numpy()
    for covariates, chances in ((nothing, right), (known, np.full_like(right, 0.5))):
        arms = Arms(care.astype(int), 2, left, np.ones(len(left)), covariates, np.arange(len(left)))
        means = robust_means(arms, chances, fold, "regression")
        error = np.sqrt((means.influence[:, :, 0] ** 2).mean(axis=0) / len(left))
        assert (np.abs(means.mean[:, 0] - truth) < 4 * error).all()


def test_boosted_trees_find_what_a_straight_line_cannot() -> None:
    generator = np.random.default_rng(11)
    x = generator.standard_normal(6000)
    bend = np.abs(x) > 0.7
    care = generator.random(6000) < np.where(bend, 0.75, 0.25)
    amount = generator.poisson(np.where(bend, 8.0, 2.0) * np.where(care, 1.5, 1.0)).astype(float)
    frame = pd.DataFrame({"care": np.where(care, "close", "basic"), "amount": amount, "x": x})
    found = {
        learner: relationships.treatment_effects(
            frame, treatment="care", outcome="amount", covariates=["x"], learner=learner
        ).estimate("close")
        for learner in ("regression", "boosting")
    }
    assert found["boosting"].lower < 1.5 < found["boosting"].upper
    assert found["regression"].lower > 1.5


def test_months_of_a_customer_do_not_count_as_customers() -> None:
    frame = made_up(5, 400).assign(customer_id=np.arange(400))
    often = pd.concat([frame] * 6)
    alone = effect(frame).table
    together = effect(often, customer="customer_id").table
    blind = effect(often.reset_index(drop=True)).table
    naive = alone["method"] == "naive"
    np.testing.assert_allclose(
        together.loc[naive, "standard_error"], alone.loc[naive, "standard_error"], rtol=EXACT
    )
    assert (blind["standard_error"] < 0.6 * together["standard_error"]).all()


def test_a_rate_is_the_sum_of_outcomes_by_the_sum_of_exposures() -> None:
    frame = made_up(6).assign(months=np.random.default_rng(0).integers(1, 37, 1500))
    found = effect(frame, exposure="months").estimate("close", "mean", "naive")
    own = frame[frame["care"] == "close"]
    assert found.estimate == pytest.approx(own["left"].sum() / own["months"].sum(), rel=EXACT)
    assert found.unit == "left per months"


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.floats(0.01, 1000))
def test_units_and_order_of_rows_do_not_matter(seed: int, unit: float) -> None:
    generator = np.random.default_rng(seed)
    frame = made_up(seed, 200).assign(amount=generator.gamma(2.0, 3.0, 200))
    found = effect(frame, outcome="amount", trim=0.0).table
    other = frame.assign(amount=frame["amount"] * unit).sample(frac=1.0, random_state=seed)
    again = effect(other, outcome="amount", trim=0.0).table
    plain = found["method"] != "doubly robust"  # folds go by the order of the rows
    ratio = found["measure"] == "ratio"
    factor = np.where(ratio, 1.0, unit)[plain]
    np.testing.assert_allclose(again["estimate"][plain], found["estimate"][plain] * factor, 1e-5)
    np.testing.assert_allclose(
        again["standard_error"][plain], found["standard_error"][plain] * factor, 1e-4
    )


def test_balance_and_overlap_tell_what_the_answer_rests_on() -> None:
    found = effect(made_up(8))
    size = found.balance.set_index("covariate").loc["size"]
    assert size["before"] > 0.3 > 0.1 > size["after"]
    overlap = found.overlap
    assert overlap["units"].sum() == found.customers == 1500
    assert (overlap["effective"] < overlap["units"]).all()
    assert found.propensities[["basic", "close"]].sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_who_has_no_counterpart_is_left_out_and_counted() -> None:
    frame = made_up(9)
    frame.loc[frame["size"] > 0.5, "care"] = "close"
    found = effect(frame, trim=0.05)
    reasons = found.excluded.set_index("reason")["units"]
    assert reasons["chance of a setting below 0.05"] == len(frame) - len(found.kept) > 50
    assert frame.loc[found.kept, "size"].max() < 1.5 < frame["size"].max()
    assert found.propensities.index.equals(found.kept)


def test_rows_that_tell_nothing_are_counted_by_reason() -> None:
    frame = made_up(10).assign(paid=np.random.default_rng(1).gamma(2.0, 1.0, 1500))
    frame.loc[:9, "care"] = None
    frame.loc[5:24, "paid"] = np.nan
    found = effect(frame, outcome="paid").excluded.set_index("reason")["units"]
    assert found.to_dict() == {"care not known": 10, "paid not known": 15}


def test_the_result_reads_well_and_says_its_conditions() -> None:
    frame = made_up(12).rename(columns={"size": "<b>size</b>"})
    found = effect(frame, covariates=["<b>size</b>"])
    page = found._repr_html_()
    assert "<b>size" not in page and "&lt;b&gt;size" in page
    for said in ("no unmeasured confounder", "moved by the setting", "every kind of customer"):
        assert said in found.identification
    changed = found.to_frame()
    changed["estimate"] = 0.0
    assert (found.table["estimate"] != 0).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treatment": "carre"}, "frame: there is no column 'carre'; did you mean 'care'"),
        ({"covariates": ["sice"]}, "covariates: there is no column 'sice'; did you mean 'size'"),
        ({"covariates": ["size", "size"]}, "named twice: size"),
        ({"covariates": ["left"]}, "the treatment and the outcome are none of them"),
        ({"reference": "clos"}, "reference='clos' is no setting.*did you mean 'close'"),
        ({"settings": ["basic", "partner"]}, "care has 'close', which is none of settings"),
        ({"learner": "forest"}, "learner='forest': 'regression' or 'boosting' are known"),
        ({"trim": 0.4}, "trim=0.4: a chance of 0 to below 0.2"),
        ({"folds": 1}, "folds=1: a whole number of 2 to 50"),
        ({"level": 95}, "level=95 must be a share"),
        ({"outcome": "care2"}, "column 'care2' must hold numbers"),
    ],
)
def test_wrong_arguments_are_named_with_a_cure(change: dict, message: str) -> None:
    frame = made_up(1, 200).assign(care2="a")
    with pytest.raises((ValueError, TypeError), match=message):
        effect(frame, **change)


def test_settings_with_hardly_anybody_are_refused() -> None:
    frame = made_up(1, 200)
    frame.loc[:4, "care"] = "rare"
    with pytest.raises(ValueError, match="care 'rare' has 5 units, and 20 are needed; leave it"):
        effect(frame)
    with pytest.raises(ValueError, match="one setting only"):
        effect(frame.assign(care="basic"))


def test_no_such_effect_lists_what_there_is() -> None:
    with pytest.raises(KeyError, match="methods: 'naive', 'adjusted', 'doubly robust'"):
        effect(made_up(1, 300)).estimate("basic", "ratio")


def test_covariates_of_any_kind_become_numbers_alike_for_newcomers() -> None:
    frame = pd.DataFrame(
        {
            "staff": np.r_[np.arange(1.0, 99.0), 5000.0, np.nan],
            "region": ["north"] * 60 + ["south"] * 38 + ["isle", None],
            "key": [True, False] * 50,
            "same": 1,
        }
    )
    design = read_design(frame, ["staff", "region", "key", "same"])
    assert design.columns == [
        "log staff",
        "staff not known",
        "region: other",
        "region: south",
        "key",
    ]
    assert design.constant == ("same",)
    coded = design.matrix(frame)
    assert np.isfinite(coded).all()
    assert coded[:, 0].mean() == pytest.approx(0, abs=EXACT)
    new = pd.DataFrame({"staff": [np.nan], "region": ["moon"], "key": [True]})
    assert design.matrix(new)[0, 1:4].tolist() == [1.0, 1.0, 0.0]


def test_days_are_no_covariates() -> None:
    frame = pd.DataFrame({"joined": pd.to_datetime(["2020-01-01", "2021-01-01"])})
    with pytest.raises(TypeError, match="'joined' holds days; give a number"):
        read_design(frame, ["joined"])
    with pytest.raises(TypeError, match="give a list of columns"):
        read_design(frame, "joined")


def test_clustered_errors_are_those_of_the_customers_sums() -> None:
    influence = np.array([1.0, -1.0, 2.0, -2.0])
    assert clustered_error(influence, np.array([0, 0, 1, 1])) == 0
    alone = clustered_error(influence, np.arange(4))
    assert alone == pytest.approx(np.sqrt(10 / 3 / 4), rel=EXACT)
