"""Price elasticities: by least squares, with fixed effects, by instruments, and with zero sales.

Question: by how many per cent do sales change when the price changes by one, and can the figure
be trusted?  :func:`price_elasticity` estimates own and cross elasticities, by group if asked, with
clustered errors; an `Elasticities` says what identifies them, how strong the instruments are, and
how many rows were left out.  Logs cannot take zero sales: all methods but "poisson" drop them and
count them.

Sources: Stock & Watson, "Introduction to Econometrics" (2020), chapters 10 and 12; Santos Silva &
Tenreyro (2006), Review of Economics and Statistics 88, 641-658, for Poisson; Cameron & Miller
(2015), Journal of Human Resources 50, 317-372, for clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.pricing.elasticity.earlier import changes_of
from keycustomer.pricing.elasticity.first_stage import FirstStage, explained_away, first_stage
from keycustomer.pricing.elasticity.identification import identification, price_variation
from keycustomer.pricing.elasticity.rows import (
    FEW_CLUSTERS,
    Columns,
    Rows,
    check_columns,
    groups_of,
    lay_out,
)
from keycustomer.pricing.panels.panel import PricePanel
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.regressions.absorbing import Fit, fit_linear, fit_poisson, free_of
from keycustomer.stats.student import student_quantile

METHODS = ("ols", "fixed effects", "iv", "poisson")
"""Estimators, from the most naive on."""

Names = str | Sequence[str]


@dataclass(frozen=True, eq=False)
class Elasticities:
    """Estimated price elasticities.

    Attributes
    ----------
    frame : DataFrame
        One row a group and term: ``method``, ``group``, ``term`` ("own", then the other prices by
        column), ``elasticity``, ``standard_error``, ``lower``, ``upper``, ``rows`` (used),
        ``clusters``, ``degrees_of_freedom`` (clusters less one), ``zeros_dropped`` (rows without a
        sale that logs cannot take), ``verdict`` of the own price.
    covariances : dict of str to DataFrame
        Covariance of all terms and controls by group.
    first_stage : DataFrame
        One row a group: instruments, f, effective_f, critical_value, partial_r2, ar_lower,
        ar_upper, overidentification (error probability), weak; empty without instruments.
    identification : dict of str to str
        Which variation identifies the elasticity, by group.
    price_variation : DataFrame
        group, source, share: what effects take of the variance of log price, and what is left.
    left : dict of str to DataFrame
        log_price, log_quantity (of Poisson: quantity) and the first instrument by group, with
        effects, other prices and controls taken out.
    dropped : DataFrame
        group, reason, rows.
    columns : Columns
        Which columns played which part.
    method : str
        How it was estimated.
    level : float
        Level of the intervals.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    covariances: dict[str, pd.DataFrame] = field(repr=False)
    first_stage: pd.DataFrame = field(repr=False)
    identification: dict[str, str] = field(repr=False)
    price_variation: pd.DataFrame = field(repr=False)
    left: dict[str, pd.DataFrame] = field(repr=False)
    dropped: pd.DataFrame = field(repr=False)
    columns: Columns
    method: str
    level: float
    simulated: bool
    notes: tuple[str, ...]

    @property
    def own(self) -> pd.DataFrame:
        """The own-price elasticities, one row a group."""
        return self.frame[self.frame["term"] == "own"].reset_index(drop=True)

    def own_price_elasticity(self, group: str = "all") -> Estimate:
        """Own-price elasticity of a group with its interval.

        Raises
        ------
        KeyError
            When there is no such group.
        """
        found = self.own.set_index("group")
        if group not in found.index:
            raise KeyError(f"group={group!r}: one of {found.index.tolist()} is needed")
        row = found.loc[[group]].to_dict("records")[0]
        return Estimate(
            estimate=float(row["elasticity"]),
            lower=float(row["lower"]),
            upper=float(row["upper"]),
            unit="% of quantity per % of price",
            n=int(row["clusters"]),
            method=f"{self.method}, clustered by {self.columns.cluster}",
            level=self.level,
        )

    def long_run(self, lags: Sequence[str] | None = None) -> pd.DataFrame:
        """Sum the own elasticity and those of earlier (and later) own prices.

        Parameters
        ----------
        lags : sequence of str, optional
            Terms to add; left out, all that :func:`stockpiling_controls` named ("price_lag_1").

        Returns
        -------
        DataFrame
            group, elasticity, standard_error, lower, upper: of a price change that lasts.

        Raises
        ------
        ValueError
            When no such term was estimated.
        """
        known = [t for t in self.frame["term"].unique() if t != "own"]
        wanted = (
            [t for t in known if t.startswith(f"{self.columns.price}_l")]
            if lags is None
            else list(lags)
        )
        if not wanted or not set(wanted) <= set(known):
            raise ValueError(
                f"lags={lags!r}: no such terms were estimated, there are {known}; add them by "
                "stockpiling_controls and cross="
            )
        return pd.DataFrame([self._sum(group, ["own", *wanted]) for group in self.covariances])

    def _sum(self, group: str, terms: list[str]) -> dict[str, object]:
        rows = self.frame[self.frame["group"] == group].set_index("term")
        value = float(rows.loc[terms, "elasticity"].sum())
        error = float(np.sqrt(self.covariances[group].loc[terms, terms].to_numpy().sum()))
        reach = error * student_quantile(self.level, int(rows["degrees_of_freedom"].iloc[0]))
        return {
            "group": group,
            "elasticity": value,
            "standard_error": error,
            "lower": value - reach,
            "upper": value + reach,
        }

    @property
    def sentence(self) -> str:
        """The own-price elasticities in words."""
        told = [
            f"{'' if row['group'] == 'all' else row['group'] + ' '}{row['elasticity']:.2f} "
            f"[{row['lower']:.2f}, {row['upper']:.2f}]"
            for row in self.own.to_dict("records")
        ]
        return f"Own-price elasticity by {self.method}: {'; '.join(told)}."

    def to_frame(self) -> pd.DataFrame:
        """One row a group and term."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [f"{g}: {s}" if g != "all" else s for g, s in self.identification.items()]
        ends = self.frame.rename(columns={"lower": "from", "upper": "to"})
        tables = {"Elasticities": ends, "First stage": self.first_stage, "Left out": self.dropped}
        return report_html(
            "Price elasticity",
            [*made_up_note(self.simulated), self.sentence, *said, *self.notes],
            tables,
        )


def price_elasticity(
    panel: PricePanel | pd.DataFrame,
    *,
    method: str = "fixed effects",
    effects: Names | None = None,
    instruments: Names = (),
    controls: Names = (),
    cross: Names = (),
    by: str | None = None,
    cluster: str | None = None,
    price: str = "price",
    quantity: str = "quantity",
    changes: bool = False,
    level: float = 0.95,
) -> Elasticities:
    """Estimate own-price and cross-price elasticities.

    Parameters
    ----------
    panel : PricePanel or DataFrame
        Rows with a quantity and a price; see the columns below.
    method : {"ols", "fixed effects", "iv", "poisson"}
        "ols": log quantity on log price, nothing held fixed.  "fixed effects": the same with
        effects absorbed.  "iv": two-stage least squares with effects.  "poisson": quantity itself
        on log price with effects, zero sales kept.
    effects : str or sequence of str, optional
        Columns whose levels are absorbed; "product^unit" is every combination.  Left out:
        "product^unit" and "period" as far as there are such columns, none for "ols".
    instruments : str or sequence of str
        Columns that move the price and sales through it alone, for "iv".
    controls : str or sequence of str
        Columns held fixed, as they are (a promotion flag, a log of income).
    cross : str or sequence of str
        Other prices: their elasticities are estimated too ("competitor_price", "price_lag_1").
    by : str, optional
        Column of groups, each estimated by itself ("tier").
    cluster : str, optional
        Column (or several joined by "^") within which errors go together; left out, product or
        unit, whichever there are more of.
    price, quantity : str
        Columns of price and quantity.
    changes : bool
        Whether to compare changes from the period before, within product and unit, instead of
        levels: sharper where demand wanders slowly.  The effects left out are then "period" alone.
    level : float
        Level of the intervals.

    Returns
    -------
    Elasticities

    Raises
    ------
    TypeError, ValueError
        When an argument is none of these, columns are missing, or an elasticity cannot be
        estimated: no sale, one price only, a price that an effect explains, too few clusters.

    Notes
    -----
    Standard errors are clustered with the correction G/(G-1) (n-1)/(n-K); effects nested in
    clusters do not count in K; intervals use Student's t with G-1 degrees of freedom.
    """
    checked_level(level)
    frame = panel.frame if isinstance(panel, PricePanel) else panel
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"panel={type(panel).__name__}: a PricePanel or a DataFrame is needed")
    columns = _columns(
        frame, method, effects, instruments, controls, cross, cluster, price, quantity, changes
    )
    check_columns(frame, columns, by)
    if changes:
        frame = changes_of(frame, columns)
    found = [
        _estimate(lay_out(rows, columns, group, logs=method != "poisson"), columns, method, level)
        for group, rows in groups_of(frame, by)
    ]
    simulated = panel.simulated if isinstance(panel, PricePanel) else False
    gathered = _gathered(found, columns, method, level, simulated)
    return gathered if by is None else _with_ungrouped(gathered, frame[by], by)


def _columns(
    frame: pd.DataFrame,
    method: str,
    effects: Names | None,
    instruments: Names,
    controls: Names,
    cross: Names,
    cluster: str | None,
    price: str,
    quantity: str,
    changes: bool,
) -> Columns:
    """Fill in what is left out, and refuse what does not go together."""
    if method not in METHODS:
        raise ValueError(f"method={method!r}: one of {METHODS} is needed")
    given = _names(instruments)
    if bool(given) != (method == "iv"):
        raise ValueError(
            f"method={method!r} with instruments={given!r}: instruments go with method='iv', which "
            "needs at least one"
        )
    if changes and method == "poisson":
        raise ValueError("changes=True: a Poisson regression takes quantities, not their changes")
    absorbed = _default_effects(frame, method, changes) if effects is None else _names(effects)
    if method == "ols" and absorbed:
        raise ValueError(f"effects={absorbed!r}: method='ols' has none; use 'fixed effects'")
    return Columns(
        quantity=quantity,
        price=price,
        cross=_names(cross),
        controls=_names(controls),
        instruments=given,
        effects=absorbed,
        cluster=cluster or _default_cluster(frame),
    )


def _names(given: Names) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _default_effects(frame: pd.DataFrame, method: str, changes: bool) -> tuple[str, ...]:
    if method == "ols":
        return ()
    within = "" if changes else "^".join(name for name in ("product", "unit") if name in frame)
    timed = "period" in frame and frame["period"].notna().any()
    return tuple(name for name in (within, "period" if timed else "") if name)


def _default_cluster(frame: pd.DataFrame) -> str:
    known = [name for name in ("unit", "product") if name in frame]
    if not known:
        raise ValueError(
            "cluster=None: there is no column unit or product; name the column within which "
            f"errors go together, of {list(map(str, frame.columns))}"
        )
    return max(known, key=lambda name: frame[name].nunique())


@dataclass(frozen=True, eq=False)
class _Group:
    """Everything found of one group."""

    rows: Rows
    fit: Fit
    frame: pd.DataFrame
    stage: FirstStage | None
    variation: pd.DataFrame
    said: str
    left: pd.DataFrame


def _estimate(rows: Rows, columns: Columns, method: str, level: float) -> _Group:
    absorbed = free_of(rows.effects, rows.clusters)
    stage = None
    slopes = rows.columns.shape[1]
    outcome, left = rows.left[:, 0], rows.left[:, 1 : 1 + slopes]
    if method == "poisson":
        fit = fit_poisson(rows.outcome, rows.columns, rows.effects, rows.clusters, absorbed)
    else:
        instruments = rows.left[:, 1 + slopes :] if method == "iv" else None
        fit = fit_linear(outcome, left, instruments, rows.clusters, absorbed)
    alone = explained_away(np.delete(rows.left, slice(2, 1 + slopes), axis=1), left[:, 1:])
    if method == "iv":
        stage = first_stage(
            alone[:, 0], alone[:, 1], alone[:, 2:], rows.clusters, absorbed + slopes - 1, level
        )
    variation = price_variation(rows)
    return _Group(
        rows=rows,
        fit=fit,
        frame=_terms(rows, fit, columns, method, level),
        stage=stage,
        variation=variation,
        said=identification(columns, variation, stage),
        left=_left(alone, method, columns),
    )


def _left(alone: np.ndarray, method: str, columns: Columns) -> pd.DataFrame:
    sold = "quantity" if method == "poisson" else "log_quantity"
    names = [sold, "log_price", *columns.instruments[:1]]
    return pd.DataFrame(alone[:, : len(names)], columns=names)


def _terms(rows: Rows, fit: Fit, columns: Columns, method: str, level: float) -> pd.DataFrame:
    """One row a price: the own one first."""
    terms = ["own", *columns.cross]
    value = fit.slopes[: len(terms)]
    error = np.sqrt(np.diag(fit.covariance)[: len(terms)])
    reach = error * student_quantile(level, rows.clustered - 1)
    return pd.DataFrame(
        {
            "method": method,
            "group": rows.group,
            "term": terms,
            "elasticity": value,
            "standard_error": error,
            "lower": value - reach,
            "upper": value + reach,
            "rows": len(rows.outcome),
            "clusters": rows.clustered,
            "degrees_of_freedom": rows.clustered - 1,
            "zeros_dropped": rows.dropped["nothing sold"],
            "verdict": [
                _verdict(value[0] - reach[0], value[0] + reach[0]),
                *[""] * len(columns.cross),
            ],
        }
    )


def _verdict(lower: float, upper: float) -> str:
    """Whether sales fall as the price rises, and by more than in proportion."""
    if lower > 0:
        return "rises with the price: not a demand curve"
    if upper >= 0:
        return "undecided: 0 is inside the interval"
    if upper < -1:
        return "elastic"
    return "inelastic" if lower > -1 else "falls with the price"


def _gathered(
    found: list[_Group], columns: Columns, method: str, level: float, simulated: bool
) -> Elasticities:
    stages = [
        _stage_row(one.rows.group, one.stage, columns) for one in found if one.stage is not None
    ]
    frame = pd.concat([one.frame for one in found], ignore_index=True)
    dropped = [
        {"group": one.rows.group, "reason": reason, "rows": rows}
        for one in found
        for reason, rows in one.rows.dropped.items()
        if rows
    ]
    terms = ["own", *columns.cross, *columns.controls]
    return Elasticities(
        frame=frame,
        covariances={
            one.rows.group: pd.DataFrame(one.fit.covariance, terms, terms) for one in found
        },
        first_stage=pd.DataFrame(stages),
        identification={one.rows.group: one.said for one in found},
        price_variation=pd.concat(
            [one.variation.assign(group=one.rows.group) for one in found], ignore_index=True
        )[["group", "source", "share"]],
        left={one.rows.group: one.left for one in found},
        dropped=pd.DataFrame(dropped, columns=["group", "reason", "rows"]),
        columns=columns,
        method=method,
        level=level,
        simulated=simulated,
        notes=tuple(_notes(found, columns)),
    )


def _with_ungrouped(found: Elasticities, groups: pd.Series, by: str) -> Elasticities:
    """Count the rows that belong to no group."""
    rows = int(groups.isna().sum())
    if not rows:
        return found
    row = pd.DataFrame([{"group": "none", "reason": f"{by} not known", "rows": rows}])
    note = f"{counted(rows, 'row')} without a {by}, in no group ({percent(rows / len(groups))})"
    dropped = pd.concat([found.dropped, row], ignore_index=True) if len(found.dropped) else row
    return replace(found, dropped=dropped, notes=(*found.notes, note))


def _stage_row(group: str, stage: FirstStage, columns: Columns) -> dict[str, object]:
    return {
        "group": group,
        "instruments": ", ".join(columns.instruments),
        "f": stage.f,
        "effective_f": stage.effective_f,
        "critical_value": stage.critical_value,
        "partial_r2": stage.partial_r2,
        "ar_lower": stage.anderson_rubin[0],
        "ar_upper": stage.anderson_rubin[1],
        "overidentification": stage.overidentification,
        "weak": stage.weak,
    }


def _notes(found: list[_Group], columns: Columns) -> list[str]:
    notes = []
    few = [one.rows.group for one in found if one.rows.clustered < FEW_CLUSTERS]
    if few:
        notes.append(
            f"fewer than {FEW_CLUSTERS} clusters ({columns.cluster}) in {', '.join(few)}: the "
            "intervals are approximate and rather too narrow"
        )
    zeros = sum(one.rows.dropped["nothing sold"] for one in found)
    if zeros:
        share = zeros / (zeros + sum(len(one.rows.outcome) for one in found))
        notes.append(
            f"{counted(zeros, 'row')} without a sale ({percent(share)}) dropped, since zero has no "
            "log: those who stop buying when it is dear are not seen; see method='poisson'"
        )
    wrong = [one.rows.group for one in found if one.fit.slopes[0] > 0]
    if wrong:
        notes.append(
            f"positive elasticity in {', '.join(wrong)}: not a demand curve, no price can be set "
            "by it; prices follow demand there, or quality goes with price"
        )
    return notes
