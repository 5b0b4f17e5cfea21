"""Figures of effects say what they found, stay legible with any names, and show nothing."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots, relationships
from keycustomer.relationships import CustomerMonths, LevelValues, TreatmentEffects
from keycustomer.simulate import simulate_company
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401
from matplotlib.axes import Axes

SIZE = {"accounts": 500, "months": 36, "seed": 3}


@pytest.fixture(scope="module")
def months() -> CustomerMonths:
    return relationships.customer_months(simulate_company(**SIZE))


@pytest.fixture(scope="module")
def effects(months: CustomerMonths) -> TreatmentEffects:
    return relationships.level_effects(months, trim=0.0)


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return relationships.true_level_effects(SIZE)


@pytest.fixture(scope="module")
def values(months: CustomerMonths) -> LevelValues:
    return relationships.level_values(months, (2.0, 6.0, 20.0, 72.0, 250.0))


def made_up(names: tuple[str, ...], covariates: int = 1) -> TreatmentEffects:
    """Effects of settings of these names with covariates of awkward ones."""
    generator = np.random.default_rng(0)
    n = 60 * len(names)
    frame = pd.DataFrame(
        {
            f"a very long $name$ of the covariate number {k} in the file": generator.random(n)
            for k in range(covariates)
        }
    )
    columns = list(frame.columns)
    frame["which"] = np.resize(np.array(names, dtype=object), n)
    frame["paid"] = generator.gamma(2.0, 50_000.0, n)
    return relationships.treatment_effects(
        frame, treatment="which", outcome="paid", covariates=columns, settings=names
    )


@pytest.mark.parametrize("measure", ["ratio", "difference", "mean"])
def test_effects_with_the_truth_beside_them(
    effects: TreatmentEffects, truth: pd.DataFrame, measure: str
) -> None:
    ax = plots.treatment_dots(effects, measure=measure, truth=truth)
    check_figure(ax)
    known = truth.query("measure == @measure and setting == 'partnership'")["truth"].iloc[0]
    assert title(ax).startswith("Simulated: partnership")
    assert f"{known:.3g}".replace("-", "\N{MINUS SIGN}") + " in truth" in title(ax)
    assert "Truth of the simulated company" in plots.description(ax)


def test_effects_without_a_truth_tell_the_interval(effects: TreatmentEffects) -> None:
    ax = plots.treatment_dots(effects)
    check_figure(ax)
    found = effects.estimate("partnership")
    assert f"interval {found.lower:.3g} to {found.upper:.3g}" in title(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == [*relationships.LEVELS[:0:-1]]


def test_long_names_and_many_settings_stay_within_the_figure() -> None:
    long = tuple(f"a setting with a very long name indeed, number {k}" for k in range(7))
    many = made_up(long, covariates=14)
    for draw in (plots.treatment_dots, plots.balance_dots, plots.overlap_bars):
        check_figure(draw(many))
    two = made_up(("no", "yes"))
    for draw in (plots.treatment_dots, plots.balance_dots, plots.overlap_bars):
        check_figure(draw(two))


def test_balance_counts_what_still_differs(effects: TreatmentEffects) -> None:
    ax = plots.balance_dots(effects)
    check_figure(ax)
    after = int((effects.balance["after"] > 0.10).sum())
    assert title(ax).endswith(f"{after} after")
    assert len(ax.get_yticklabels()) == 12


def test_overlap_names_the_thinnest_setting(effects: TreatmentEffects) -> None:
    ax = plots.overlap_bars(effects)
    check_figure(ax)
    thin = effects.overlap.sort_values("effective").iloc[0]
    assert title(ax).startswith(f"Thinnest: {thin['setting']}, {thin['units']} units")


def test_adjustment_by_set(months: CustomerMonths, truth: pd.DataFrame) -> None:
    sets = relationships.adjustment_sets(months, truth=truth)
    ax = plots.adjustment_dots(sets)
    check_figure(ax)
    assert title(ax).startswith("Partnership as a ratio to basic")
    check_figure(plots.adjustment_dots(relationships.adjustment_sets(months), setting="proactive"))
    with pytest.raises(ValueError, match="setting='gold': there is reactive"):
        plots.adjustment_dots(sets, setting="gold")


def test_errors_in_companies_name_the_best_and_the_worst() -> None:
    rows = [
        {
            "company": seed,
            "method": method,
            "measure": "ratio",
            "setting": "partnership",
            "estimate": 0.5 + error,
            "lower": 0.3,
            "upper": 0.9,
            "truth": 0.5,
            "error": error,
            "held": True,
        }
        for seed in range(60)
        for method, bias in (("naive", 0.2), ("adjusted", 0.03), ("doubly robust", 0.01))
        for error in [bias + 0.001 * np.cos(seed * np.pi)]
    ]
    for companies in (3, 60):
        frame = pd.DataFrame(rows).query("company < @companies")
        result = relationships.EffectsOverCompanies(frame, "leaving", 500, 36)
        ax = plots.company_errors(result)
        check_figure(ax)
        assert f"mean error over {companies} companies: naive +0.2, doubly robust +0.01" in title(
            ax
        )
    with pytest.raises(ValueError, match="nothing was estimated of measure='mean'"):
        plots.company_errors(result, measure="mean")


def test_values_by_size_say_what_pays(values: LevelValues) -> None:
    for groups in (1, 4, 6):
        ax = plots.level_value_lines(values, groups=groups)
        check_figure(ax)
        assert title(ax).startswith("Without a limit on money")
        assert len(ax.lines) == groups + 1
    with pytest.raises(ValueError, match="groups=7: at most 6"):
        plots.level_value_lines(values, groups=7)


def test_figures_are_drawn_into_the_axes_given(
    effects: TreatmentEffects, values: LevelValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(ax: Axes) -> Axes:
        return plots.treatment_dots(effects, ax)

    check_given_axes(draw, monkeypatch)
    ax = plots.level_value_lines(values)
    assert drawn(ax).get_yscale() == "log"


def test_nothing_to_draw_is_told(effects: TreatmentEffects, months: CustomerMonths) -> None:
    with pytest.raises(ValueError, match="measure='odds': 'ratio', 'difference' or 'mean'"):
        plots.treatment_dots(effects, measure="odds")
    bare = relationships.level_effects(months, covariates=[])
    with pytest.raises(ValueError, match="nothing was adjusted for"):
        plots.balance_dots(bare)
