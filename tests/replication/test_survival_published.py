"""Survival results that other programs printed on published data."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    check_proportionality,
    fit_cox,
    fit_cox_by_reason,
    log_rank,
    read_spells,
    survival_by,
)
from known_surveys import r_data
from scipy.stats import chi2

DIGITS = 5e-7  # coefficients of the Rossi data are stated to six digits
FIVE = 5e-6  # others to five
FOUR = 5e-5  # others to four
THREE = 5e-4  # others to three


def rossi(columns):
    data = r_data("carData", "Rossi")
    timed = {"tenure": data["week"].astype(float), "ended": data["arrest"] == 1}
    return read_spells(pd.DataFrame(timed | {name: data[name] for name in columns}))


ALL = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]


def test_cox_on_rossi_with_efron_ties():
    """Run with R's survival; Fox & Weisberg (2011), appendix on Cox regression, section 3."""
    table = fit_cox(rossi(ALL), ALL).to_frame().set_index("term")
    found = table.loc[["fin=yes", "age", "prio"], "coefficient"]
    assert found.to_numpy() == pytest.approx([-0.379422, -0.057438, 0.091497], abs=DIGITS)


def test_selected_cox_model_on_rossi():
    """Fox & Weisberg (2011), the reduced model: coefficients, errors and likelihood ratio."""
    model = fit_cox(rossi(["fin", "age", "prio"]), ["fin", "age", "prio"])
    table = model.to_frame()
    expected, errors = [-0.34695, -0.06711, 0.09689], [0.19025, 0.02085, 0.02725]
    assert table["coefficient"].to_numpy() == pytest.approx(expected, abs=FIVE)
    assert table["standard_error"].to_numpy() == pytest.approx(errors, abs=FIVE)
    ratio = 2 * (model.log_likelihood - model.null_log_likelihood)
    assert ratio == pytest.approx(29.05, abs=0.005)


def test_schoenfeld_residuals_give_the_published_check_on_rossi():
    """Fox & Weisberg (2011): cox.zph by Grambsch and Therneau's approximation, KM transform."""
    model = fit_cox(rossi(["fin", "age", "prio"]), ["fin", "age", "prio"])
    check = check_proportionality(model)
    table = model.baseline
    left = table["left"].to_numpy()
    survival = np.cumprod(1 - left / table["at_risk"].to_numpy())
    time = 1 - np.append(1, survival[:-1])
    time = time - np.average(time, weights=left)
    # the approximation: every leaver's residuals have the same variance
    surplus = model.moments.surplus.T @ time * left.sum()
    spread = left.sum() * (left @ time**2)
    scaled = model.covariance @ surplus
    single = scaled**2 / (np.diag(model.covariance) * spread)
    together = surplus @ model.covariance @ surplus / spread
    assert [*single, together] == pytest.approx([0.00507, 6.54, 0.77, 7.13], rel=5e-3)
    # the exact score test says the same of what matters: age drifts
    assert check.suspects == ["age"]
    assert check.frame["statistic"].iloc[-1] == pytest.approx(together, rel=0.01)


def test_cox_with_a_covariate_that_changes():
    """Stanford heart transplants, counting process; R's survival: coxph on its data `heart`."""
    data = r_data("survival", "heart").drop(columns="rownames")
    data = data.rename(columns={"start": "entry", "stop": "tenure", "id": "customer_id"})
    model = fit_cox(
        read_spells(data.assign(ended=data["event"] == 1)),
        ["age", "year", "surgery", "transplant"],
    )
    table = model.to_frame()
    coefficients = [0.02717, -0.14635, -0.63721, -0.01025]
    errors = [0.01371, 0.07047, 0.36723, 0.31375]
    assert table["coefficient"].to_numpy() == pytest.approx(coefficients, abs=FIVE)
    assert table["standard_error"].to_numpy() == pytest.approx(errors, abs=FIVE)


def test_cox_on_primary_biliary_cirrhosis():
    """Therneau & Grambsch (2000), section 3.2: the five-variable model."""
    data = r_data("survival", "pbc")
    table = pd.DataFrame(
        {
            "tenure": data["time"].astype(float),
            "ended": data["status"] == 2,
            "age": data["age"],
            "edema": data["edema"],
            "bilirubin": np.log(data["bili"]),
            "prothrombin": np.log(data["protime"]),
            "albumin": np.log(data["albumin"]),
        }
    ).dropna()
    model = fit_cox(read_spells(table), list(table.columns[2:]))
    expected = [0.0396, 0.8963, 0.8636, 2.3868, -2.5069]
    assert model.coefficients == pytest.approx(expected, abs=FOUR)


def test_survival_and_log_rank_of_the_lung_cancer_data():
    """R's survival on its data `lung`: survdiff by sex; survfit with the restricted mean."""
    data = r_data("survival", "cancer")
    spells = read_spells(
        pd.DataFrame({"tenure": data["time"], "ended": data["status"] == 2, "sex": data["sex"]})
    )
    test = log_rank(spells, "sex")
    assert test.statistic == pytest.approx(10.3267, abs=FOUR)
    assert test.frame["expected"].to_numpy() == pytest.approx([91.5817, 73.4183], abs=FOUR)
    assert test.p_value == pytest.approx(0.00131, abs=FIVE)
    everybody = survival_by(spells, until=1022).groups.iloc[0]
    assert everybody["median"] == 310
    assert everybody["mean"] == pytest.approx(376.3, abs=0.05)
    error = (everybody["mean_upper"] - everybody["mean"]) / 1.959964
    assert error == pytest.approx(19.7, abs=0.05)
    assert survival_by(spells, "sex").groups["median"].tolist() == [270, 426]


def test_survival_of_the_leukaemia_data():
    """Miller (1981): maintained chemotherapy; survfit and survdiff of R's `aml`."""
    data = r_data("survival", "leukemia")
    spells = read_spells(
        pd.DataFrame({"tenure": data["time"], "ended": data["status"] == 1, "x": data["x"]})
    )
    curves = survival_by(spells, "x").curves
    kept = curves[curves["group"] == "Maintained"]
    survival = [1, 0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184]
    assert kept["survival"].to_numpy() == pytest.approx(survival, abs=THREE)
    errors = [0, 0.0867, 0.1163, 0.1397, 0.1526, 0.1642, 0.1627, 0.1535]
    assert kept["standard_error"].to_numpy() == pytest.approx(errors, abs=FOUR)
    test = log_rank(spells, "x")
    assert (test.statistic, test.p_value) == pytest.approx((3.4, 0.0653), abs=5e-3)


def test_hazard_ratios_by_reason_of_the_aids_data():
    """Putter, Fiocco & Geskus (2007), section 4.1: cause-specific hazards of CCR5."""
    data = r_data("mstate", "aidssi")
    data = data[data["ccr5"].notna()]
    table = pd.DataFrame(
        {
            "tenure": data["time"],
            "ended": data["status"] > 0,
            "reason": data["cause"],
            "ccr5": pd.Categorical(data["ccr5"], ["WW", "WM"]),
        }
    )
    found = fit_cox_by_reason(read_spells(table), ["ccr5"]).to_frame().set_index("reason")
    expected = {"AIDS": (-1.236, 0.307), "SI": (-0.254, 0.238)}
    for reason, numbers in expected.items():
        row = found.loc[reason, ["coefficient", "standard_error"]].to_numpy(float)
        assert row == pytest.approx(numbers, abs=THREE)


def churn_spells(kept=slice(None)):
    data = r_data("modeldata", "wa_churn")[kept]
    return read_spells(
        pd.DataFrame(
            {"tenure": data["tenure"], "ended": data["churn"] == "Yes", "plan": data["contract"]}
        )
    )


def test_log_rank_of_contracts_on_wa_churn():
    """As lifelines prints it on the same data: 2352.87 on 2 degrees of freedom."""
    test = log_rank(churn_spells(), "plan")
    assert test.statistic == pytest.approx(2352.87, abs=0.005)
    assert test.degrees == 2 and test.p_value == chi2.sf(test.statistic, 2)


def test_survival_of_monthly_contracts_on_wa_churn():
    """Customers with internet and no term, a published exercise with lifelines: median 34."""
    data = r_data("modeldata", "wa_churn")
    monthly = (data["contract"] == "Month-to-month") & (data["internet_service"] != "No")
    spells = churn_spells(monthly)
    assert (spells.customers, spells.left) == (3351, 1556)
    result = survival_by(spells)
    assert result.groups["median"].iloc[0] == 34
    for tenure, share in {6: 0.7803, 12: 0.6950, 24: 0.5753, 48: 0.3872, 60: 0.2890}.items():
        found = result.survival("all customers", tenure).estimate
        assert found == pytest.approx(share, abs=FOUR)
