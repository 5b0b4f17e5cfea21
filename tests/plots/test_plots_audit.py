"""Figures of customers over time: what they say, that they stay legible, that they escape data."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import pareto, plots
from legible import check_edges, check_given_axes, drawn, fresh_figures, title  # noqa: F401
from period_tables import MONTHS, cdnow_periods, table

TWO = (MONTHS[1], MONTHS[2])
ROWS = [
    ("back", MONTHS[0], 1, 3.0),
    ("gone", MONTHS[1], 1, 40.0),
    ("less", MONTHS[1], 2, 30.0),
    ("more", MONTHS[1], 1, 20.0),
    ("less", MONTHS[2], 1, 25.5),
    ("more", MONTHS[2], 3, 60.25),
    ("back", MONTHS[2], 1, 7.0),
    ("new", MONTHS[2], 2, 5.0),
]
CATEGORIES = pd.DataFrame(
    {
        "customer_id": ["back", "gone", "less", "more", "new"],
        "category": ["$tea$ and $\\frac", "rice", "rice", "fish", "fish"],
        "first_date": MONTHS[0],
        "revenue": [10.0, 40.0, 55.5, 80.25, 5.0],
    }
)
CUSTOMERS = CATEGORIES[["customer_id", "revenue"]].assign(frequency=1, monetary_value=2.0)


CASES = {
    "small": (lambda: table(ROWS), *TWO),
    "cdnow": (cdnow_periods, ("1997-04-01", "1997-09-01"), ("1997-10-01", "1998-03-01")),
}
NAMES = (
    "bridge",
    "change_parts",
    "migration_map",
    "fall_of_the_best",
    "window_curve",
    "by_period",
    "cohort_layers",
    "retention_triangle",
    "cohort_value",
)


def result_of(frame, first, second, name):
    match name:
        case "bridge":
            return pareto.revenue_bridge(frame, first, second)
        case "change_parts":
            return pareto.decompose_change(frame, first, second)
        case "migration_map":
            return pareto.class_migration(frame, first, second, classes=pareto.ABC_CUTS)
        case "fall_of_the_best":
            return pareto.regression_to_mean(frame, first, second, groups=2, draws=10)
        case "window_curve":
            return pareto.pareto_by_window(frame, draws=5)
        case "by_period":
            return pareto.pareto_by_period(frame, draws=5)
    return pareto.build_cohorts(frame, every="month")


def figure_of(case, name, ax=None):
    """Draw a figure by name from the small table or from CDNOW."""
    frame, first, second = CASES[case]
    function = getattr(plots, "window_curve" if name == "by_period" else name)
    return function(result_of(frame(), first, second, name), ax)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_labels(case, name):
    ax = drawn(figure_of(case, name))
    assert len(title(ax)) > 20
    assert len(plots.description(ax)) > 20
    assert "nan" not in title(ax) + plots.description(ax)
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name == "change_parts"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_titles_and_labels_stay_within_the_figure(case, name):
    ax = drawn(figure_of(case, name))
    check_edges(ax)


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("small", name, ax), monkeypatch)


def test_the_bridge_says_what_happened():
    ax = figure_of("small", "bridge")
    assert (
        title(ax)
        == "Revenue grew 8.6 % to 97.8; the largest gain: kept, bought as much or more (+40.2)"
    )
    heights = [patch.get_height() for patch in ax.patches]
    np.testing.assert_allclose(heights, [90, -40, -4.5, 40.25, 7, 5, 97.75])
    assert plots.description(ax).startswith("Waterfall of revenue from 90 in 2024-02 to 97.8")


def test_steps_of_the_bridge_join():
    patches = figure_of("small", "bridge").patches
    ends = [p.get_y() + p.get_height() for p in patches]
    starts = [p.get_y() for p in patches]
    np.testing.assert_allclose(starts[1:-1], ends[:-2])
    assert starts[-1] == 0


def test_the_largest_part_goes_the_way_of_the_change():
    rows = [("a", MONTHS[0], 2, 50.0), ("b", MONTHS[0], 1, 15.0), ("a", MONTHS[1], 1, 50.0)]
    ax = plots.change_parts(pareto.decompose_change(table(rows)))
    # a customer less, at the mean 43.6 of what one brought over all orders of change
    assert title(ax) == (
        "Revenue fell 23.1 % to 50, most of all through customers (\N{MINUS SIGN}43.6)"
    )


def test_the_migration_says_what_became_of_the_best():
    ax = figure_of("small", "migration_map")
    assert (
        title(ax)
        == "Of the best class (A), 0 % stay in it and 100 % buy nothing in the next period"
    )
    numbers = [text.get_text() for text in ax.texts]
    # who returned or is new cannot be gone: no number there
    rows = pareto.class_migration(table(ROWS), *TWO, classes=pareto.ABC_CUTS).shares.dropna()
    assert len(numbers) == rows.size - rows.index.isin(["returned", "new"]).sum()


def test_what_is_not_observed_is_not_drawn():
    cohorts = pareto.build_cohorts(table(ROWS), end="2024-04-10")
    image = plots.retention_triangle(cohorts).images[0].get_array()
    table_ = cohorts.triangle().drop(columns=0).dropna(how="all")
    np.testing.assert_array_equal(np.ma.getmaskarray(image), table_.isna())


def test_layers_add_up_to_the_value_of_the_period():
    ax = figure_of("cdnow", "cohort_layers")
    tops = [p.get_data() for p in ax.patches if p.get_data().baseline is not None]
    months = cdnow_periods().groupby("period")["revenue"].sum()
    np.testing.assert_allclose(tops[-1].values, months)
    assert title(ax) == "Customers first seen in 1997-01 bring 35.8 % of revenue in 1998-06"


def test_one_customer_in_one_period():
    frame = table([("a", MONTHS[0], 1, 5.0)])
    cohorts = pareto.build_cohorts(frame, every="month")
    assert title(drawn(plots.cohort_layers(cohorts))) == "Revenue of 2024-01: 5"
    assert title(drawn(plots.retention_triangle(cohorts))) == (
        "No cohort is older than its first month yet"
    )
    drawn(plots.cohort_value(cohorts))
    drawn(plots.window_curve(pareto.pareto_by_window(frame, every="month", draws=5)))


def test_nothing_is_wholly_observed_yet():
    cohorts = pareto.build_cohorts(
        table([("a", MONTHS[0], 1, 5.0)]), every="month", end="2024-01-15"
    )
    for draw in (plots.cohort_layers, plots.cohort_value):
        assert title(drawn(draw(cohorts))) == "No period is wholly observed yet"
    drawn(plots.retention_triangle(cohorts))


def test_categories_are_shown_as_they_stand():
    first = pareto.first_purchases(CATEGORIES, CUSTOMERS, value="revenue", at_least=0, draws=5)
    best = pareto.best_customer_categories(CATEGORIES, CUSTOMERS, top=0.3, at_least=0, draws=5)
    for ax in (plots.first_category_values(first), plots.category_gaps(best)):
        drawn(ax)
        names = [label.get_text() for label in ax.get_yticklabels()]
        assert any("\\$tea\\$ and" in name for name in names)


def test_a_first_purchase_stands_out_only_when_it_does():
    result = pareto.first_purchases(CATEGORIES, CUSTOMERS, at_least=0, draws=20)
    assert title(plots.first_category_values(result)) == (
        "No first purchase stands out from the average customer by more than chance"
    )


def test_hostile_names_of_classes_and_values():
    frame = table(ROWS).rename(columns={"revenue": "$x^"})
    classes = {"$A_1^": 0.3, "<b>&amp;%": 1.0}
    drawn(plots.migration_map(pareto.class_migration(frame, *TWO, value="$x^", classes=classes)))
    drawn(plots.bridge(pareto.revenue_bridge(frame, *TWO, value="$x^")))
