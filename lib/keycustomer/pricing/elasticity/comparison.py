"""Estimators of the price elasticity side by side, beside the truth where it is known.

Question: how far off is who regresses sales on prices and thinks no further?
:func:`elasticity_comparison` runs least squares, fixed effects, Poisson and instruments on the
same rows of a base, a simulated company or a known panel; an `ElasticityComparison` has the
estimates, the truth each aims at, and what is behind the differences.

Sources: Berry (1994), RAND Journal of Economics 25, 242-262, on prices that follow demand; Angrist
& Krueger (2001), Journal of Economic Perspectives 15, 69-85, on instruments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.pricing.elasticity.elasticities import Elasticities, Names, price_elasticity
from keycustomer.pricing.elasticity.synthetic import KnownPanel
from keycustomer.pricing.elasticity.truth import WEIGHTS, account_elasticities, true_elasticities
from keycustomer.pricing.panels.accounts import account_panel
from keycustomer.pricing.panels.panel import PricePanel
from keycustomer.simulate import Company

WAYS: dict[str, dict[str, object]] = {
    "naive OLS": {"method": "ols"},
    "fixed effects": {"method": "fixed effects"},
    "Poisson": {"method": "poisson"},
    "IV": {"method": "iv"},
    "IV of changes": {"method": "iv", "changes": True},
}
"""Estimators compared, from the most naive on."""


@dataclass(frozen=True, eq=False)
class ElasticityComparison:
    """Estimates of the same elasticity.

    Attributes
    ----------
    frame : DataFrame
        One row an estimator and group: ``method``, ``group``, ``elasticity``, ``standard_error``,
        ``lower``, ``upper``, ``rows``, ``clusters``, ``truth`` (what the estimator aims at, NaN of
        real data), ``error`` (elasticity less truth), ``held`` (whether the interval holds the
        truth), ``limit`` (where the estimator tends to, of a known panel), ``effective_f``.
    estimates : dict of str to Elasticities
        The estimates themselves by method.
    simulated : bool
        Whether the data are made up.
    level : float
        Level of the intervals.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    estimates: dict[str, Elasticities] = field(repr=False)
    simulated: bool
    level: float
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        rows = self.frame[self.frame["group"] == self.frame["group"].iloc[0]]
        told = ", ".join(
            f"{name} {value:.2f}"
            for name, value in zip(rows["method"], rows["elasticity"], strict=True)
        )
        truth = rows["truth"].iloc[0]
        known = f"; true is {truth:.2f}" if pd.notna(truth) else "; the truth is not known"
        group = "" if rows["group"].iloc[0] == "all" else f" of {rows['group'].iloc[0]}"
        return f"Own-price elasticity{group}: {told}{known}."

    def to_frame(self) -> pd.DataFrame:
        """One row an estimator and group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        table = self.frame.rename(columns={"lower": "from", "upper": "to"})
        return report_html(
            "Estimators of the price elasticity",
            [*made_up_note(self.simulated), self.sentence, *self.notes],
            {"Estimates": table.dropna(axis=1, how="all")},
        )


def elasticity_comparison(
    source: CustomerBase | Company | KnownPanel | PricePanel,
    *,
    instruments: Names | None = None,
    tiers: pd.Series | None = None,
    controls: Names = (),
    cluster: str = "unit",
    methods: Sequence[str] | None = None,
    level: float = 0.95,
) -> ElasticityComparison:
    """Estimate an own-price elasticity in several ways on the same rows.

    Parameters
    ----------
    source : CustomerBase, Company, KnownPanel or PricePanel
        A base or simulated company (customers by month, all that they buy together), a panel of
        known elasticity, or any panel.
    instruments : str or sequence of str, optional
        Columns that move the price alone; left out, "cost_shock" or "instrument", whichever the
        panel has.
    tiers : Series, optional
        Tier by customer_id, of a base or company: estimates by tier.
    controls : str or sequence of str
        Columns held fixed by all but naive OLS.
    cluster : str
        Column within which errors go together.
    methods : sequence of str, optional
        Some of "naive OLS", "fixed effects", "Poisson", "IV", "IV of changes"; left out, all that
        the panel allows.
    level : float
        Level of the intervals.

    Returns
    -------
    ElasticityComparison

    Raises
    ------
    TypeError, ValueError
        When the source or a method is none of these, or an elasticity cannot be estimated.
    """
    panel = _panel(source, tiers)
    by = "tier" if tiers is not None else None
    given = _instruments(panel, instruments)
    ways, left_out = _ways(methods, bool(given))
    estimates = {
        name: price_elasticity(
            panel,
            by=by,
            cluster=cluster,
            level=level,
            controls=() if way["method"] == "ols" else controls,
            instruments=given if way["method"] == "iv" else (),
            **way,  # type: ignore[arg-type]
        )
        for name, way in ways.items()
    }
    truth = _truth(source, panel, by)
    limits = source.limits if isinstance(source, KnownPanel) else {}
    rows = [row for name, one in estimates.items() for row in _rows(name, one, truth, limits)]
    notes = [*left_out, *_truth_note(source, truth)]
    return ElasticityComparison(
        pd.DataFrame(rows).astype({"held": "boolean"}),
        estimates,
        panel.simulated,
        level,
        tuple(notes),
    )


def _panel(source: object, tiers: pd.Series | None) -> PricePanel:
    if isinstance(source, KnownPanel | PricePanel):
        if tiers is not None:
            raise ValueError("tiers go with a base or a company; of a panel give none")
        return source.panel if isinstance(source, KnownPanel) else source
    if isinstance(source, Company | CustomerBase):
        return account_panel(source, tiers=tiers)
    raise TypeError(
        f"source={type(source).__name__}: a CustomerBase, Company, KnownPanel or PricePanel is "
        "needed"
    )


def _instruments(panel: PricePanel, given: Names | None) -> tuple[str, ...]:
    if given is None:
        return tuple(n for n in ("cost_shock", "instrument") if n in panel.frame)[:1]
    return (given,) if isinstance(given, str) else tuple(given)


def _ways(
    methods: Sequence[str] | None, instrumented: bool
) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Ways to estimate, and what to say of those that are not possible."""
    chosen = list(WAYS) if methods is None else list(methods)
    unknown = [name for name in chosen if name not in WAYS]
    if unknown or not chosen:
        raise ValueError(f"methods={unknown or chosen}: some of {list(WAYS)} are needed")
    possible = {n: WAYS[n] for n in chosen if instrumented or WAYS[n]["method"] != "iv"}
    if len(possible) == len(chosen):
        return possible, []
    if methods is not None:
        raise ValueError(
            "instruments: the panel has neither cost_shock nor instrument; name the columns"
        )
    return possible, ["No estimate by instruments: the panel has none (see instruments)."]


def _truth(source: object, panel: PricePanel, by: str | None) -> pd.DataFrame | None:
    """Give the true elasticity by group and weight; None where it is not known."""
    if isinstance(source, KnownPanel):
        value = source.elasticity
        return pd.DataFrame({"rows": [value], "quantity": [value]}, index=["all"])
    if not isinstance(source, Company | CustomerBase):
        return None
    told = account_elasticities(source)
    return None if told is None else true_elasticities(panel.frame, told, by)


def _truth_note(source: object, truth: pd.DataFrame | None) -> list[str]:
    if truth is None:
        return ["The data are real: what is true is not known."]
    if isinstance(source, KnownPanel):
        return []
    return [
        "The truth is the mean of the accounts' true elasticities over the rows (customer-months); "
        "of Poisson, over what was sold, so that large accounts count more."
    ]


def _rows(
    name: str, one: Elasticities, truth: pd.DataFrame | None, limits: dict[str, float]
) -> list[dict[str, object]]:
    weight = WEIGHTS.get(one.method, "rows")
    strength = one.first_stage.to_dict("list")
    known = dict(zip(strength.get("group", []), strength.get("effective_f", []), strict=True))
    unknown = float("nan")
    found = []
    for row in one.own.to_dict("records"):
        true = unknown if truth is None else float(truth.loc[row["group"], weight])
        found.append(
            {column: row[column] for column in _KEPT}
            | {
                "method": name,
                "truth": true,
                "error": row["elasticity"] - true,
                "held": None if truth is None else bool(row["lower"] <= true <= row["upper"]),
                "limit": limits.get(one.method, unknown),
                "effective_f": known.get(row["group"], unknown),
            }
        )
    return found


_KEPT = ("method", "group", "elasticity", "standard_error", "lower", "upper", "rows", "clusters")
