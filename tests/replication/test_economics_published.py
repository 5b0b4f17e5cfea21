"""Published figures of relationship economics: Pfeifer & Carraway, Pfeifer, Gupta & Lehmann."""

import pytest
from keycustomer.lifetime import recency_chain
from keycustomer.relationships import best_spending, calibrate_response, level_worth, policy_value

THREE_DIGITS = 0.00051  # printed with three decimals
ONE_DIGIT = 0.051

MAILING = recency_chain([0.3, 0.2, 0.15, 0.05], 40.0, 4.0)


def test_pfeifer_and_carraway_value_a_mailing_policy():
    found = policy_value(MAILING, 0.2).frame
    printed = [52.320, 5.554, 1.251, -1.820, 0]
    assert found["value"].tolist() == pytest.approx(printed, abs=THREE_DIGITS)
    four = policy_value(MAILING, 0.2, horizon=4).frame
    printed = [50.115, 4.220, 0.592, -1.980, 0]
    assert four["value"].tolist() == pytest.approx(printed, abs=THREE_DIGITS)


def test_pfeifer_and_carraway_stop_mailing_after_three_periods():
    found = policy_value(MAILING, 0.2).frame.set_index("state")
    assert found.loc["recency 1", "best_value"] == pytest.approx(53.149, abs=THREE_DIGITS)
    assert found.index[found["best_action"] == "give up"].tolist() == ["recency 4"]
    stopped = policy_value(MAILING, 0.2, policy={"recency 4": "give up"}).frame
    assert stopped["value"].iloc[0] == pytest.approx(53.149, abs=THREE_DIGITS)


@pytest.mark.parametrize("margin", [50, 100])
def test_pfeifer_finds_one_marginal_cost_for_winning_and_keeping(margin):
    """In Blattberg & Deighton's model both equal the lifetime value (Pfeifer 2005)."""
    best = best_spending(
        margin,
        calibrate_response(5, 0.20, 0.40),
        calibrate_response(10, 0.40, 0.70),
        discount_rate=0.15,
    )
    assert best.marginal_acquisition_cost == pytest.approx(best.lifetime_value, rel=1e-9)
    assert best.marginal_retention_cost == pytest.approx(best.lifetime_value, rel=1e-9)
    # the averages are neither equal nor near it: the "five times" of folklore is not a sign
    ratio = best.average_acquisition_cost / best.average_retention_cost
    assert ratio == pytest.approx({50: 1.04, 100: 1.05}[margin], abs=0.01)
    assert best.average_acquisition_cost < 0.55 * best.lifetime_value


def test_gupta_and_lehmann_multiple():
    """At a retention of 90 % and a rate of 10 %, 4.5 margins are to come after the first."""
    worth = level_worth([1.0], [0.9], [0.0], labels=("any",), unit="year", discount_rate=0.1)
    assert worth.value[0, 0] - 1 == pytest.approx(4.5, abs=ONE_DIGIT)
