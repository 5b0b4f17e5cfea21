"""Figures of choice models say what they found, stay legible with any names, and show nothing."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    LogitModel,
    MixedLogitModel,
    WillingnessToPay,
    WorthRecovery,
    fit_logit,
    fit_mixed_logit,
    held_out_choices,
    read_choices,
    willingness_to_pay,
    worth_recovery,
)
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "a very long $name$ of what the offer holds in this study, "


@pytest.fixture(scope="module")
def model() -> LogitModel:
    data = choice_sets.known_choices(80, 6, seed=1)
    group = pd.Series(
        {f"R{n}": f"a long name of the segment number {n % 4}" for n in range(80)}, name="segment"
    )
    rows = data.frame.drop(columns="is_none")
    known = read_choices(rows, levels=data.levels, traits=group, currency="EUR", simulated=True)
    return fit_logit(known, by="segment")


@pytest.fixture(scope="module")
def worths(model: LogitModel) -> WillingnessToPay:
    return willingness_to_pay(model)


@pytest.fixture(scope="module")
def mixed() -> MixedLogitModel:
    data = choice_sets.known_choices(80, 6, spread=20.0, seed=1)
    return fit_mixed_logit(data, draws=20)


@pytest.fixture(scope="module")
def recovery() -> WorthRecovery:
    return worth_recovery(2, 500, 6, methods=("logit", "mixed logit"), draws=10)


def test_worths_with_the_truth_beside_them(worths):
    truth = pd.DataFrame(
        {
            "group": "all",
            "attribute": ["service", "energy"],
            "level": ["person", "green"],
            "truth": list(choice_sets.WORTH.values()),
        }
    )
    ax = plots.worth_dots(worths, truth=truth)
    check_figure(ax)
    assert title(ax).startswith("Simulated: person (service) moves willingness to pay most")
    assert "truth (simulated)" in ax.get_legend_handles_labels()[1]


def test_worths_of_groups_side_by_side(worths):
    ax = plots.worth_dots(worths, groups=worths.groups[1:])
    check_figure(ax)
    assert "is worth" in title(ax)
    assert all(name in plots.description(ax) for name in worths.groups[1:])


def test_groups_that_cannot_be_drawn(worths):
    with pytest.raises(ValueError, match="give one to 4"):
        plots.worth_dots(worths, groups=worths.groups)
    with pytest.raises(ValueError, match="no group 'nobody'"):
        plots.worth_dots(worths, groups=["nobody"])


def made_up(rows: int, lower: float = -1.0) -> WillingnessToPay:
    """Many worths of awkward names, some without bounds and one that is not known."""
    worth = np.linspace(-3000.0, 9000.0, rows)
    worth[-1] = np.nan
    frame = pd.DataFrame(
        {
            "group": "all",
            "attribute": [f"{LONG}{n}" for n in range(rows)],
            "level": "one more",
            "reference": "",
            "willingness_to_pay": worth,
            "standard_error": 100.0,
            "lower": np.where(np.arange(rows) == 0, -np.inf, worth - 900),
            "upper": np.where(np.arange(rows) == 0, np.inf, worth + 900),
            "respondents": 9,
            "tasks": 90,
        }
    )
    return WillingnessToPay(frame, {"all": np.eye(rows)}, "fieller", 0.9, "CNY $")


@pytest.mark.parametrize("rows", [2, 24])
def test_long_names_and_many_levels(rows):
    check_figure(plots.worth_dots(made_up(rows)))


def test_spread_over_respondents(mixed):
    ax = plots.worth_spread_dots(mixed)
    check_figure(ax)
    assert title(ax).startswith("Simulated: respondents differ most about person (service)")
    assert "standard deviation" in plots.description(ax)


def test_errors_over_companies(recovery):
    ax = plots.worth_error_dots(recovery)
    check_figure(ax)
    assert title(ax).startswith("Simulated, 2 companies: at least")
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["mixed logit, all together", "logit, by segment", "logit, all together"]


def test_shares_of_choices_left_out(model):
    ax = plots.choice_share_dots(held_out_choices(model, folds=2))
    check_figure(ax)
    assert "of unseen choices named right" in title(ax)


def test_drawn_into_given_axes(worths, monkeypatch):
    check_given_axes(lambda ax: plots.worth_dots(worths, ax), monkeypatch)


def test_spread_drawn_into_given_axes(mixed, monkeypatch):
    check_given_axes(lambda ax: plots.worth_spread_dots(mixed, ax), monkeypatch)


def test_errors_drawn_into_given_axes(recovery, monkeypatch):
    check_given_axes(lambda ax: plots.worth_error_dots(recovery, ax), monkeypatch)


def test_shares_drawn_into_given_axes(model, monkeypatch):
    found = held_out_choices(model, folds=2)
    check_given_axes(lambda ax: plots.choice_share_dots(found, ax), monkeypatch)
