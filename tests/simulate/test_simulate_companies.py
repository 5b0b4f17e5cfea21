"""Companies run side by side, with what happened in them, are the same as one by one."""

from dataclasses import fields

import numpy as np
import pytest
from keycustomer.simulate import Outcome, Policy, policy_of_tools, simulate_company, together
from keycustomer.simulate.companies import companies_under
from keycustomer.simulate.panel import Panel

ROUNDING = 1e-5
"""Single precision of the panel; sums over another number of accounts differ in the last digits."""

POLICIES = {"as today": Policy(), "dearer": policy_of_tools(["pricing"], list_price=0.05)}


@pytest.mark.parametrize("at_once", [10_000, 60])
def test_side_by_side_is_the_same_as_one_by_one(at_once, monkeypatch):
    monkeypatch.setattr(together, "BLOCK", at_once)
    found = list(companies_under(POLICIES, [4, 2], 30, 14))
    assert len(found) == 4
    for name, company in found:
        alone = simulate_company(30, 14, company.settings.seed, policy=POLICIES[name])
        assert company.settings == alone.settings
        for field in fields(Panel):
            if field.name != "paths":
                one, other = (getattr(c.panel, field.name) for c in (company, alone))
                np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING)
        np.testing.assert_array_equal(company.panel.paths.cost_index, alone.panel.paths.cost_index)
        np.testing.assert_array_equal(company.panel.paths.list_index, alone.panel.paths.list_index)
        for field in fields(Outcome):
            one, other = (getattr(c.outcome, field.name) for c in (company, alone))
            np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING)
    tables = found[0][1].tables()
    assert len(tables["customers"]) == 30


def test_levers_for_single_accounts_are_refused():
    with pytest.raises(ValueError, match="given for each account"):
        list(companies_under({"one": Policy(discount=[0.0, 0.1])}, [1], 2, 12))
