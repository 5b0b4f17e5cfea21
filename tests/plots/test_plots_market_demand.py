"""Figures of the demand of a market: what they say, and that it stays legible."""

import numpy as np
import pytest
from keycustomer import plots
from keycustomer import pricing as pr
from known_markets import known_market
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "a premium family pack of $$ cereals with honey and nuts"


@pytest.fixture(scope="module")
def demands():
    """Demand of few products, of many with long names, and of one."""
    few = known_market(12, 4, seed=0)
    many = known_market(8, 14, seed=1)
    many = many.assign(
        product=LONG + " " + many["product"], firm="the company of " + many["product"].str[-2:],
        market="the whole of the north and west in " + many["market"],
    )  # fmt: skip
    one = known_market(12, 1, seed=2)
    return {
        name: pr.fit_market_demand(rows, instruments=["cost"])
        for name, rows in (("few", few), ("many", many), ("one", one))
    }


def compared(demand):
    rows = demand.table.frame.assign(noise=np.random.default_rng(0).normal(size=len(demand.table)))
    return {
        "ordinary least squares": pr.fit_market_demand(rows),
        "weak instruments": pr.fit_market_demand(rows, instruments=["noise"]),
        "instruments, with a name that is longer than others": demand,
    }


def figure_of(demand, name, ax=None):
    market = demand.table.markets[0]
    first = demand.table.frame["product"].iloc[0]
    two = {"logit": demand, "the same": demand}
    match name:
        case "demand_model_dots":
            return plots.demand_model_dots(pr.compare_demands(compared(demand), truth=-3.0), ax)
        case "elasticity_map":
            return plots.elasticity_map(demand, market, ax)
        case "diversion_bars":
            return plots.diversion_bars(two, market, first, ax)
        case "markup_dots":
            return plots.markup_dots(demand, ax)
        case "price_change_bars":
            change = demand.shares_at(factor={first: 0.5}, market=market)
            return plots.price_change_bars({"logit": change}, ax)
        case "nothing changes":
            return plots.price_change_bars({"logit": demand.shares_at(market=market)}, ax)
        case "merger_dots":
            owners = sorted(set(demand.table.frame["firm"]))
            return plots.merger_dots(pr.market_merger(demand, owners[:2]), ax, unit="EUR")


NAMES = (
    "demand_model_dots",
    "elasticity_map",
    "diversion_bars",
    "markup_dots",
    "price_change_bars",
    "nothing changes",
)


@pytest.mark.parametrize("case", ["few", "many", "one"])
@pytest.mark.parametrize("name", NAMES)
def test_figures_say_what_they_found(demands, case, name):
    check_figure(figure_of(demands[case], name))


@pytest.mark.parametrize("case", ["few", "many"])
def test_a_merger_is_drawn(demands, case):
    ax = figure_of(demands[case], "merger_dots")
    check_figure(ax)
    assert "merging firms" in title(ax)


@pytest.mark.parametrize("name", [*NAMES, "merger_dots"])
def test_figures_are_drawn_where_asked(demands, name, monkeypatch):
    check_given_axes(lambda ax: figure_of(demands["few"], name, ax), monkeypatch)


def test_numbers_are_told(demands):
    demand = demands["few"]
    ax = figure_of(demand, "demand_model_dots")
    assert "truth is \N{MINUS SIGN}3.00" in title(ax)
    assert f"{demand.own_price_elasticity.estimate:.2f}" in plots.description(ax)
    market = demand.table.markets[0]
    own = np.diag(demand.elasticities(market))
    assert f"{own.min():.2f}".replace("-", "\N{MINUS SIGN}") in title(
        plots.elasticity_map(demand, market)
    )
    assert "alike" in title(plots.elasticity_map(demand, market))
    with pytest.raises(ValueError, match="is not in"):
        plots.diversion_bars({"logit": demand}, market, "nothing")


def test_simulated_data_are_called_so(demands):
    rows = demands["few"].table.frame.copy()
    rows.attrs["simulated"] = True
    demand = pr.fit_market_demand(rows, instruments=["cost"])
    market = demand.table.markets[0]
    for ax in (
        plots.markup_dots(demand),
        plots.elasticity_map(demand, market),
        plots.merger_dots(pr.market_merger(demand, ["F0", "F1"])),
        plots.demand_model_dots(pr.compare_demands({"logit": demand})),
        plots.diversion_bars({"logit": demand}, market, "P0"),
        plots.price_change_bars({"logit": demand.shares_at(factor={"P0": 0.5}, market=market)}),
    ):
        assert "imulated" in title(ax)
