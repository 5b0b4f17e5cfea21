"""Recorded reasons of leaving: drawn by what drove the hazard, and changing nothing."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.simulate import (
    REASONS,
    Company,
    Parameters,
    reason_chances,
    recorded_reasons,
    simulate_company,
)
from keycustomer.simulate.leaving_reasons import RECORDED

ACCOUNTS, MONTHS = 3_000, 30
ERRORS = 4  # standard errors of a share; a right program exceeds them once in 16,000 seeds


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate_company(ACCOUNTS, MONTHS, seed=5)


@pytest.fixture(scope="module")
def left(company: Company) -> tuple[np.ndarray, np.ndarray]:
    """Last months and accounts of those who left."""
    number = np.flatnonzero(company.panel.left < MONTHS)
    return company.panel.left[number].astype(int), number


def test_chances_are_probabilities_in_every_account_month(company: Company) -> None:
    chances = reason_chances(company, *np.nonzero(company.panel.active))
    assert chances.shape == (company.panel.active.sum(), len(REASONS))
    assert (chances >= 0).all() and chances[:, REASONS.index("closed or moved")].min() > 0
    assert chances.sum(axis=1) == pytest.approx(1)


def test_recorded_reasons_follow_their_chances(
    company: Company, left: tuple[np.ndarray, np.ndarray]
) -> None:
    recorded = recorded_reasons(company)[left[1]]
    expected = RECORDED * reason_chances(company, *left)
    shares = np.array([(recorded == code).mean() for code in range(len(REASONS))])
    spread = np.sqrt((expected * (1 - expected)).sum(axis=0)) / len(recorded)
    assert (np.abs(shares - expected.mean(axis=0)) < ERRORS * spread).all()
    assert (shares > 0.05).all()  # every reason occurs often enough for an exercise


def test_nobody_who_stays_has_a_reason(company: Company) -> None:
    assert (recorded_reasons(company)[company.panel.left >= MONTHS] == -1).all()


def test_without_an_offer_nobody_names_one(
    company: Company, left: tuple[np.ndarray, np.ndarray]
) -> None:
    chances = reason_chances(company, *left)[:, REASONS.index("competitor offer")]
    assert ((chances > 0) == company.panel.offer[left]).all()


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("competitor offer", {"churn.offer": 0.0}),
        ("service", {"churn.loyalty": 0.0, "churn.unresolved": 0.0, "churn.conflict": 0.0}),
        ("price", {"needs.discount_response": 0.0}),
    ],
)
def test_what_does_not_drive_the_hazard_is_not_named(
    reason: str, changes: dict[str, float]
) -> None:
    other = simulate_company(500, 24, seed=5, parameters=Parameters().but(changes))
    assert (other.panel.left < 24).any()
    assert (recorded_reasons(other) != REASONS.index(reason)).all()


def test_contracts_carry_the_reason_on_the_last_row_of_who_left(
    company: Company, left: tuple[np.ndarray, np.ndarray]
) -> None:
    contracts = company.tables()["contracts"]
    final = ~contracts["customer_id"].duplicated(keep="last") & contracts["end"].notna()
    assert final.sum() == len(left[1])
    assert contracts.loc[~final, "reason"].isna().all()
    codes = recorded_reasons(company)[left[1]]
    words = pd.Series([REASONS[code] if code >= 0 else None for code in codes], dtype="str")
    pd.testing.assert_series_equal(
        contracts.loc[final, "reason"].reset_index(drop=True), words, check_names=False
    )


def test_the_first_accounts_of_a_larger_company_have_the_same_reasons(company: Company) -> None:
    fewer = simulate_company(ACCOUNTS // 10, MONTHS, seed=5)
    assert (recorded_reasons(fewer) == recorded_reasons(company)[: ACCOUNTS // 10]).all()
