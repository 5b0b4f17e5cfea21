"""Random-coefficients demand through pyblp: buyers differ in what they like and can pay.

The search over spreads and demographics is pyblp's; what follows from the estimates (shares,
elasticities, markups) is computed from the tastes of the buyers it used, as for the plain logit.

Sources: Berry, Levinsohn & Pakes (1995), Econometrica 63, 841-890; Conlon & Gortmaker (2020), RAND
Journal of Economics 51, 1108-1161 (pyblp and its best practices).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.pricing.market.demand import MarketDemand, coefficient_rows
from keycustomer.pricing.market.design import (
    CONSTANT,
    PRICE,
    DemandDesign,
    error_words,
    few_clusters,
    few_rows,
    identifying_words,
    interval_quantile,
)
from keycustomer.pricing.market.mean_elasticity import mean_own_elasticity
from keycustomer.pricing.market.tables import names_of, need_owners
from keycustomer.pricing.market.tastes import MarketTastes
from keycustomer.stats.samples import FloatArray

SPREAD = "spread"
"""Kind of a coefficient: the standard deviation of a taste that nothing observed explains."""

START = 0.5
"""Where the search begins: a spread of this size in utility by one spread of the characteristic."""

NODES = re.compile(r"nodes?_?\d+")

Start = Mapping[tuple[str, str], float]
Random = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class MarketSupply:
    """What costs depend on, where the prices firms set help to learn demand.

    Attributes
    ----------
    characteristics : tuple of str
        Columns of numbers that the logarithm of marginal cost depends on.
    instruments : tuple of str
        Columns that move markups but not costs.
    least_cost : float
        Marginal costs below it are taken for it, in units of price.
    """

    characteristics: tuple[str, ...]
    instruments: tuple[str, ...] = ()
    least_cost: float = 0.001


@dataclass(frozen=True, eq=False)
class Buyers:
    """Kinds of buyers by market: their weights, draws and demographics.

    Attributes
    ----------
    market : ndarray of str, shape (buyers,)
    weight : ndarray, shape (buyers,)
    nodes : ndarray, shape (buyers, terms)
        Draws by term, 0 for terms without a spread.
    demographics : DataFrame, shape (buyers, demographics)
    """

    market: np.ndarray
    weight: FloatArray
    nodes: FloatArray
    demographics: pd.DataFrame


@dataclass(frozen=True, eq=False)
class RandomTerms:
    """Which characteristics have random coefficients, and what moves these.

    Attributes
    ----------
    names : tuple of str
        Characteristics, "constant" or "price" among them.
    kinds : dict of str to tuple of str
        "spread" and demographics by characteristic.
    values : ndarray, shape (rows, terms)
        The characteristics.
    """

    names: tuple[str, ...]
    kinds: dict[str, tuple[str, ...]]
    values: FloatArray = field(repr=False)

    @property
    def with_spread(self) -> list[int]:
        """Positions of the terms with a spread."""
        return [k for k, name in enumerate(self.names) if SPREAD in self.kinds[name]]

    @property
    def demographics(self) -> list[str]:
        """Demographics in the order in which they are first named."""
        named = [kind for name in self.names for kind in self.kinds[name] if kind != SPREAD]
        return list(dict.fromkeys(named))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Nonlinear parameters in pyblp's order: spreads, then demographics by term."""
        spreads = [(self.names[k], SPREAD) for k in self.with_spread]
        return spreads + [
            (name, one) for name in self.names for one in self.demographics
            if one in self.kinds[name]
        ]  # fmt: skip


def random_terms(design: DemandDesign, random: Random | Sequence[str]) -> RandomTerms:
    """Read which coefficients are random.

    Raises
    ------
    ValueError
        When none is named, or a term has no kind.
    """
    if isinstance(random, str):
        raise ValueError(f"random={random!r}: give a list of columns, [{random!r}]")
    if isinstance(random, Mapping):
        kinds = {str(name): tuple(given) for name, given in random.items()}
    else:
        kinds = {str(name): (SPREAD,) for name in random}
    # A formula has its constant first, wherever it is named.
    kinds = {name: kinds[name] for name in sorted(kinds, key=lambda name: name != CONSTANT)}
    bare = [name for name, given in kinds.items() if not given]
    if bare:
        raise ValueError(f"random: {bare} need '{SPREAD}' or the names of demographics")
    columns = [
        np.ones(len(design.table)) if name == CONSTANT
        else design.table.numbers(name, "random coefficient")
        for name in kinds
    ]  # fmt: skip
    return RandomTerms(tuple(kinds), kinds, np.column_stack(columns))


def read_buyers(
    design: DemandDesign,
    terms: RandomTerms,
    demographics: pd.DataFrame | None,
    draws: int,
    seed: int | np.random.Generator,
) -> Buyers:
    """Give the kinds of buyers of every market: those of a frame, or Halton draws.

    Raises
    ------
    ValueError
        When a demographic or a market is missing in the frame, or draws are too few.
    """
    markets = design.table.markets
    if demographics is None:
        if terms.demographics:
            raise ValueError(
                f"random names the demographics {terms.demographics}: give the frame demographics "
                "with a row a kind of buyer and market, or only 'spread'"
            )
        if draws < 1:
            raise ValueError(f"draws={draws}: at least one buyer a market is needed")
        demographics = pd.DataFrame({"market": np.repeat(markets, draws)})
    if "market" not in demographics:
        raise ValueError(f"demographics has no column 'market'; it has {list(demographics)}")
    people = demographics.assign(market=names_of(demographics["market"]))
    absent = [one for one in terms.demographics if one not in people]
    lost = sorted(set(markets) - set(people["market"]))
    if absent or lost:
        raise ValueError(
            f"demographics lacks columns {absent}, has no row for markets {lost[:5]}; it has "
            f"columns {list(people.columns)}"
        )
    people = people[people["market"].isin(markets)].reset_index(drop=True)
    _check_known(people)
    weight = next((people[n] for n in ("weight", "weights") if n in people), None)
    if weight is None:
        weight = 1 / people.groupby("market")["market"].transform("size")
    nodes = np.zeros((len(people), len(terms.names)))
    nodes[:, terms.with_spread] = _nodes(people, len(terms.with_spread), seed)
    return Buyers(
        people["market"].to_numpy(),
        weight.to_numpy(float),
        nodes,
        people[terms.demographics].astype(float),
    )


def _check_known(people: pd.DataFrame) -> None:
    """Refuse kinds of buyers of whom something is not known."""
    unknown = [str(name) for name in people if people[name].isna().any()]
    if unknown:
        raise ValueError(
            f"demographics: {unknown} are not known for some kinds of buyers; give every kind all "
            "its values"
        )


def _nodes(people: pd.DataFrame, count: int, seed: int | np.random.Generator) -> FloatArray:
    """Take draws from columns nodes0, nodes1 ..., or draw from a scrambled Halton sequence."""
    named = [name for name in people if NODES.fullmatch(str(name))]
    if len(named) >= count:
        named.sort(key=lambda name: int(re.sub(r"\D", "", str(name))))
        return people[named[:count]].to_numpy(float)
    from scipy.special import ndtri
    from scipy.stats.qmc import Halton

    uniform = Halton(count, rng=np.random.default_rng(seed)).random(len(people))
    return np.asarray(ndtri(np.clip(uniform, 1e-12, 1 - 1e-12)))


@contextmanager
def _quiet(pyblp: Any) -> Iterator[None]:
    """Let pyblp print nothing, nor complain of weights that do not sum to 1 (importance draws).

    Its arrays are a market each, too small to share: beside other work, several threads spend four
    times the processor time waiting for each other.
    """
    from threadpoolctl import threadpool_limits

    before = pyblp.options.verbose, pyblp.options.weights_tol
    pyblp.options.verbose, pyblp.options.weights_tol = False, np.inf
    try:
        with threadpool_limits(1):
            yield
    finally:
        pyblp.options.verbose, pyblp.options.weights_tol = before


def fit_random_coefficients(
    design: DemandDesign,
    terms: RandomTerms,
    buyers: Buyers,
    *,
    steps: int,
    linear_price: bool,
    supply: MarketSupply | None,
    start: Start | None,
    search: bool,
    tolerance: float,
    level: float,
) -> MarketDemand:
    """Fit random coefficients with pyblp; for arguments see `fit_market_demand`."""
    import pyblp

    sigma, pi = _starts(terms, buyers, start, search)
    kind = "robust" if design.cluster is None else "clustered"
    how = ("bfgs", {"gtol": tolerance}) if search else ("return", {})
    given: dict[str, Any] = {
        "sigma": sigma, "method": f"{steps}s", "W_type": kind, "se_type": kind,
        "optimization": pyblp.Optimization(*how),
        "check_optimality": "both" if search else "gradient",
    }  # fmt: skip
    if terms.demographics:
        given["pi"] = pi
    if supply is not None:
        given |= {"costs_bounds": (supply.least_cost, None), "initial_update": True}
    with _quiet(pyblp):
        problem = _problem(pyblp, design, terms, buyers, linear_price, supply)
        solved = problem.solve(**given)
    return _demand(design, terms, buyers, solved, steps, linear_price, search, level)


def _starts(
    terms: RandomTerms, buyers: Buyers, start: Start | None, search: bool
) -> tuple[FloatArray, FloatArray]:
    """Give where the search begins; pyblp holds at 0 what begins at 0."""
    given = dict(start or {})
    unknown = sorted(set(given) - set(terms.parameters))
    missing = [one for one in terms.parameters if one not in given]
    if unknown or (missing and not search):
        raise ValueError(
            f"start: unknown are {unknown}, missing are {missing if not search else []}; the "
            f"parameters are {terms.parameters}"
        )
    if any(given.get(one) == 0 for one in terms.parameters):
        raise ValueError("start: begin with values other than 0, or leave the parameter out")
    size = len(terms.names)
    sigma, pi = np.zeros((size, size)), np.zeros((size, len(terms.demographics)))
    spread = np.where(np.ptp(terms.values, axis=0) > 0, terms.values.std(axis=0), 1.0)
    for name, kind in terms.parameters:
        k = terms.names.index(name)
        if kind == SPREAD:
            sigma[k, k] = given.get((name, kind), START / spread[k])
        else:
            d = terms.demographics.index(kind)
            own = float(buyers.demographics[kind].std(ddof=0)) or 1.0
            pi[k, d] = given.get((name, kind), START / spread[k] / own)
    return sigma, pi


def _problem(
    pyblp: Any,
    design: DemandDesign,
    terms: RandomTerms,
    buyers: Buyers,
    linear_price: bool,
    supply: MarketSupply | None,
) -> Any:
    """Write the model as pyblp reads it, under names that its formulas can hold."""
    rows = design.table.frame
    data: dict[str, Any] = {
        "market_ids": rows["market"].to_numpy(), "shares": rows["share"].to_numpy(),
        "prices": rows["price"].to_numpy(),
    }  # fmt: skip
    if supply is not None:
        need_owners(rows, "firm")
        data["firm_ids"] = rows["firm"].to_numpy()
    if design.cluster is not None:
        data["clustering_ids"] = design.cluster
    linear = _written(data, design, [n for n in design.exogenous if n != CONSTANT], "x")
    linear += ["prices"] if linear_price else []
    lead = "1" if CONSTANT in design.exogenous else "0"
    first = pyblp.Formulation(" + ".join([lead, *linear]), absorb=_effects(data, design))
    named = [n for n in terms.names if n not in (CONSTANT, PRICE)]
    shown = dict(zip(named, _written(data, design, named, "r"), strict=True))
    shown |= {CONSTANT: "1", PRICE: "prices"}
    second = pyblp.Formulation(
        " + ".join([*([] if CONSTANT in terms.names else ["0"]), *(shown[n] for n in terms.names)])
    )
    formulas = [first, second]
    _instruments(data, design, design.instruments, "demand")
    if supply is not None:
        costs = _written(data, design, list(supply.characteristics), "c")
        formulas.append(pyblp.Formulation(" + ".join(["1", *costs])))
        _instruments(data, design, supply.instruments, "supply")
    people, agents = _agents(pyblp, buyers, terms)
    log = {} if supply is None else {"costs_type": "log"}
    return pyblp.Problem(tuple(formulas), data, agents, people, **log)


def _written(
    data: dict[str, Any], design: DemandDesign, names: Sequence[str], prefix: str
) -> list[str]:
    for k, name in enumerate(names):
        data[f"{prefix}{k}"] = design.table.numbers(name, "characteristic")
    return [f"{prefix}{k}" for k in range(len(names))]


def _effects(data: dict[str, Any], design: DemandDesign) -> str | None:
    for k, group in enumerate(design.groups):
        data[f"e{k}"] = group
    return " + ".join(f"C(e{k})" for k in range(len(design.groups))) or None


def _instruments(
    data: dict[str, Any], design: DemandDesign, names: Sequence[str], side: str
) -> None:
    for k, name in enumerate(names):
        data[f"{side}_instruments{k}"] = design.table.numbers(name, "instrument")


def _agents(pyblp: Any, buyers: Buyers, terms: RandomTerms) -> tuple[dict[str, Any], Any]:
    people: dict[str, Any] = {
        "market_ids": buyers.market, "weights": buyers.weight, "nodes": buyers.nodes
    }  # fmt: skip
    for k, name in enumerate(terms.demographics):
        people[f"d{k}"] = buyers.demographics[name].to_numpy()
    if not terms.demographics:
        return people, None
    written = " + ".join(f"d{k}" for k in range(len(terms.demographics)))
    return people, pyblp.Formulation(f"0 + {written}")


def _demand(
    design: DemandDesign,
    terms: RandomTerms,
    buyers: Buyers,
    solved: Any,
    steps: int,
    linear_price: bool,
    search: bool,
    level: float,
) -> MarketDemand:
    nonlinear = [*solved.sigma.diagonal()[terms.with_spread]]
    columns = terms.demographics
    nonlinear += [
        solved.pi[terms.names.index(name), columns.index(kind)]
        for name, kind in terms.parameters if kind != SPREAD
    ]  # fmt: skip
    exogenous = [n for n in design.exogenous if n == CONSTANT]
    exogenous += [n for n in design.exogenous if n != CONSTANT]
    linear = [(n, "mean") for n in exogenous] + ([(PRICE, "mean")] if linear_price else [])
    names = terms.parameters + linear
    beta = solved.beta.ravel()
    covariance = solved.parameter_covariances / len(design.table)
    size = len(names)
    covariance = covariance[:size, :size]
    values = np.array([*nonlinear, *beta])
    critical = interval_quantile(design, level)
    coefficients = coefficient_rows(names, values, np.sqrt(np.diag(covariance)), critical)
    slope = float(beta[-1]) if linear_price else 0.0
    delta = solved.delta.ravel()
    tastes = buyers_tastes(design, terms, buyers, np.array(nonlinear), slope, delta)
    mean_own = mean_own_elasticity(
        lambda theta, alpha, given: buyers_tastes(design, terms, buyers, theta, alpha, given),
        design.table, np.array(nonlinear), slope, delta, covariance, linear_price, critical, level,
    )  # fmt: skip
    return MarketDemand(
        design.table, "random coefficients", _method_words(design, buyers, steps),
        coefficients, tastes, solved.xi.ravel(), mean_own,
        float(np.asarray(solved.objective).item()),
        design.first_stage() if linear_price else None, identifying_words(design),
        _notes(design, solved, buyers, search), level,
    )  # fmt: skip


def buyers_tastes(
    design: DemandDesign,
    terms: RandomTerms,
    buyers: Buyers,
    parameters: FloatArray,
    slope: float,
    delta: FloatArray,
) -> dict[str, MarketTastes]:
    """Give the tastes of the kinds of buyers of every market.

    Parameters
    ----------
    design, terms, buyers
        The model.
    parameters : ndarray
        Spreads and effects of demographics, in the order of `terms.parameters`.
    slope : float
        Mean price coefficient (0 where there is none).
    delta : ndarray, shape (rows,)
        Mean utilities.
    """
    spread = np.zeros(len(terms.names))
    moved = np.zeros((len(terms.names), len(terms.demographics)))
    for (name, kind), value in zip(terms.parameters, parameters, strict=True):
        k = terms.names.index(name)
        if kind == SPREAD:
            spread[k] = value
        else:
            moved[k, terms.demographics.index(kind)] = value
    taste = buyers.nodes * spread + buyers.demographics.to_numpy() @ moved.T
    rows = design.table.frame
    price = rows["price"].to_numpy()
    slopes = slope + (
        taste[:, terms.names.index(PRICE)] if PRICE in terms.names else np.zeros(len(taste))
    )
    others = [k for k, name in enumerate(terms.names) if name != PRICE]
    who = pd.Series(np.arange(len(taste))).groupby(buyers.market).indices
    made = {}
    for name, places in design.table.places.items():
        here = who[name]
        utility = (delta[places] - slope * price[places])[:, None]
        utility = utility + terms.values[places][:, others] @ taste[here][:, others].T
        made[name] = MarketTastes(
            utility, slopes[here], buyers.weight[here], np.arange(len(places))
        )
    return made


def _method_words(design: DemandDesign, buyers: Buyers, steps: int) -> str:
    each = len(buyers.market) / len(set(buyers.market))
    within = f", effects of {' and '.join(design.effects)}" if design.effects else ""
    words = "one step" if steps == 1 else "two steps"
    return (
        f"pyblp, GMM in {words}, {each:.0f} kinds of buyers a market{within}, "
        f"{error_words(design, 'robust')}"
    )


def _notes(design: DemandDesign, solved: Any, buyers: Buyers, search: bool) -> tuple[str, ...]:
    notes = [*design.table.notes, *few_clusters(design), *few_rows(design)]
    if not search:
        notes.append("Spreads and demographics were taken as given in start, not searched for.")
    elif not solved.converged:
        notes.append("The search did not converge: try other starting values.")
    if not np.all(solved.fp_converged):
        notes.append("The mean utilities were not found in some markets at some steps.")
    if (np.linalg.eigvalsh(solved.hessian) <= 0).any() if search else False:
        notes.append("The search ended at a point that is no minimum: try other starting values.")
    total = pd.Series(buyers.weight).groupby(buyers.market).sum()
    if not np.allclose(total, 1, atol=1e-6):
        notes.append(
            f"Weights of the buyers sum to {total.min():.3f} to {total.max():.3f} by market, not "
            "to 1, as importance draws do."
        )
    notes.append("The sign of a spread has no meaning.")
    return tuple(notes)
