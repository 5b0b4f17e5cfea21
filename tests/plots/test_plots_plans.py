"""Figures of account plans: titles from the result, long names, many accounts, few parts."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

ACTS = ("one responsible", "discount", "relationship level", "contacts", "next need")
LONG = "Verlängerungsbau 电话 $x_1$ & Söhne, Werk "


@dataclass(frozen=True)
class Plans:
    """What the figures read of plans."""

    frame: pd.DataFrame
    actions: pd.DataFrame
    total: Estimate | None
    horizon: int | None = 36
    by: str = "profit"
    value_name: str = "profit"
    potential_of: str = "profit"
    potential_months: float | None = 36.0
    currency: str = "EUR"
    simulated: bool = True
    missing: dict[str, str] = field(default_factory=dict)


def made(n=10, names="Account {}", kinds=3, acts=True, intervals=True):
    generator = np.random.default_rng(n)
    now = np.sort(generator.lognormal(10, 1, n))[::-1]
    promised = now * generator.uniform(0.05, 0.6, n)
    wide = promised * generator.uniform(0.2, 1.8, n) if intervals else np.full(n, np.nan)
    first = [ACTS[i % kinds] for i in range(n)] if acts else [None] * n
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "label": [names.format(i) for i in range(n)],
            "rank": range(1, n + 1), "value_now": now,
            "potential": now * 2, "potential_lower": now * (1.5 if intervals else np.nan),
            "potential_upper": now * (3 if intervals else np.nan),
            "action_1": first, "promised": promised if acts else np.nan,
            "promised_lower": promised - wide, "promised_upper": promised + wide,
            "promised_plain": 1.2 * promised,
        }
    )  # fmt: skip
    rows = pd.DataFrame({"customer_id": frame["customer_id"], "place": 1, "action": first})
    more = rows.assign(place=2, action="a further action with a name of some length")
    sums = [
        float(frame[c].sum(skipna=False)) for c in ("promised", "promised_lower", "promised_upper")
    ]
    total = Estimate(*sums, "EUR", n, "drawn") if acts else None
    return Plans(frame, pd.concat([rows, more]), total)


def test_the_map_says_how_plans_differ():
    ax = plots.account_plan_map(made())
    check_figure(ax)
    assert title(ax).startswith("Plans differ: of 10 accounts, one responsible first for 4,")
    assert "simulated" in ax.get_xlabel() and "(EUR" in ax.get_xlabel()
    assert "36 months ahead" in ax.get_ylabel()
    keys = [text.get_text() for text in ax.get_legend().get_texts()]
    assert keys[-1] == "stays, and brings as much as last year" and len(keys) == 4
    many = plots.account_plan_map(made(kinds=5))
    assert title(many).endswith("discount first for 2 and 3 other actions")
    one = drawn(plots.account_plan_map(made(kinds=1)))
    assert title(one) == "One answer for all: one responsible first for 10 of 10 accounts"


@pytest.mark.parametrize("n", [1, 18])
def test_few_and_many_accounts_with_long_names_stay_within_the_edges(n):
    many = made(n, LONG + "{}", kinds=5)
    check_figure(plots.account_plan_map(many))
    check_figure(plots.account_promise_dots(many))


def test_a_map_without_actions_or_horizon():
    bare = made(acts=False, intervals=False)
    ax = plots.account_plan_map(
        Plans(bare.frame, bare.actions, None, potential_months=None, simulated=False)
    )
    check_figure(ax)
    assert "first" not in title(ax) and "to come" in ax.get_ylabel()
    assert "simulated" not in plots.description(ax) + ax.get_xlabel()
    with pytest.raises(ValueError, match="the plans have no actions"):
        plots.account_promise_dots(bare)
    empty = Plans(bare.frame.assign(potential=np.nan), bare.actions, None)
    with pytest.raises(ValueError, match="no account has a potential value to draw"):
        plots.account_plan_map(empty)


def test_promises_say_how_many_are_sure():
    plans = made()
    ax = plots.account_promise_dots(plans)
    check_figure(ax)
    sure = int((plans.frame["promised_lower"] > 0).sum())
    assert f"for {sure} of 10 accounts the interval lies above 0" in title(ax)
    order = [label.get_text() for label in ax.get_yticklabels()]
    ranked = plans.frame.sort_values("promised")["label"].tolist()
    assert order == ranked
    assert "over 36 months (EUR, simulated)" in ax.get_xlabel()
    bare = drawn(plots.account_promise_dots(made(intervals=False)))
    assert title(bare).startswith("The plans promise ") and "interval" not in title(bare)


def test_no_action_pays():
    plans = made(3)
    nothing = plans.frame.assign(promised=0.0, promised_lower=0.0, promised_upper=0.0)
    nothing = nothing.assign(promised_plain=0.0, action_1=None)
    idle = Plans(nothing, plans.actions[:0], Estimate(0, 0, 0, "EUR", 3, "drawn"))
    ax = plots.account_promise_dots(idle)
    check_figure(ax)
    assert title(ax).startswith("No action promises more than going on as today")
    assert "no action pays" in title(plots.account_plan_map(idle))
    some = plans.frame.assign(promised=[1.0, np.nan, 2.0])
    told = plots.description(plots.account_promise_dots(Plans(some, plans.actions, plans.total)))
    assert "of 2 accounts" in told
    assert "no action weighed" in plots.description(
        plots.account_plan_map(Plans(some, plans.actions, plans.total))
    )


@pytest.mark.parametrize("name", ["account_plan_map", "account_promise_dots"])
def test_axes_given_are_drawn_into(name, monkeypatch):
    check_given_axes(lambda ax: getattr(plots, name)(made(4), ax), monkeypatch)
