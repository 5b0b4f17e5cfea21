"""Plain estimates on what is behind the answers recover the stated truth, with their intervals."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.simulate import (
    CONSTRUCTS,
    LATENTS,
    Measurement,
    Observation,
    Policy,
    Truth,
    observe,
    simulate_company,
)
from keycustomer.simulate.company import Company
from keycustomer.simulate.questionnaire import ITEMS
from keycustomer.simulate.rating import slopes
from keycustomer.simulate.vocabulary import ATTRIBUTES, DIMENSIONS, LEVELS, SEGMENTS

ACCOUNTS, MONTHS = 1_500, 36
STANDARD_ERRORS = 4.5  # of several hundred comparisons the furthest lies near four
BLOCKS = 30
NOMINAL = 0.95
# 30 blocks of 4 coefficients: the share covered has a standard error of two points if they were
# independent, and somewhat more since they are not
COVERED = (0.88, 0.99)


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate_company(ACCOUNTS, MONTHS, seed=11)


@pytest.fixture(scope="module")
def truth(company: Company) -> Truth:
    return company.truth


@pytest.fixture(scope="module")
def seen(company: Company) -> Observation:
    return observe(company)


def paths(truth: Truth, target: str, wave: str = "all") -> pd.Series:
    own = truth.paths.query("target == @target and wave == @wave")
    return own.set_index("source")["coefficient"]


def robust_regression(outcome: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with standard errors that allow unequal variances (White 1980, HC1)."""
    full = np.column_stack([np.ones(len(outcome)), design])
    inverse = np.linalg.inv(full.T @ full)
    found = inverse @ full.T @ outcome
    scores = full * (outcome - full @ found)[:, None]
    n, k = full.shape
    covariance = inverse @ (scores.T @ scores) @ inverse * n / (n - k)
    return found[1:], np.sqrt(np.diag(covariance))[1:]


def test_regression_on_true_scores_finds_every_path(truth: Truth) -> None:
    for target in ("loyalty", "trust", "commitment"):
        stated = paths(truth, target)
        one = truth.latents.query("wave == 1")
        found, error = robust_regression(one[target].to_numpy(), one[list(stated.index)].to_numpy())
        assert np.abs((found - stated) / error).max() < STANDARD_ERRORS, target


def test_satisfaction_regresses_on_value_with_the_mean_weights(truth: Truth) -> None:
    for wave in ("1", "2", "3"):
        own = truth.latents[truth.latents["wave"].astype(str) == wave]
        found, error = robust_regression(
            own["satisfaction"].to_numpy(), own[list(DIMENSIONS)].to_numpy()
        )
        # Weights and values share a little (a partner sees more of its manager): a few hundredths.
        off = np.abs(found - paths(truth, "satisfaction", wave)) - STANDARD_ERRORS * error
        assert off.max() < 0.03


def test_the_column_regression_is_least_squares(truth: Truth) -> None:
    own = truth.latents
    design = np.column_stack([np.ones(len(own)), own[list(DIMENSIONS)]])
    found = np.linalg.lstsq(design, own["satisfaction"].to_numpy(), rcond=None)[0][1:]
    stated = truth.paths.query("target == 'satisfaction' and wave == 'all'")["regression"]
    assert stated.to_numpy() == pytest.approx(found)


def test_intervals_of_the_loyalty_paths_cover_the_truth(truth: Truth) -> None:
    stated = paths(truth, "loyalty")
    one = truth.latents.query("wave == 1").reset_index(drop=True)
    covered = []
    for block in np.array_split(one.index.to_numpy(), BLOCKS):
        part = one.loc[block]
        found, error = robust_regression(
            part["loyalty"].to_numpy(), part[list(stated.index)].to_numpy()
        )
        covered += list(np.abs(found - stated) < 2.01 * error)
    assert COVERED[0] <= np.mean(covered) <= COVERED[1]


def test_propensities_load_as_stated(truth: Truth, seen: Observation) -> None:
    propensity, latents = [], []
    for wave in seen.waves:
        there = wave.chance > 0
        propensity.append(wave.propensity[there])
        latents.append(wave.opinions.latents[there])
    found = np.corrcoef(np.vstack(propensity).T, np.vstack(latents).T)
    stated = truth.loadings.set_index("item")["loading"]
    for place, item in enumerate(ITEMS):
        own = found[place, len(ITEMS) + LATENTS.index(item.construct)]
        error = (1 - stated[item.name] ** 2) / np.sqrt(ACCOUNTS)
        assert own == pytest.approx(stated[item.name], abs=STANDARD_ERRORS * error)


def test_a_factor_of_three_propensities_has_the_stated_loadings(
    truth: Truth, seen: Observation
) -> None:
    wave = seen.waves[0]
    names = [item.name for item in ITEMS]
    there = wave.chance > 0
    stated = truth.loadings.set_index("item")["loading"]
    for items in CONSTRUCTS.values():
        r = np.corrcoef(wave.propensity[there][:, [names.index(item) for item in items]].T)
        # one factor and three items leave no choice
        found = [
            np.sqrt(r[0, 1] * r[0, 2] / r[1, 2]),
            np.sqrt(r[0, 1] * r[1, 2] / r[0, 2]),
            np.sqrt(r[0, 2] * r[1, 2] / r[0, 1]),
        ]
        assert found == pytest.approx(stated[list(items)].to_numpy(), abs=0.08)


def test_answers_share_with_the_construct_what_the_truth_says(
    truth: Truth, seen: Observation
) -> None:
    """Intervals of correlations (Fisher's z) cover the computed ones."""
    stated = truth.loadings.set_index("item")["validity"]
    covered = []
    for wave in seen.waves:
        there = np.flatnonzero(wave.chance > 0)
        for block in np.array_split(there, BLOCKS // 3):
            for item in ITEMS:
                answers = wave.answers[item.name][block]
                scores = wave.opinions.latents[block, LATENTS.index(item.construct)]
                known = ~np.isnan(answers)
                r = np.corrcoef(answers[known], scores[known])[0, 1]
                z = np.arctanh(r) - np.arctanh(stated[item.name])
                covered.append(abs(z) < 1.96 / np.sqrt(known.sum() - 3))
    assert COVERED[0] <= np.mean(covered) <= COVERED[1]


def test_indirect_effects_multiply_paths(truth: Truth) -> None:
    table = truth.indirect_effects
    for wave in ("1", "all"):
        own = table[table["wave"] == wave].set_index("source")
        first, then = paths(truth, "satisfaction", wave), paths(truth, "loyalty", wave)
        assert own["indirect"].to_numpy() == pytest.approx(
            (first * then["satisfaction"]).reindex(own.index).to_numpy()
        )
        assert own.loc["social", "direct"] == then["social"] > 0
        assert own.loc["sacrifice", "total"] < 0 == own.loc["sacrifice", "direct"]


def test_needs_drift_over_the_waves(truth: Truth) -> None:
    mean = truth.weights.query("segment == 'all'").pivot(
        index="wave", columns="dimension", values="weight"
    )
    assert mean["functional"].is_monotonic_decreasing
    assert mean["convenience"].is_monotonic_increasing


def test_segments_weigh_what_they_are_named_for(truth: Truth) -> None:
    one = truth.weights.query("wave == '1'").pivot(
        index="segment", columns="dimension", values="weight"
    )
    top = one.loc[list(SEGMENTS)].idxmax(axis=1)
    assert top.to_dict() == {
        "reliability seekers": "functional",
        "price-driven": "sacrifice",
        "partners": "social",
        "innovators": "experiential",
    }


def test_price_is_stated_higher_than_it_ranks(truth: Truth) -> None:
    own = truth.importance.query("segment == 'all' and wave == '1'").set_index("attribute")
    assert own.loc["price", "stated_rank"] == 1 < own.loc["price", "rank"]
    social = ["affinity", "recognition"]
    assert (own.loc[social, "stated_rank"] > own.loc[social, "rank"]).all()
    assert set(own.index) == set(ATTRIBUTES)


def test_the_dissatisfied_keep_silent(truth: Truth) -> None:
    response = truth.response
    assert (response["satisfaction_of_respondents"] > response["satisfaction_of_all"] + 0.1).all()
    assert response["share"].between(0.3, 0.65).all()
    expected = truth.latents.groupby("wave")["response_chance"].mean()
    assert response["share"].to_numpy() == pytest.approx(expected.to_numpy(), abs=0.06)


def test_what_is_worth_money_is_worth_what_segments_say(truth: Truth) -> None:
    own = truth.worths.query("segment != 'all' and attribute != 'energy'")
    assert (own["mean_worth"] - own["segment_worth"]).abs().max() < 2.0
    assert truth.accounts["elasticity"].lt(0).all()
    price_driven = truth.accounts.groupby("segment")["elasticity"].mean()
    assert price_driven.idxmin() == "price-driven"


def test_the_five_troubles_can_be_found_in_the_tables() -> None:
    """T8: the flag, the service, the agents, the price war, the large ones that leave."""
    tables = simulate_company(6_000, MONTHS, seed=1).tables()
    customers, lines = tables["customers"].set_index("customer_id"), tables["transactions"]
    lines = lines.assign(
        revenue=lines["price"] * lines["quantity"],
        margin=(lines["price"] - lines["unit_cost"]) * lines["quantity"],
        year=lines["date"].dt.year,
    )
    # a month's mean, since who leaves early has a small sum for that very reason
    bills = lines[lines["year"] == 2023].groupby(["customer_id", "order_id"])["revenue"].sum()
    first = bills.groupby("customer_id").mean()
    large = first >= first.quantile(0.8)
    # the flag: most of those called key are not large, most of the large are not called key
    flagged = customers["key_account"].reindex(first.index)
    assert large[flagged].mean() < 0.5 and flagged[large].mean() < 0.5
    # the service: levels hardly follow revenue
    level = tables["contracts"].groupby("customer_id")["relationship_level"].first()
    rank = level.map({name: k for k, name in enumerate(LEVELS)}).reindex(first.index)
    assert abs(rank.corr(first, method="spearman")) < 0.35
    # the agents: both claim an account, and it is recorded
    both = customers["manager"].notna() & customers["agent"].notna()
    assert both.mean() > 0.1 and (lines["channel"] == "agent and manager").mean() > 0.05
    # the price war: margins are thinner after it
    years = lines.groupby("year")[["margin", "revenue"]].sum()
    share = years["margin"] / years["revenue"]
    assert share[2025] < share[2023] - 0.02
    # the large leave more often than the others: the tenth that brings half of the revenue
    last = tables["contracts"].groupby("customer_id").tail(1).set_index("customer_id")
    gone = last["end"].notna().reindex(first.index)
    largest = first >= first.quantile(0.9)
    assert gone[largest].mean() > gone[~largest].mean() + 0.02


def test_another_policy_changes_opinions_and_no_chance(company: Company, seen: Observation) -> None:
    better = simulate_company(
        ACCOUNTS, MONTHS, seed=11, policy=Policy(quality={"hotline": 1.0}, name="better hotline")
    )
    before, after = seen.waves[-1], observe(better).waves[-1]
    there = company.panel.active[35] & better.panel.active[35]
    moved = after.opinions.latents[there] - before.opinions.latents[there]
    slope, _ = slopes(Measurement())
    column = [LATENTS.index(item.construct) for item in ITEMS]
    assert (after.propensity - before.propensity)[there] == pytest.approx(
        moved[:, column] * slope, abs=1e-9
    )
    assert moved[:, LATENTS.index("convenience")].mean() > 0.2
    assert (after.usage.shift == before.usage.shift).all()
    same = after.answers["kano_with_brand"] == before.answers["kano_with_brand"]
    assert same[there].mean() > 0.9  # all but those left out


def test_too_few_accounts_have_no_truth() -> None:
    with pytest.raises(ValueError, match=r"no spread; simulate more accounts"):
        _ = simulate_company(1, 1).truth


def test_frames_are_named_and_shown(truth: Truth, company: Company) -> None:
    frames = truth.frames()
    assert all(len(frame) for frame in frames.values())
    assert set(frames) >= {"parameters", "accounts", "latents", "paths", "loadings", "kano"}
    assert len(frames["accounts"]) == ACCOUNTS
    html = truth._repr_html_()
    assert "simulated" in html and "reliability" in html
    there = [company.panel.active[wave].sum() for wave in (11, 23, 35)]
    assert frames["latents"].groupby("wave").size().to_list() == there
