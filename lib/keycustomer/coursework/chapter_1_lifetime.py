"""Exercises of chapter 1 on lifetime value: a fit by hand, a horizon, ten customers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from keycustomer.coursework.made_up import ten_customers
from keycustomer.coursework.registry import CaseData, exercise
from keycustomer.customers.answers import ranked
from keycustomer.lifetime import (
    BgNbd,
    HoldoutSplit,
    calibration_end,
    fit_bgnbd,
    fit_gammagamma,
    fit_mbgnbd,
    read_histories,
    split_holdout,
)

LATE, EARLY = "F", "H"
"""One who came late in the window, and one who came often and early."""

LONGEST = 520
"""Weeks ahead looked at: ten years."""


def _fitted() -> BgNbd:
    return fit_bgnbd(read_histories(ten_customers(), recorded_in="week"))


def _of(name: str, value: Callable[[pd.DataFrame], np.ndarray]) -> float:
    """Give a value of one of the ten customers; the models want days."""
    table = ten_customers().set_index("customer_id")
    days = table.assign(recency=7 * table["recency"], T=7 * table["T"])
    return float(pd.Series(value(days), index=table.index)[name])


@exercise("1.7", "share")
def fit_by_hand(case: CaseData) -> float:
    """Probability that customer F is alive by the BG/NBD model fitted to the ten customers."""
    return _of(LATE, _fitted().probability_alive)


@fit_by_hand.trap("that is customer H; the question is about F")
def _of_the_other(case: CaseData) -> float:
    return _of(EARLY, _fitted().probability_alive)


@fit_by_hand.trap("that model lets customers leave before they come back once; fit the BG/NBD")
def _by_the_modified(case: CaseData) -> float:
    modified = fit_mbgnbd(read_histories(ten_customers(), recorded_in="week"))
    return _of(LATE, modified.probability_alive)


@fit_by_hand.trap("recency is the age at the last purchase, not the time since")
def _by_time_since(case: CaseData) -> float:
    turned = ten_customers().assign(
        recency=lambda t: np.where(t["frequency"] > 0, t["T"] - t["recency"], 0)
    )
    fitted = fit_bgnbd(read_histories(turned, recorded_in="week"))
    histories = read_histories(turned, recorded_in="week", keep_customers=True)
    return float(fitted.probability_alive(histories)[list(turned["customer_id"]).index(LATE)])


@exercise("1.8", "count")
def horizon_of_the_change(case: CaseData) -> int:
    """Weeks from now until F is expected to have overtaken H, past purchases included."""
    fitted = _fitted()

    def ahead(name: str, weeks: int) -> float:
        return _of(name, partial(fitted.expected_purchases, weeks))

    return _overtaken(ahead)


@horizon_of_the_change.trap("that goes on at F's past rate; F may leave, or have left")
def _at_the_past_rate(case: CaseData) -> int:
    rate = _so_far()[LATE] / float(ten_customers()["T"].iloc[0])
    return _overtaken(lambda name, weeks: rate * weeks if name == LATE else 0.0)


@horizon_of_the_change.trap("that is what a customer just won would buy; F has a history")
def _as_if_new(case: CaseData) -> int:
    fitted = _fitted()

    def ahead(name: str, weeks: int) -> float:
        return float(fitted.expected_purchases_new(float(weeks))) if name == LATE else 0.0

    return _overtaken(ahead)


def _so_far() -> dict[str, int]:
    """Repeat purchases of the ten customers."""
    table = ten_customers()
    return dict(zip(table["customer_id"], table["frequency"].tolist(), strict=True))


def _overtaken(ahead: Callable[[str, int], float]) -> int:
    """First whole week by which the late one has more, at most `LONGEST`."""
    behind = _so_far()[EARLY] - _so_far()[LATE]
    gained = (ahead(LATE, weeks) - ahead(EARLY, weeks) for weeks in range(1, LONGEST))
    return next((week for week, gain in enumerate(gained, 1) if gain > behind), LONGEST)


@exercise("1.9", "customers")
def ten_to_invest_in(case: CaseData) -> list[str]:
    """Find the ten customers expected to bring the most revenue in the holdout period."""
    split = _split(case)
    purchases = fit_bgnbd(split.calibration).expected_purchases(
        split.horizon("week"), split.calibration
    )
    spend = fit_gammagamma(split.calibration).expected_spend(split.calibration)
    return _best(split, purchases * spend)


@ten_to_invest_in.trap("these brought the most so far; who will bring the most is asked for")
def _by_past_revenue(case: CaseData) -> list[str]:
    split = _split(case)
    return _best(split, split.calibration["revenue"].to_numpy())


@ten_to_invest_in.trap("these will buy most often; weigh each purchase by what it brings")
def _by_purchases(case: CaseData) -> list[str]:
    split = _split(case)
    model = fit_bgnbd(split.calibration)
    return _best(split, model.expected_purchases(split.horizon("week"), split.calibration))


@ten_to_invest_in.trap("these did bring the most in the holdout period; at the cut nobody knew")
def _by_foresight(case: CaseData) -> list[str]:
    split = _split(case)
    return _best(split, split.revenue)


def _split(case: CaseData) -> HoldoutSplit:
    return split_holdout(case.base, calibration_end(case.base, case.parameters["calibration"]))


def _best(split: HoldoutSplit, value: np.ndarray) -> list[str]:
    frame = split.calibration[["customer_id"]].assign(value=value)
    return ranked(frame, "value")["customer_id"].tolist()[:10]
