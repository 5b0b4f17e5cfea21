"""Survival by group, log-rank test and reasons, against sums by hand and other programs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime import survival_curve
from keycustomer.relationships import (
    NOT_RECORDED,
    fit_cox,
    incidence_by_reason,
    log_rank,
    read_spells,
    survival_by,
)
from survival_spells_made import in_pieces, known_hazards, tied_spells

EXACT = 1e-12  # sums in another order
FEW = 8  # examples of a property

seeds = st.integers(0, 10_000)


def by_hand(table: pd.DataFrame) -> dict[float, float]:
    """Kaplan and Meier's estimate, customer by customer."""
    survival, found = 1.0, {}
    for time in sorted(set(table.loc[table["ended"], "tenure"])):
        there = ((table["entry"] < time) & (table["tenure"] >= time)).sum()
        left = (table["ended"] & (table["tenure"] == time)).sum()
        survival *= 1 - left / there
        found[float(time)] = survival
    return found


@settings(max_examples=FEW)
@given(seeds)
def test_survival_is_that_by_hand(seed: int) -> None:
    table = tied_spells(seed)
    curve = survival_by(read_spells(table)).curves.iloc[1:]
    found = dict(zip(curve["tenure"], curve["survival"], strict=True))
    assert found == pytest.approx(by_hand(table), abs=EXACT)


@settings(max_examples=FEW)
@given(seeds)
def test_pieces_of_spells_change_nothing(seed: int) -> None:
    table = tied_spells(seed)
    whole, cut = read_spells(table), read_spells(in_pieces(table))
    assert whole.customers == cut.customers and whole.left == cut.left
    columns = ["tenure", "at_risk", "left", "survival", "standard_error"]
    curves = [survival_by(s, "plan").curves[columns] for s in (whole, cut)]
    first = curves[0]["survival"] == 1  # the start row counts who is seen from there on
    np.testing.assert_allclose(curves[0][~first], curves[1][~first], rtol=1e-12)
    tests = [log_rank(s, "plan").statistic for s in (whole, cut)]
    assert tests[0] == pytest.approx(tests[1], abs=1e-9)


def test_seen_from_the_start_it_is_the_curve_of_lifetime() -> None:
    table = tied_spells(3).assign(entry=0.0)
    table["tenure"] = table["tenure"].clip(lower=1)
    mine = survival_by(read_spells(table)).curves
    theirs = survival_curve(table[["tenure", "ended"]]).curve.set_index("renewal")
    own = mine[mine["left"] > 0]
    for name in ("survival", "standard_error", "lower", "upper"):
        expected = theirs.loc[own["tenure"].astype(int), name]
        assert own[name].to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)


def test_log_rank_is_the_score_test_of_cox() -> None:
    """Without ties the log-rank test is the score test of a group in a Cox regression."""
    spells = known_hazards(1, 150, 0.0)
    frame = spells.frame.assign(group=np.where(spells.frame["x"] > 0, "b", "a"))
    test = log_rank(read_spells(frame), "group")
    one = fit_cox(read_spells(frame.assign(flag=(frame["group"] == "b").astype(float))), ["flag"])
    # at 0 the score is observed less expected, the information the variance: close to the Wald test
    assert test.statistic == pytest.approx(float(one.to_frame()["z"].iloc[0]) ** 2, rel=0.1)
    assert test.frame["left"].sum() == test.frame["expected"].sum() == pytest.approx(spells.left)


def test_strata_compare_like_with_like() -> None:
    """Large customers leave more and have the plan more often: within size it does nothing."""
    rng = np.random.default_rng(4)
    large = rng.random(3_000) < 0.5
    plan = np.where(rng.random(3_000) < np.where(large, 0.8, 0.2), "long", "short")
    tenure = np.ceil(rng.exponential(np.where(large, 12, 30)))
    table = pd.DataFrame({"tenure": tenure, "ended": True, "plan": plan, "large": large})
    naive, within = (log_rank(read_spells(table), "plan", strata=s) for s in (None, "large"))
    assert naive.p_value < 1e-6
    assert within.p_value > 0.01
    assert "within large" in within.sentence()


def test_ignoring_late_entries_makes_survivors_look_loyal() -> None:
    spells = known_hazards(5, 4_000, 0.0)
    true = np.exp(-0.05 * 24)
    right = survival_by(spells).survival("all customers", 24)
    wrong = survival_by(spells.as_if_seen_from_the_start()).survival("all customers", 24)
    assert right.lower < true < right.upper
    assert wrong.lower > true + 0.05


def test_intervals_cover() -> None:
    """95 % intervals at 20 months over 80 bases: 4 standard errors around the nominal level."""
    true = np.exp(-0.05 * 20)
    held = []
    for seed in range(80):
        found = survival_by(known_hazards(seed, 120, 0.0)).survival("all customers", 20)
        held.append(found.lower <= true <= found.upper)
    assert abs(np.mean(held) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 80)


def test_restricted_mean_is_the_area() -> None:
    table = pd.DataFrame({"tenure": [1.0, 2.0, 4.0, 4.0], "ended": [True, True, True, False]})
    result = survival_by(read_spells(table), until=4)
    # 1 for a month, 3/4 for the next, 1/2 for two more
    assert result.groups["mean"].iloc[0] == pytest.approx(2.75)
    assert result.groups["median"].iloc[0] == 2
    assert result.survival("all customers", 1.5).estimate == 0.75
    assert result.survival("all customers", 0.5).estimate == 1


def test_since_tells_of_those_who_have_stayed() -> None:
    spells = known_hazards(6, 2_000, 0.0)
    whole, later = survival_by(spells), survival_by(spells, since=10)
    ratio = (
        whole.survival("all customers", 20).estimate / whole.survival("all customers", 10).estimate
    )
    assert later.survival("all customers", 20).estimate == pytest.approx(ratio, rel=1e-12)


def test_thin_starts_are_told() -> None:
    table = pd.DataFrame({"entry": [0.0] * 3 + [5.0] * 40, "tenure": [1.0] * 3 + [9.0] * 40})
    result = survival_by(read_spells(table.assign(ended=True)))
    assert "only 3 customers were at risk at 1 months" in result.notes[0]
    assert "only 3 customers" in result._repr_html_()


def test_unknown_groups_are_a_group() -> None:
    table = tied_spells(1).assign(plan=lambda t: t["plan"].where(t["plan"] == "x"))
    groups = survival_by(read_spells(table), "plan").groups
    assert groups["group"].tolist() == ["x", "not known"]
    assert groups["customers"].sum() == len(table)


def test_what_cannot_be_compared_is_told() -> None:
    spells = read_spells(tied_spells(1))
    stay = read_spells(tied_spells(1).assign(ended=False))
    with pytest.raises(ValueError, match=r"by='tier': the spells have no such column.*age"):
        survival_by(spells, "tier")
    with pytest.raises(ValueError, match=r"by='age' has 60 values, more than 30"):
        log_rank(spells, "age")
    with pytest.raises(ValueError, match=r"all customers are in one group, 'one'"):
        log_rank(read_spells(tied_spells(1).assign(plan="one")), "plan")
    with pytest.raises(ValueError, match="nobody left"):
        log_rank(stay, "plan")
    with pytest.raises(ValueError, match="since=99: nobody was seen after it"):
        survival_by(spells, since=99)
    with pytest.raises(ValueError, match="until=1 must lie after since=2"):
        survival_by(spells, since=2, until=1)
    with pytest.raises(KeyError, match="no group 'z'; there is: x, y"):
        survival_by(spells, "plan").survival("z", 3)
    alone = survival_by(stay, "plan")
    assert alone.test is None and (alone.groups["mean"] == alone.until).all()


@settings(max_examples=FEW)
@given(seeds)
def test_reasons_add_up_to_all_who_left(seed: int) -> None:
    spells = read_spells(tied_spells(seed))
    result = incidence_by_reason(spells)
    summed = result.curves.groupby("tenure")["incidence"].sum()
    survival = survival_by(spells).curves.iloc[1:].set_index("tenure")["survival"]
    assert summed.to_numpy() == pytest.approx(1 - survival.to_numpy(), abs=EXACT)
    assert (result.curves["alone"] >= result.curves["incidence"] - EXACT).all()


def test_one_reason_alone_is_the_survival_curve() -> None:
    table = tied_spells(8).assign(reason="price")
    found = incidence_by_reason(read_spells(table)).curves
    curve = survival_by(read_spells(table)).curves.iloc[1:]
    kept = curve["survival"] > 0
    expected = curve.loc[kept, "standard_error"].to_numpy()
    assert found["standard_error"].to_numpy()[kept] == pytest.approx(expected, abs=1e-9)
    assert found["incidence"].to_numpy() == pytest.approx(1 - curve["survival"].to_numpy())


def test_standard_errors_of_reasons_are_those_of_the_bootstrap() -> None:
    table = tied_spells(2, n=400)
    rng = np.random.default_rng(1)
    drawn = [
        incidence_by_reason(read_spells(table.iloc[rng.integers(0, 400, 400)].assign(
            customer_id=np.arange(400)))).incidence("price", 4).estimate
        for _ in range(40)
    ]  # fmt: skip
    curves = incidence_by_reason(read_spells(table)).curves
    at = curves[(curves["reason"] == "price") & (curves["tenure"] <= 4)].iloc[-1]
    # 40 draws tell a standard deviation to 11 %, three of them
    assert at["standard_error"] == pytest.approx(np.std(drawn), rel=0.33)


def test_missing_reasons_are_counted_as_such() -> None:
    table = tied_spells(9)
    table.loc[table.index[:20], "reason"] = None
    result = incidence_by_reason(read_spells(table))
    assert result.reasons[-1] == NOT_RECORDED
    counts = result.curves.groupby("reason")["left"].sum()
    assert counts.sum() == table["ended"].sum()
    assert "no reason is recorded" in result.notes[-1]
    with pytest.raises(ValueError, match="no reason is recorded for anybody"):
        incidence_by_reason(read_spells(table.assign(reason=None)))
    with pytest.raises(ValueError, match="nobody left"):
        incidence_by_reason(read_spells(table.assign(ended=False)))


def test_incidence_by_group_and_time() -> None:
    result = incidence_by_reason(read_spells(tied_spells(2)), "plan")
    first = result.at(0.5)
    assert (first["incidence"] == 0).all() and len(first) == 4
    found = result.incidence("service", 5, "y")
    assert found.lower < found.estimate < found.upper
    with pytest.raises(KeyError, match="no reason 'moved' in group 'x'"):
        result.incidence("moved", 5)
    assert "Reasons of those who left: " in result._repr_html_()
