"""Two kinds of key customer: the most valuable now, and the most valuable potentially.

Who are they, and are they the same people (course claim K2)?  :func:`map_potential` sets each
customer's current value (what it brought) against its potential value (what it is expected to
bring, such as the residual lifetime value, or the worth of its contract) and draws two borders:

====================  ==================  ==================
group                 current value       potential value
====================  ==================  ==================
key now and later     at or above border  at or above border
key now, fading       at or above border  below border
key later             below border        at or above border
basic                 below border        below border
====================  ==================  ==================

A border is a share of the customers (the top fifth) or an amount.  What a customer is expected to
bring is estimated, so some customers lie near a border by chance: with the potential values of
the models of every draw (`CustomerValues.redrawn`, `ContractValues.redrawn`) every customer gets a
probability for each group.  That is the uncertainty of the expectation; what a single customer will
really do is more uncertain still.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import need_columns
from keycustomer.stats import Estimate, bootstrap_estimate, finite_values, share_of
from keycustomer.stats.samples import FloatArray

BOTH, NOW, LATER, NEITHER = "key now and later", "key now, fading", "key later", "basic"
GROUPS = (BOTH, NOW, LATER, NEITHER)
"""Groups of the map, the most valuable first."""

KEY_LATER = (GROUPS.index(BOTH), GROUPS.index(LATER))
"""Places of the groups whose potential lies above the border."""

SHOWN = 3
"""Offending customers named in a message."""


class HasFrame(Protocol):
    """A result with one row a customer, such as `CustomerValues`."""

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""


Table: TypeAlias = pd.DataFrame | HasFrame


@dataclass(frozen=True, eq=False)
class PotentialMap:
    """Customers by current and potential value.

    Attributes
    ----------
    current, potential : str
        What the two values are.
    current_border, potential_border : float
        Values from which a customer counts as key, currency.
    frame : DataFrame
        One row a customer in the order given: ``customer_id``, ``current``, ``potential``
        (currency), ``group``, ``current_rank``, ``potential_rank`` (1 the best, ties at their
        middle), ``rise`` (places by which the potential rank is better), ``certainty``
        (probability of its group over the draws; NaN without any).
    probabilities : DataFrame or None
        Probability of every group, one row a customer; None without draws.
    left_out : int
        Customers without a potential value, such as those who never bought.
    draws : int
        Draws the probabilities rest on.
    overlooked : Estimate
        Share of the customers key later who are not key now; its interval comes from the draws.
    """

    current: str
    potential: str
    current_border: float
    potential_border: float
    frame: pd.DataFrame = field(repr=False)
    probabilities: pd.DataFrame | None = field(repr=False)
    left_out: int
    draws: int
    overlooked: Estimate

    @property
    def groups(self) -> pd.DataFrame:
        """The groups and what is at stake in each.

        Returns
        -------
        DataFrame
            One row a group: ``group``, ``customers``, ``customer_share``, ``current`` and
            ``current_share`` (what it brought), ``potential`` and ``potential_share`` (what it is
            expected to bring still: the value at stake).
        """
        sums = self.frame.groupby("group")[["current", "potential"]].sum()
        counts = self.frame["group"].value_counts()
        table = pd.DataFrame({"group": GROUPS, "customers": _listed(counts)})
        table["customer_share"] = table["customers"] / max(len(self.frame), 1)
        for name in ("current", "potential"):
            table[name] = _listed(sums[name])
            total = table[name].sum()
            table[f"{name}_share"] = table[name] / total if total > 0 else np.nan
        return table.astype({"customers": int})

    @property
    def rank_correlation(self) -> float:
        """Spearman's correlation of current and potential value; NaN where all are equal."""
        ranks = self.frame[["current_rank", "potential_rank"]]
        if (ranks.nunique() < 2).any():
            return float("nan")
        return float(ranks["current_rank"].corr(ranks["potential_rank"]))

    def rising(self, count: int = 10, group: str | None = LATER) -> pd.DataFrame:
        """List the customers whose potential rank is furthest above their present rank.

        Parameters
        ----------
        count : int
            Rows at most.
        group : str or None
            Group to look at; None for everybody.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        if group is not None and group not in GROUPS:
            raise ValueError(f"group={group!r}: one of {', '.join(map(repr, GROUPS))} is needed")
        rows = self.frame if group is None else self.frame[self.frame["group"] == group]
        rows = rows[rows["rise"] > 0]
        order = ["rise", "potential"]
        return rows.sort_values(order, ascending=False, kind="stable").head(count)

    def uncertain(self, level: float = 0.95) -> pd.DataFrame:
        """List the customers whose group is not certain, those with most potential first.

        Parameters
        ----------
        level : float
            Certainty below which a customer is listed, 0..1.

        Returns
        -------
        DataFrame
            The customers' rows with the probability of every group beside them.

        Raises
        ------
        ValueError
            When the map was made without draws.
        """
        probabilities = self._drawn()
        rows = self.frame["certainty"] < share_of(level, "level")
        both = pd.concat([self.frame[rows], probabilities[rows]], axis=1)
        return both.sort_values("potential", ascending=False, kind="stable")

    def crossings(self) -> pd.DataFrame:
        """Count the customers expected in every group over the draws, by their group.

        Returns
        -------
        DataFrame
            Index: group; columns: group over the draws; customers (expected number).

        Raises
        ------
        ValueError
            When the map was made without draws.
        """
        sums = self._drawn().groupby(self.frame["group"]).sum()
        return sums.reindex(index=list(GROUPS), columns=list(GROUPS), fill_value=0.0)

    def _drawn(self) -> pd.DataFrame:
        if self.probabilities is None:
            raise ValueError(
                "this map was made without draws: give map_potential(..., "
                "draws=values.redrawn()) to learn who crosses a border"
            )
        return self.probabilities

    def to_frame(self) -> pd.DataFrame:
        """Return one row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        left = f" {self.left_out:,} customers without potential value are left out."
        note = html.escape(
            f"Key now: {self.current} of {self.current_border:,.2f} or more; key later: "
            f"{self.potential} of {self.potential_border:,.2f} or more. Rank correlation "
            f"{self.rank_correlation:.2f}.{left if self.left_out else ''}"
        )
        table = self.groups.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{note}</p>{table}"


def _listed(by_group: pd.Series) -> list[Any]:
    return by_group.reindex(list(GROUPS), fill_value=0).tolist()


def map_potential(
    customers: pd.DataFrame,
    values: Table,
    *,
    current: str = "revenue",
    potential: str = "residual_value",
    top: float | tuple[float, float] = 0.2,
    current_border: float | None = None,
    potential_border: float | None = None,
    draws: Iterable[FloatArray] = (),
    customer_id: str = "customer_id",
) -> PotentialMap:
    """Map customers by current and potential value.

    Parameters
    ----------
    customers : DataFrame
        One row a customer with its current value.
    values : DataFrame or result with to_frame()
        One row a customer with its potential value, such as `value_customers` gives; customers
        are matched by id.
    current, potential : str
        Columns of the two tables, currency: what the customer brought (revenue, margin, profit),
        and what it is expected to bring.
    top : float or (float, float)
        Share of the customers counted as key, 0..1; two shares for now and later.
    current_border, potential_border : float, optional
        Amounts instead of shares, currency.
    draws : iterable of ndarray, shape (rows of `values`,)
        Potential values over again by the models of every draw, in the order of
        `values`; a border that is a share moves along with them.
    customer_id : str
        Column of both tables.

    Returns
    -------
    PotentialMap
        Customers equal at a border lie above it together, those whose value is not above zero
        below it, unless the border is a negative amount.

    Raises
    ------
    ValueError
        When columns are missing, an id stands in a table twice or in one of them only, a value is
        not finite, or a share or draw does not fit.
    """
    now, later, rows, given = _matched(customers, values, (current, potential), customer_id)
    shares = top if isinstance(top, tuple) else (top, top)
    lines = (
        _border(now, shares[0], current_border, "current_border"),
        _border(later, shares[1], potential_border, "potential_border"),
    )
    group = _groups(_above(now, lines[0]), _above(later, lines[1]))
    key_now = _above(now, lines[0])
    counts, shares_drawn = _counted(draws, rows, given, key_now, shares[1], potential_border)
    drawn = len(shares_drawn)
    frame = _frame(now, later, group)
    probabilities = pd.DataFrame(counts / drawn, columns=list(GROUPS)) if drawn else None
    if drawn:
        frame["certainty"] = counts[np.arange(len(group)), group] / drawn
    left_out = given - rows.size
    overlooked = _overlooked(group, shares_drawn)
    return PotentialMap(
        current, potential, *lines, frame, probabilities, left_out, drawn, overlooked
    )


def _matched(
    customers: pd.DataFrame, values: Table, names: tuple[str, str], customer_id: str
) -> tuple[pd.Series, pd.Series, np.ndarray, int]:
    """Both values by id, in the order of `values`; the rows of `values` kept, and their number."""
    given: Any = values
    if not isinstance(values, pd.DataFrame) and hasattr(values, "to_frame"):
        given = values.to_frame()
    tables: dict[str, Any] = {"customers": customers, "values": given}
    for argument, table in tables.items():
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                f"{argument}: a table (DataFrame) is needed, for `values` also a result such as "
                f"value_customers gives; got {type(table).__name__}"
            )
    columns = {}
    for (argument, table), name in zip(tables.items(), names, strict=True):
        need_columns(table, (customer_id, name), argument)
        column = table.set_index(customer_id)[name]
        twice = column.index[column.index.duplicated()]
        if len(twice):
            raise ValueError(f"{argument}: {_ids(twice)} in more than one row; one row a customer")
        columns[argument] = column
    now, later = columns["customers"], columns["values"]
    for argument, one, other in (("values", now, later), ("customers", later, now)):
        strange = one.index.difference(other.index)
        if len(strange):
            raise ValueError(f"{argument}: {_ids(strange)} missing, known to the other table only")
    kept = later.notna().to_numpy()
    if not kept.any():
        raise ValueError("values: no customer has a potential value")
    later = later[kept]
    return now.reindex(later.index), later, np.flatnonzero(kept), kept.size


def _ids(index: pd.Index) -> str:
    shown = ", ".join(repr(one) for one in index[:SHOWN].tolist())
    more = f" and {len(index) - SHOWN:,} more" if len(index) > SHOWN else ""
    return f"customer {shown}{more}"


def _border(values: pd.Series, share: float, given: float | None, argument: str) -> float:
    if given is not None:
        if isinstance(given, (bool, str)) or not np.isfinite(given):
            raise ValueError(f"{argument}={given!r}: a finite amount is needed")
        return float(given)
    return _line(finite_values(values, str(values.name)), share_of(share, "top"))


def _line(values: FloatArray, share: float) -> float:
    """Value of the last customer of the top share; beyond the largest value for a share of 0.

    Never below zero: who costs more than it brings is not key, however many are to be.
    """
    count = int(np.ceil(share * values.size - 1e-9))
    if count == 0:
        return max(0.0, float(np.nextafter(values.max(), np.inf)))
    return max(0.0, float(np.partition(values, values.size - count)[values.size - count]))


def _above(values: pd.Series | FloatArray, border: float) -> np.ndarray:
    """Tell who lies at or above a border, with a value above zero if the border has none."""
    numbers = np.asarray(values, dtype=float)
    return (numbers >= border) & ((numbers > 0) | (border < 0))


def _groups(now: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Place of every customer's group among `GROUPS`."""
    return np.select([now & later, now, later], [0, 1, 2], 3)


def _frame(now: pd.Series, later: pd.Series, group: np.ndarray) -> pd.DataFrame:
    current, potential = (finite_values(one, str(one.name)) for one in (now, later))
    ranks = [pd.Series(-one).rank().to_numpy() for one in (current, potential)]
    return pd.DataFrame(
        {
            "customer_id": now.index,
            "current": current,
            "potential": potential,
            "group": np.array(GROUPS)[group],
            "current_rank": ranks[0],
            "potential_rank": ranks[1],
            "rise": ranks[0] - ranks[1],
            "certainty": np.nan,
        }
    )


def _overlooked(group: np.ndarray, drawn: Sequence[float]) -> Estimate:
    later = int(np.isin(group, KEY_LATER).sum())
    point, unit = _not_key_now(group), "share of the customers key later"
    if not drawn:
        return Estimate.without_interval(point, unit, later, "no draws")
    return bootstrap_estimate(point, drawn, unit=unit, n=later)


def _not_key_now(group: np.ndarray) -> float:
    """Share of those key later who are not key now; NaN where nobody is key later."""
    later = np.isin(group, KEY_LATER).sum()
    return float((group == KEY_LATER[1]).sum() / later) if later else float("nan")


def _counted(
    draws: Iterable[FloatArray],
    rows: np.ndarray,
    given: int,
    now: np.ndarray,
    share: float,
    border: float | None,
) -> tuple[FloatArray, list[float]]:
    """Count in how many draws each customer is in each group, shape (customers, groups).

    Beside the counts stands each draw's share of those key later who are not key now.
    """
    counts = np.zeros((rows.size, len(GROUPS)))
    overlooked: list[float] = []
    places = np.arange(rows.size)
    for drawn, potential in enumerate(draws):
        if np.shape(potential) != (given,):
            raise ValueError(
                f"draws: draw {drawn} has the shape {np.shape(potential)}; one number for each of "
                f"the {given:,} rows of `values` is needed, in their order"
            )
        values = finite_values(np.asarray(potential, dtype=float)[rows], f"draws[{drawn}]")
        group = _groups(now, _above(values, _line(values, share) if border is None else border))
        counts[places, group] += 1
        overlooked.append(_not_key_now(group))
    return counts, overlooked
