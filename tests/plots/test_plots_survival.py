"""Figures of survival: what they say, that they stay legible, and what cannot be drawn."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.relationships import (
    customer_months,
    fit_cox,
    incidence_by_reason,
    read_spells,
    survival_by,
    switching_costs,
    switching_over_companies,
    true_switching,
)
from keycustomer.simulate import simulate_company
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

FIRM = ("estimated_potential", "employees")
LONG = "customers of the $ service centre for {} of the whole region and its neighbours"


def spells(case):
    rng = np.random.default_rng(3)
    n = 6 if case == "tiny" else 600
    plans = ["monthly", "12 months", "24 months"]
    reasons = ["price", "service", "moved"]
    if case == "long names":
        plans, reasons = [LONG.format(p) for p in plans], [LONG.format(r) for r in reasons]
    plan = rng.choice(plans, n)
    tenure = rng.exponential(np.where(plan == plans[0], 20, 45), n)
    reason = rng.choice(np.array([*reasons, None], object), n)
    table = {"tenure": np.minimum(tenure, 48), "ended": tenure < 48, "plan": plan, "reason": reason}
    return read_spells(pd.DataFrame(table | {"size": rng.normal(size=n)}))


@cache
def operator():
    company = simulate_company(400, 24, seed=5)
    costs = switching_costs(customer_months(company), size=FIRM, draws=20)
    return costs, true_switching(400, 24, 5), switching_over_companies(2, 250, 24, draws=4)


def figure_of(name, case, ax=None):
    if name == "survival_curves":
        return plots.survival_curves(survival_by(spells(case), "plan"), ax)
    if name == "reason_layers":
        return plots.reason_layers(incidence_by_reason(spells(case)), ax)
    if name == "hazard_ratio_dots":
        covariates = ["size"] if case == "tiny" else ["plan", "size"]
        return plots.hazard_ratio_dots(fit_cox(spells(case), covariates), ax)
    costs, truth, compared = operator()
    if name == "switching_dots":
        return plots.switching_dots(costs, ax, truth=truth)
    return plots.switching_errors(compared, ax)


FIGURES = [
    (name, case)
    for name in ("survival_curves", "reason_layers", "hazard_ratio_dots")
    for case in ("usual", "long names", "tiny")
]
FIGURES += [("switching_dots", "usual"), ("switching_errors", "usual")]


@pytest.mark.parametrize(("name", "case"), FIGURES)
def test_figures_are_legible(name, case):
    check_figure(figure_of(name, case))


@pytest.mark.parametrize("name", [name for name, case in FIGURES if case == "usual"])
def test_figures_go_where_they_are_sent(name, monkeypatch):
    check_given_axes(lambda ax: figure_of(name, "usual", ax), monkeypatch)


def test_curves_say_who_stays():
    result = survival_by(spells("usual"), "plan")
    ax = plots.survival_curves(result, until=24)
    stay = {g: result.survival(g, 24).estimate for g in result.groups["group"]}
    assert title(ax).startswith("After 24 months")
    assert f"{100 * max(stay.values()):.0f} % of customers with plan" in title(ax)
    assert f"{100 * stay['monthly']:.0f} % with monthly" in title(ax)
    assert "Log-rank test of plan" in plots.description(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[2] == f"monthly: {100 * stay['monthly']:.0f} %"


def test_groups_that_may_differ_by_chance_are_called_so():
    frame = spells("usual").frame.assign(coin=["a", "b"] * 300)
    assert "may differ by chance" in title(
        plots.survival_curves(survival_by(read_spells(frame), "coin"))
    )
    alone = plots.survival_curves(survival_by(read_spells(frame)))
    assert "of customers are still there" in title(alone)


def test_layers_add_up_and_grey_is_unknown():
    result = incidence_by_reason(spells("usual"))
    ax = drawn(plots.reason_layers(result, until=36))
    rows = result.at(36)
    assert f"After 36 months {100 * rows['incidence'].sum():.0f} % have left" in title(ax)
    assert ax.get_legend().get_texts()[-1].get_text().startswith("not recorded")
    colours = [tuple(patch.get_facecolor()[0]) for patch in ax.collections]
    assert len(set(colours)) == 4
    assert "taken alone" in plots.description(ax)


def test_ratios_of_numbers_are_of_a_standard_deviation():
    model = fit_cox(spells("usual"), ["plan", "size"])
    ax = plots.hazard_ratio_dots(model)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "size (+1 sd)" and "plan=monthly" in labels
    step = np.exp(model.coefficients[-1] * model.spread[-1])
    assert f"size (+1 sd) {step:.2f}" in plots.description(ax)
    assert "plan=monthly goes with" in title(ax)


def test_no_sure_ratio_is_said():
    assert "No hazard ratio can be told from 1" in title(
        plots.hazard_ratio_dots(fit_cox(spells("usual"), ["size"]))
    )


def test_ties_are_told_with_their_truth():
    costs, truth, compared = operator()
    ax = plots.switching_dots(costs, truth=truth, what="months")
    most = costs.kept.iloc[:4].set_index("tie")["months"].idxmax()
    assert title(ax).startswith(f"Of single ties {most} kept most")
    assert f"in truth {truth['months'].iloc[0]:,.0f}" in plots.description(ax)
    without = plots.switching_dots(costs)
    assert "EUR of margin" in title(without) and "in truth" not in plots.description(without)
    assert "Simulated: taken naively" in title(plots.switching_errors(compared, what="margin"))


def test_what_cannot_be_drawn_is_told():
    frame = spells("usual").frame.assign(many=[str(n % 9) for n in range(600)])
    with pytest.raises(ValueError, match="9 groups: at most 7 curves"):
        plots.survival_curves(survival_by(read_spells(frame), "many"))
    with pytest.raises(ValueError, match="until=0 must lie after 0"):
        plots.survival_curves(survival_by(spells("usual")), until=0)
    with pytest.raises(ValueError, match="3 groups: draw one at a time"):
        plots.reason_layers(incidence_by_reason(spells("usual"), "plan"))
    with pytest.raises(ValueError, match="nobody had left by then"):
        plots.reason_layers(incidence_by_reason(spells("usual")), until=1e-9)
    with pytest.raises(ValueError, match="what='profit' must be 'margin' or 'months'"):
        plots.switching_dots(operator()[0], what="profit")
