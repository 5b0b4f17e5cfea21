"""Churn models: known coefficients come back, other packages agree, bad input is refused."""

import numpy as np
import pandas as pd
import pytest
from churn_rows import PREMIUM, SLOPES, known_rows
from keycustomer.lifetime import survival_curve
from keycustomer.relationships import (
    fit_churn,
    person_periods,
    recalibrate,
    retention_curves,
)
from keycustomer.relationships.churn.design import learn_design
from keycustomer.relationships.churn.logistic import LogisticFit

FEATURES = ["lasting", "passing", "plan"]

CONVERGED = 1e-6
"""Newton's method and other optimisers stop a little apart."""

SHRUNK = 1e-4
"""scikit-learn's solver stops at a gradient of 1e-4 by default, here tightened."""


@pytest.fixture(scope="module")
def rows():
    """Rows of 800 customers with a known truth."""
    return known_rows(800, seed=1)


@pytest.fixture(scope="module")
def model(rows):
    """Fit a logistic model on them."""
    return fit_churn(rows, features=FEATURES)


def test_odds_ratios_and_clustered_errors_agree_with_statsmodels(rows, model):
    import statsmodels.api as sm

    design = pd.DataFrame(
        {
            "lasting": rows["lasting"],
            "passing": rows["passing"],
            "premium": rows["plan"] == "premium",
        }
    ).astype(float)
    theirs = sm.Logit(rows["left"].astype(float), sm.add_constant(design)).fit(
        disp=0, cov_type="cluster",
        cov_kwds={"groups": rows["customer_id"], "use_correction": False},
    )  # fmt: skip
    ours = model.odds_ratios()
    np.testing.assert_allclose(ours["coefficient"], theirs.params.iloc[1:], rtol=CONVERGED)
    customers = rows["customer_id"].nunique()
    factor = np.sqrt(customers / (customers - 1))
    np.testing.assert_allclose(
        ours["standard_error"], theirs.bse.iloc[1:] * factor, rtol=CONVERGED * 10
    )
    assert ours["word"].tolist() == ["", "", "premium"]
    assert ours["per"].tolist() == ["1", "1", "against basic"]


def test_intervals_hold_the_true_coefficients_as_often_as_they_say():
    truth = np.array([*SLOPES, PREMIUM])
    held = np.zeros(3)
    for seed in range(40):
        table = fit_churn(known_rows(250, seed=seed), features=FEATURES).odds_ratios()
        held += (np.log(table["lower"]) <= truth) & (truth <= np.log(table["upper"]))
    # 120 intervals of 95 %: 105 or fewer have a probability below one in a thousand
    assert held.sum() > 105


def test_a_ridge_agrees_with_scikit_learn(rows):
    from sklearn.linear_model import LogisticRegression

    model = fit_churn(rows, features=FEATURES, penalty=4.0)
    matrix = model.design.matrix(rows)
    theirs = LogisticRegression(C=1 / 4.0, tol=1e-10, max_iter=500).fit(matrix, rows["left"])
    np.testing.assert_allclose(model.fit.coefficients[1:], theirs.coef_[0], rtol=SHRUNK)
    np.testing.assert_allclose(model.fit.coefficients[0], theirs.intercept_[0], rtol=SHRUNK)
    assert model.odds_ratios()["lower"].isna().all() and not model.intervals
    assert "Ridge penalty 4" in model.notes[0]


def test_a_penalty_is_chosen_by_leaving_out_customers():
    generator = np.random.default_rng(3)
    rows = known_rows(150, seed=3)
    noise = pd.DataFrame(
        generator.normal(size=(len(rows), 30)), columns=[f"noise {n}" for n in range(30)]
    )
    model = fit_churn(rows.join(noise).drop(columns="truth"), penalty="path")
    assert model.path["chosen"].sum() == 1
    free = fit_churn(rows.join(noise).drop(columns="truth"))
    fresh = known_rows(2_000, seed=4)
    fresh[noise.columns] = np.random.default_rng(5).normal(size=(len(fresh), 30))
    loss = {
        name: -np.log(np.where(fresh["left"], p, 1 - p)).mean()
        for name, p in (("path", model.predict(fresh)), ("free", free.predict(fresh)))
    }
    assert loss["path"] < loss["free"]
    assert any("are few" in note for note in free.notes)


def test_predictions_come_near_the_known_probabilities(rows):
    fresh = known_rows(500, seed=2)
    for kind, closeness in (("logistic", 0.98), ("boosting", 0.85)):
        chance = fit_churn(rows, model=kind, features=FEATURES).predict(fresh)
        assert np.corrcoef(np.log(chance), np.log(fresh["truth"]))[0, 1] > closeness
        assert chance.mean() == pytest.approx(fresh["truth"].mean(), rel=0.1)
        assert chance.index.equals(fresh.index) and chance.between(0, 1).all()


def test_boosting_is_the_same_for_a_seed_and_chooses_its_trees(rows):
    one, other = (fit_churn(rows, model="boosting", features=FEATURES, seed=5) for _ in range(2))
    assert one.predict(rows).equals(other.predict(rows))
    assert 1 <= one.fit.trees <= 300
    with pytest.raises(TypeError, match="boosting model has no odds ratios"):
        one.odds_ratios()


def test_a_table_of_one_customer_a_row_needs_no_ids_and_no_time():
    rows = known_rows(400, periods=1, seed=6)
    model = fit_churn(rows[["left", *FEATURES]], customer=None, time=None)
    assert (model.rows, model.customers) == (400, 400)
    assert model.time == ""


def test_missing_numbers_stand_at_the_mean_with_an_indicator(rows):
    holed = rows.assign(passing=rows["passing"].mask(np.arange(len(rows)) % 7 == 0))
    model = fit_churn(holed, features=FEATURES)
    assert "passing: missing" in model.design.labels
    only = holed[holed["passing"].isna()].head(1)
    # a row with the mean and one without a value differ by the indicator alone
    column = model.design.labels.index("passing: missing")
    matrix = model.design.matrix(only)
    assert matrix[0, model.design.labels.index("passing")] == 0 and matrix[0, column] == 1
    assert model.design.matrix(rows.head(1))[0, column] == 0


def test_words_not_learnt_count_as_the_reference(rows, model):
    strange = rows.head(1).assign(plan="never seen")
    usual = rows.head(1).assign(plan="basic")
    assert model.predict(strange).iloc[0] == model.predict(usual).iloc[0]
    assert model.design.unlearnt(strange) == {"plan": 1}


def test_columns_that_tell_nothing_new_are_left_out_and_said(rows):
    doubled = rows.assign(twice=2 * rows["lasting"] + 1, same=1.0)
    design = learn_design(doubled, ["lasting", "passing", "twice", "same"])
    assert design.labels == ["lasting", "passing"]
    assert "do not vary: same" in design.notes[0]
    assert "the columns before tell them: twice" in design.notes[1]


def test_a_word_that_separates_is_named_and_gets_no_interval(rows):
    never = rows.assign(loyal=np.where(rows["left"], "no", np.where(rows.index % 5, "no", "yes")))
    model = fit_churn(never, features=["lasting", "loyal"])
    assert isinstance(model.fit, LogisticFit) and model.fit.separated
    assert "loyal: yes" in model.notes[0] and "run away" in model.notes[0]
    ratio = model.odds_ratios().set_index("word").loc["yes"]
    assert np.isnan(ratio["lower"]) and ratio["odds_ratio"] < 1e-6
    assert model.odds_ratios()["lower"].notna().iloc[0]
    steady = fit_churn(never, features=["lasting", "loyal"], penalty=1.0)
    assert not steady.fit.separated


def test_a_model_reads_well_and_escapes_its_features(rows):
    odd = rows.rename(columns={"passing": "<b>&"})
    model = fit_churn(odd, features=["lasting", "<b>&"])
    shown = model._repr_html_()
    assert "&lt;b&gt;&amp;" in shown and "<b>&" not in shown
    assert "8" in repr(model) and "800 customers" in repr(model)


def test_an_intercept_alone_is_the_rate_of_leaving(rows):
    noisy = rows.assign(noise=np.random.default_rng(0).normal(size=len(rows)))
    model = fit_churn(noisy, features=["noise"], penalty=1e9)
    np.testing.assert_allclose(model.predict(noisy), rows["left"].mean(), rtol=1e-4)


def test_person_periods_give_the_hazards_of_kaplan_and_meier():
    generator = np.random.default_rng(8)
    tenure = generator.integers(0, 7, 300)
    table = pd.DataFrame({"tenure": tenure, "ended": (generator.random(300) < 0.4) & (tenure > 0)})
    periods = person_periods(table, features=[])
    frame = periods.frame.assign(word=periods.frame["period"].astype(str))
    model = fit_churn(frame, event="ended", time="period", features=["word"])
    hazards = frame.assign(chance=model.predict(frame)).groupby("period")["chance"].first()
    # Kaplan-Meier counts renewals made by those who run and the one failed by those who left
    curve = survival_curve(table).curve
    retention = 1 - curve.set_index("renewal")["retention"].loc[1:6]
    np.testing.assert_allclose(hazards, retention, rtol=1e-6)
    assert periods.excluded["rows"].tolist() == [int((tenure == 0).sum())]
    assert len(frame) == tenure.sum() and frame["ended"].sum() == table["ended"].sum()


def test_periods_before_the_first_observation_are_not_laid_out():
    table = pd.DataFrame(
        {"id": ["a", "b"], "tenure": [5, 3], "before": [3, 0], "gone": [1, 0], "kind": ["x", "y"]}
    )
    periods = person_periods(table, ended="gone", customer="id", entry="before")
    assert periods.frame[["id", "period", "gone"]].to_numpy().tolist() == [
        ["a", 4, False], ["a", 5, True], ["b", 1, False], ["b", 2, False], ["b", 3, False],
    ]  # fmt: skip
    assert periods.features == ("period_log", "kind")
    assert periods.upcoming[["id", "period", "kind"]].to_numpy().tolist() == [["b", 4, "y"]]


def test_a_constant_hazard_gives_geometric_retention():
    table = pd.DataFrame(
        {"tenure": np.r_[np.full(50, 4), np.full(50, 8)], "ended": [True, False] * 50}
    )
    model = fit_churn(
        person_periods(table.assign(noise=np.arange(100) % 2)), features=["noise"], penalty=1e9
    )
    rows = pd.DataFrame({"customer_id": [1, 2], "noise": [0, 1]})
    curves = retention_curves(model, rows, 5)
    hazard = model.predict(rows).to_numpy()
    expected = (1 - hazard)[:, None] ** np.arange(6)
    np.testing.assert_allclose(curves.retention, expected, rtol=1e-12)
    np.testing.assert_allclose(curves.expected_periods, expected[:, :-1].sum(axis=1), rtol=1e-12)
    assert "Nothing known of the customers changes" in curves.notes[0]
    assert curves.of(2).iloc[-1] == pytest.approx(expected[1, -1])
    assert curves.to_frame()["retention"].iloc[4] == pytest.approx(expected[0, 5])
    with pytest.raises(KeyError, match="no customer 3"):
        curves.of(3)


def test_drawn_coefficients_hold_the_true_mean_curve():
    held = 0
    for seed in range(40):
        rows = known_rows(200, seed=100 + seed)
        model = fit_churn(rows, features=FEATURES)
        once = rows.drop_duplicates("customer_id")
        curves = retention_curves(model, once, 6, draws=100, seed=seed)
        truth = ((1 - once["truth"].to_numpy())[:, None] ** np.arange(7)).mean(axis=0)
        last = curves.mean().iloc[-1]
        held += last["lower"] <= truth[-1] <= last["upper"]
    # 40 intervals of 95 %: 32 or fewer have a probability below one in a thousand
    assert held > 32


def test_recalibration_mends_a_shift_and_a_stretch(rows):
    model = fit_churn(rows, features=FEATURES)
    fresh = known_rows(1_500, seed=9)
    # those who left are counted three times: the odds are three times too high
    tripled = pd.concat([fresh, *[fresh[fresh["left"]]] * 2], ignore_index=True)
    for method in ("shift", "logistic", "isotonic"):
        mended = recalibrate(model, tripled, method=method)
        again = mended.predict(tripled)
        assert again.mean() == pytest.approx(tripled["left"].mean(), rel=1e-3), method
        assert (np.diff(again.iloc[np.argsort(model.predict(tripled))]) >= 0).all()
    shift = recalibrate(model, tripled, method="shift").recalibration
    assert shift.slope == 1 and shift.intercept == pytest.approx(np.log(3), abs=0.15)
    undone = recalibrate(recalibrate(model, tripled), fresh, method="shift")
    assert undone.recalibration.method == "shift"
    with pytest.raises(ValueError, match="allowed are 'shift', 'logistic' and 'isotonic'"):
        recalibrate(model, fresh, method="platt")
    with pytest.raises(ValueError, match="needed to correct probabilities"):
        recalibrate(model, fresh[~fresh["left"]])


BAD = {
    "no frame": (lambda rows: 3, {}, TypeError, "table=int: a DataFrame is needed"),
    "no column": (lambda rows: rows, {"features": ["age"]}, ValueError, "no column 'age'"),
    "no event": (lambda rows: rows.drop(columns="left"), {}, ValueError, "no column 'left'"),
    "text event": (
        lambda rows: rows.assign(left=np.where(rows["left"], "Yes", "No")),
        {},
        ValueError,
        r"True or False .* got \['No', 'Yes'\].*frame\['left'\] == 'Yes'",
    ),
    "missing event": (
        lambda rows: rows.assign(left=rows["left"].astype(float).mask(rows.index == 3)),
        {},
        ValueError,
        "missing values",
    ),
    "nobody left": (lambda rows: rows[~rows["left"]], {}, ValueError, "0 of .* at least 10"),
    "no rows": (lambda rows: rows.head(0), {}, ValueError, "there is no row in it"),
    "infinite": (
        lambda rows: rows.assign(passing=np.where(rows.index == 2, np.inf, 0.0)),
        {},
        ValueError,
        r"'passing' is infinite, first at rows \[2\]",
    ),
    "days": (
        lambda rows: rows.assign(passing=pd.Timestamp("2024-01-01")),
        {},
        TypeError,
        "turn days into numbers",
    ),
    "names": (
        lambda rows: rows.assign(plan=rows.index.astype(str)),
        {},
        ValueError,
        "different words, more than the 60",
    ),
    "nothing varies": (
        lambda rows: rows.assign(same=1),
        {"features": ["same"]},
        ValueError,
        "none of them varies",
    ),
    "no features": (lambda rows: rows, {"features": []}, ValueError, "features="),
    "kind": (lambda rows: rows, {"model": "forest"}, ValueError, "'logistic' and 'boosting'"),
    "penalty": (lambda rows: rows, {"penalty": -1}, ValueError, "penalty=-1"),
    "penalty of trees": (
        lambda rows: rows,
        {"model": "boosting", "penalty": 1.0},
        ValueError,
        "penalty is of the logistic model",
    ),
    "weights": (lambda rows: rows, {"class_weight": "heavy"}, ValueError, "class_weight='heavy'"),
    "no customer": (
        lambda rows: rows.assign(customer_id=rows["customer_id"].mask(rows.index == 0)),
        {},
        ValueError,
        "1 rows name no customer",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_fitted_is_refused_with_a_cure(rows, case):
    change, arguments, error, message = BAD[case]
    with pytest.raises(error, match=message):
        fit_churn(change(rows.drop(columns="truth")), **arguments)


def test_bad_curves_and_periods_are_refused(rows, model):
    with pytest.raises(ValueError, match="one row a customer is needed"):
        retention_curves(model, rows, 3)
    one = rows.drop_duplicates("customer_id")
    with pytest.raises(ValueError, match="periods=0"):
        retention_curves(model, one, 0)
    boosted = fit_churn(rows, model="boosting", features=["lasting"])
    with pytest.raises(ValueError, match="only a logistic model without penalty"):
        retention_curves(boosted, one, 3, draws=10)
    half = pd.DataFrame({"tenure": [1.5], "ended": [True]})
    with pytest.raises(ValueError, match=r"whole numbers of at least 0 are needed, got \[1.5\]"):
        person_periods(half)
    with pytest.raises(ValueError, match="come several times"):
        person_periods(
            pd.DataFrame({"tenure": [1, 2], "ended": [1, 0], "id": [4, 4]}), customer="id"
        )
    with pytest.raises(ValueError, match="no customer has a whole period"):
        person_periods(pd.DataFrame({"tenure": [0], "ended": [False]}))
