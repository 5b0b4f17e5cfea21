"""Figures of pooled elasticities: what they say, and that they stay legible."""

import pytest
from keycustomer import plots, pricing
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "accounts of the public sector and $$ of those that belong to it"

SIZES = {
    "usual": {"A": (10, 30), "B": (20, 12), "C": (30, 6)},
    "long names": {LONG: (10, 20), LONG + " in part": (10, 20)},
    "many tiers": {f"tier {k}": (4, 8) for k in range(7)},
    "tiny": {"A": (2, 4)},
}


def known(case):
    sizes = SIZES[case]
    means = {tier: -1.0 - k / len(sizes) for k, tier in enumerate(sizes)}
    return pricing.known_customers(sizes=sizes, means=means, seed=1)


def figure_of(case, name, ax=None):
    match name:
        case "shrinkage_map":
            return plots.shrinkage_map(pricing.customer_elasticities(known(case)), ax)
        case "tier_elasticity_dots":
            return plots.tier_elasticity_dots(pricing.customer_elasticities(known(case)), ax)
        case "pooling_error_dots":
            return plots.pooling_error_dots(pricing.pooling_comparison(known(case)), ax)
        case "pooling_coverage_dots":
            return plots.pooling_coverage_dots(pricing.pooling_comparison(known(case)), ax)
        case "zero_trap_dots":
            means = dict.fromkeys(SIZES[case], -2.0)
            levels = {tier: 5 / (k + 1) for k, tier in enumerate(means)}
            sales = pricing.known_sales(means=means, levels=levels, products=8, weeks=15, seed=1)
            return plots.zero_trap_dots(pricing.zero_trap(sales), ax)


NAMES = (
    "shrinkage_map",
    "tier_elasticity_dots",
    "pooling_error_dots",
    "pooling_coverage_dots",
    "zero_trap_dots",
)

TIERED = ("shrinkage_map", "tier_elasticity_dots", "zero_trap_dots")


@pytest.mark.parametrize(
    ("case", "name"),
    [
        *[("usual", name) for name in NAMES],
        *[("tiny", name) for name in NAMES],
        *[(case, name) for case in ("long names", "many tiers") for name in TIERED],
    ],
)
def test_figures_are_legible(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_given_axes(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("usual", name, ax), monkeypatch)


def test_findings():
    sales = pricing.zero_trap_over_seeds(seeds=3, products=10, weeks=30)
    assert "dropping them turns an elasticity of" in title(plots.zero_trap_dots(sales))
    over = pricing.pooling_over_seeds(seeds=3, methods=("no pooling", "empirical Bayes"))
    assert "Empirical Bayes comes nearest" in title(plots.pooling_error_dots(over))
    assert "over 3 drawn panels" in plots.description(plots.pooling_coverage_dots(over))
    with pytest.raises(ValueError, match="no tier 'Z'"):
        plots.pooling_error_dots(over, tier="Z")


def test_differences_are_named():
    sizes = {"A": (60, 40), "C": (60, 40)}
    apart = pricing.known_customers(sizes=sizes, means={"A": -1.0, "C": -3.0})
    same = pricing.known_customers(sizes=sizes, means={"A": -2.0, "C": -2.0})
    said = title(plots.tier_elasticity_dots(pricing.customer_elasticities(apart)))
    assert said.startswith("Simulated: A is less elastic than C")
    said = title(plots.tier_elasticity_dots(pricing.customer_elasticities(same)))
    assert "cannot be told" in said
