"""What could be done for an account, and what each action would bring.

Question: of everything that can be done for a customer, what is worth most, how sure is that, and
what must be true for it?  :func:`account_actions` weighs, from what the firm sees, another
relationship level, more or less discount, more or fewer contacts, a complaint process, one person
responsible and the offer of next needs, each against going on as today: profit after cost to serve
over a horizon, discounted to the end of the window.  `AccountActions` holds the best setting of
each action for each account with its interval, and :meth:`AccountActions.promise` what several
actions bring together, beside their plain sum: a customer is kept only once, and a kept one also
pays the new price.

The value is the mean over draws of all coefficients, with doubt before the data about effects that
are small and badly known (:mod:`~keycustomer.strategy.actions.draws`), since the action that is
chosen is the one whose estimate happens to be high.

Sources: Gupta & Lehmann (2003), Journal of Interactive Marketing 17, 9-24 (value from margin and
retention); Smith & Winkler (2006), Management Science 52, 311-322 (the optimiser's curse); course
material R4 (adapt to each customer) and T4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, made_up_note, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet, percentile_interval
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.levers import Rows
from keycustomer.strategy.actions.outlooks import FirmLevers, Terms, read_levers
from keycustomer.strategy.actions.promising import Chosen, PlanPromise, choose_actions, promised
from keycustomer.strategy.actions.source import Source, company_of
from keycustomer.strategy.actions.vocabulary import (
    ACTION_COLUMNS,
    ACTIONS,
    ActionAssumptions,
    within,
)

BLOCK = 32
"""Accounts weighed at once, so that draws fit into memory."""


@dataclass(frozen=True, eq=False)
class AccountActions:
    """Actions for accounts, with what each would bring.

    Attributes
    ----------
    frame : DataFrame
        One row an account and action, the setting with the largest expected value: customer_id,
        action (one of `ACTIONS`), setting, present (what the account has now), value (expected
        profit over the horizon against going on as today, discounted, currency), lower, upper (95 %
        interval by draws of the coefficients), cost (added cost to serve and revenue given up,
        discounted, currency; below 0 saved), assumption.  A value below 0: no setting pays.
    settings : DataFrame
        The same of all settings that were weighed.
    today : DataFrame
        One row an account: customer_id, value, lower, upper (expected profit over the horizon if
        all goes on as today, currency), months (expected months as a customer).
    skipped : DataFrame
        action, reason: what the base does not tell.
    levels : Series
        Recommended relationship level by customer_id: the one of the largest expected profit.
        Empty where levels cannot be weighed.
    excluded : tuple of str
        Customers asked for who are no longer there, or whose margin is not known.
    customers : Index
        Accounts weighed.
    horizon : int
        Months ahead.
    discount_rate : float
        Effective rate a year.
    floor : float
        Least margin over unit cost that discounts leave, share of it.
    currency : str
        Unit of amounts.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What the reader must know.
    company : dict of str to int or None
        Accounts, months and seed of the simulated company; None where the data are no such one's.
    """

    frame: pd.DataFrame = field(repr=False)
    settings: pd.DataFrame = field(repr=False)
    today: pd.DataFrame = field(repr=False)
    skipped: pd.DataFrame
    levels: pd.Series = field(repr=False)
    excluded: tuple[str, ...]
    customers: pd.Index = field(repr=False)
    horizon: int
    discount_rate: float
    floor: float
    currency: str
    simulated: bool
    notes: tuple[str, ...]
    firm: FirmLevers = field(repr=False)
    company: dict[str, int] | None
    _codes: npt.NDArray[np.int64] = field(repr=False)
    _found: dict[tuple[str, int], list[Chosen]] = field(default_factory=dict, repr=False)

    def top(self, customer_id: str, n: int = 3) -> pd.DataFrame:
        """Choose the actions that bring an account most together, the best one first.

        Each next action is the one that adds most to those before it, at the setting that does;
        none that adds nothing.

        Parameters
        ----------
        customer_id : str
            One of `customers`.
        n : int
            Actions at most.

        Returns
        -------
        DataFrame
            Columns of `frame`, and added (what the action adds to those above it, currency).

        Raises
        ------
        KeyError
            When the account was not weighed.
        """
        chosen = self.chosen(customer_id, n)
        rows = [self._row(customer_id, one) | {"added": one.added} for one in chosen]
        return pd.DataFrame(rows, columns=[*ACTION_COLUMNS, "added"])

    def best(self, n: int = 1) -> pd.DataFrame:
        """List the best actions of every account, those that promise most first.

        Parameters
        ----------
        n : int
            Actions an account at most.
        """
        parts = [self.top(one, n) for one in self.customers]
        known = [part for part in parts if len(part)]
        if not known:
            return pd.DataFrame(columns=[*ACTION_COLUMNS, "added"])
        listed = pd.concat(known, ignore_index=True)
        return listed.sort_values("added", ascending=False, kind="stable", ignore_index=True)

    def chosen(self, customer_id: str, n: int = 3) -> list[Chosen]:
        """Choose as `top` does; the places of lever and setting."""
        whole_number(n, "n", of="actions", least=1)
        key = (str(customer_id), n)
        if key not in self._found:
            self._found[key] = choose_actions(self.firm, np.array([self.row(customer_id)]), n)
        return self._found[key]

    def promise(
        self, customers: Iterable[str] | None = None, n: int = 3, level: float = 0.95
    ) -> PlanPromise:
        """Tell what the chosen actions of some accounts bring together.

        Parameters
        ----------
        customers : iterable of str, optional
            Out of `customers`; left out, all.
        n : int
            Actions an account at most.
        level : float
            Of the intervals.

        Returns
        -------
        PlanPromise
            `joint`, actions combined on the scale of the hazard and the margin; `plain`, their
            values added up.
        """
        names = list(self.customers if customers is None else customers)
        plans = {name: self.chosen(name, n) for name in names}
        rows = {name: self.row(name) for name in names}
        return promised(self.firm, plans, rows, level, self.simulated)

    def row(self, customer_id: str) -> int:
        """Place of an account among all that are present.

        Raises
        ------
        KeyError
            When it was not weighed.
        """
        if customer_id not in self.customers:
            raise KeyError(
                f"no account {customer_id!r} was weighed; {len(self.customers):,} were, such as "
                f"{', '.join(map(repr, self.customers[:3]))}"
            )
        return int(self.firm.now.frame.index.get_indexer(pd.Index([customer_id]))[0])

    def _row(self, customer_id: str, one: Chosen) -> dict[str, object]:
        at = self._place[(customer_id, one.lever, one.setting)]
        return {str(name): value for name, value in self.settings.iloc[at].items()}

    @cached_property
    def _place(self) -> dict[tuple[str, int, int], int]:
        """Row of `settings` by account, lever and setting."""
        names = self.settings["customer_id"]
        keys = zip(names, *self._codes.T.tolist(), strict=True)
        return {key: place for place, key in enumerate(keys)}

    @property
    def sentence(self) -> str:
        """The finding in words."""
        paying = self.frame[self.frame["value"] > 0]
        if paying.empty:
            return f"For none of {counted(len(self.customers), 'account')} does any action pay."
        first = paying.loc[paying.groupby("customer_id")["value"].idxmax()]
        most = first["action"].value_counts()
        sure = int((first["lower"] > 0).sum())
        return (
            f"What promises most is {most.index[0]} for {most.iloc[0]:,} of "
            f"{counted(len(self.customers), 'account')}; for {sure:,} the interval of the best "
            "action lies above 0."
        )

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.sort_values("value", ascending=False, ignore_index=True)
        sentences = [*made_up_note(self.simulated), self.sentence, *self.notes]
        tables = {"Actions": shown.drop(columns="assumption"), "Not weighed": self.skipped}
        return report_html(f"Actions, {self.horizon} months ahead", sentences, tables)


def account_actions(
    source: Source,
    customers: Iterable[str] | None = None,
    *,
    level_costs: Sequence[float],
    visit_cost: float,
    call_cost: float,
    horizon: int = 36,
    discount_rate: float = 0.10,
    floor: float = 0.10,
    draws: int = 200,
    seed: Seed = 0,
    contact_kinds: Sequence[str] = ("visit", "call"),
    complaint_kinds: Sequence[str] = ("complaint",),
    assumptions: ActionAssumptions | None = None,
    progress: Progress | None = None,
) -> AccountActions:
    """Weigh what could be done for accounts, from what the firm sees.

    Parameters
    ----------
    source : CustomerBase or Company
        A prepared base, or a simulated company.
    customers : iterable of str, optional
        Accounts to weigh; left out, all who are present at the end of the window.
    level_costs : sequence of 5 float
        Cost of each relationship level without contacts, currency an account and month: stated.
    visit_cost, call_cost : float
        Cost of a contact of the first kind, and of any other, currency.
    horizon : int
        Months ahead, 1 to 240.
    discount_rate : float
        Effective rate a year, a share.
    floor : float
        Least margin over unit cost that a deeper discount must leave, share of it.
    draws : int
        Draws of the coefficients, at least 2.
    seed : int or Generator
        Of the draws.
    contact_kinds, complaint_kinds : sequence of str
        Kinds of interactions that are contacts (the one others are counted in first), complaints.
    assumptions : ActionAssumptions, optional
        What else is stated.
    progress : callable, optional
        Called with accounts done and in all, once the work has taken two seconds.

    Returns
    -------
    AccountActions

    Raises
    ------
    KeyError
        When a customer is not known.
    ValueError
        When arguments are out of range, or no margin is known.
    """
    terms = _terms(
        level_costs, visit_cost, call_cost, horizon, discount_rate, floor, draws,
        (tuple(contact_kinds), tuple(complaint_kinds)), assumptions or ActionAssumptions(),
    )  # fmt: skip
    asked = None if customers is None else _known_customers(source, customers)
    firm = read_levers(source, terms, np.random.default_rng(seed))
    names, gone = _still_there(firm, asked)
    rows = firm.now.frame.index.get_indexer(pd.Index(names, dtype=object))
    settings, today = _weighed(firm, rows, after_quiet(progress))
    frame = _best_settings(settings)
    return AccountActions(
        frame=frame[list(ACTION_COLUMNS)],
        settings=settings[list(ACTION_COLUMNS)],
        today=today,
        skipped=firm.skipped,
        levels=_levels(firm, rows, settings),
        excluded=gone,
        customers=pd.Index(names, name="customer_id"),
        horizon=terms.horizon,
        discount_rate=terms.discount_rate,
        floor=terms.floor,
        currency=firm.now.currency,
        simulated=source.simulated if isinstance(source, CustomerBase) else True,
        notes=(*firm.notes, *_gone(gone, source)),
        firm=firm,
        company=company_of(source),
        _codes=settings[["_lever", "_setting"]].to_numpy(dtype=np.int64),
    )


def _terms(
    level_costs: Sequence[float],
    visit_cost: float,
    call_cost: float,
    horizon: int,
    discount_rate: float,
    floor: float,
    draws: int,
    kinds: tuple[tuple[str, ...], tuple[str, ...]],
    stated: ActionAssumptions,
) -> Terms:
    right = within(level_costs, 0, np.inf) and np.shape(level_costs) == (len(LEVELS),)
    asked = (
        (right, f"level_costs={level_costs!r}: five amounts of 0 or larger, {LEVELS[0]} first"),
        (within(visit_cost, 0, np.inf), f"visit_cost={visit_cost!r}: an amount of 0 or larger"),
        (within(call_cost, 0, np.inf), f"call_cost={call_cost!r}: an amount of 0 or larger"),
        (within(discount_rate, 0, 1), f"discount_rate={discount_rate!r}: a share a year, 0 to 1"),
        (within(floor, 0, 10), f"floor={floor!r}: a share of unit cost, 0 to 10"),
    )
    refuse(f"{sentence} is needed" for fine, sentence in asked if not fine)
    whole_number(horizon, "horizon", of="months", least=1)
    whole_number(draws, "draws", of="draws", least=2)
    return Terms(
        np.asarray(level_costs, dtype=float), float(visit_cost), float(call_cost), int(horizon),
        float(discount_rate), float(floor), int(draws), *kinds, stated,
    )  # fmt: skip


def _known_customers(source: Source, customers: Iterable[str]) -> list[str]:
    """Ids asked for, each once, all of them known."""
    if isinstance(customers, str):
        raise TypeError(f"customers={customers!r}: a sequence of ids is needed, such as [...]")
    names = list(dict.fromkeys(customers))
    everybody = _everybody(source)
    unknown = [name for name in names if name not in everybody]
    if unknown:
        raise KeyError(f"customers: no customer {unknown[0]!r} ({len(unknown):,} such)")
    return names


def _still_there(firm: FirmLevers, asked: list[str] | None) -> tuple[list[str], tuple[str, ...]]:
    """Accounts to weigh, and those asked for that are not there any more."""
    present = firm.now.frame.index[np.isfinite(firm.now.column("margin"))]
    if asked is None:
        return present.tolist(), ()
    there = set(present)
    gone = tuple(name for name in asked if name not in there)
    return [name for name in asked if name in there], gone


def _everybody(source: Source) -> set[str]:
    if isinstance(source, CustomerBase):
        # Who buys need not be on file: the grocer knows its customers' attributes of a third.
        tables = [name for name in ("customers", "transactions") if source.has(name)]
        read = [source.query(f"select distinct customer_id from {name}") for name in tables]  # noqa: S608
        return {name for frame in read for name in frame["customer_id"]}
    from keycustomer.simulate.columns import customer_ids

    return set(customer_ids(source.accounts.number))


def _gone(gone: tuple[str, ...], source: Source) -> tuple[str, ...]:
    if not gone:
        return ()
    named = not isinstance(source, CustomerBase) or source.identifiable
    who = ", ".join(gone) if named else counted(len(gone), "account")
    return (f"No longer there, or without a known margin, and left out: {who}.",)


def _weighed(firm: FirmLevers, rows: Rows, report: Progress) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Value of every open setting of every account, and what going on as today brings."""
    parts, todays = [], []
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        future = firm.future(block)
        today = future.profit()
        todays.append(_today(firm, block, today, future.months()))
        for place, lever in enumerate(firm.levers):
            for k in range(len(lever.names)):
                there = np.flatnonzero(lever.open[block, k])
                if there.size:
                    profit, cost = future.accounts(lever.shift(block, k))
                    gain = (profit - today)[:, there]
                    parts.append(_told(firm, place, k, block[there], gain, cost[:, there]))
        report(min(start + BLOCK, len(rows)), len(rows))
    columns = [*ACTION_COLUMNS, "_lever", "_setting", "_row"]
    settings = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    order = pd.Series(np.arange(len(rows)), rows)
    by = (settings["_row"].map(order), settings["_lever"], settings["_setting"])
    listed = settings.iloc[np.lexsort(by[::-1])].reset_index(drop=True)
    return listed, pd.concat(todays, ignore_index=True) if todays else _no_accounts()


def _no_accounts() -> pd.DataFrame:
    return pd.DataFrame(columns=["customer_id", "value", "lower", "upper", "months"])


def _told(
    firm: FirmLevers, place: int, k: int, rows: Rows, gain: FloatArray, cost: FloatArray
) -> pd.DataFrame:
    lever = firm.levers[place]
    lower, upper = _ends(gain)
    return pd.DataFrame(
        {
            "customer_id": firm.now.frame.index[rows],
            "action": lever.action,
            "setting": [lever.told(int(row), k) for row in rows],
            "present": [lever.present[int(row)] for row in rows],
            "value": gain.mean(axis=0),
            "lower": lower,
            "upper": upper,
            "cost": cost.mean(axis=0),
            "assumption": lever.assumption,
            "_lever": place,
            "_setting": k,
            "_row": rows,
        }
    )


def _today(firm: FirmLevers, rows: Rows, profit: FloatArray, months: FloatArray) -> pd.DataFrame:
    lower, upper = _ends(profit)
    return pd.DataFrame(
        {
            "customer_id": firm.now.frame.index[rows],
            "value": profit.mean(axis=0),
            "lower": lower,
            "upper": upper,
            "months": months.mean(axis=0),
        }
    )


def _ends(drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the intervals of columns of draws."""
    ends = np.array([percentile_interval(column) for column in drawn.T]).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def _best_settings(settings: pd.DataFrame) -> pd.DataFrame:
    """Keep the setting of the largest value of each account and action."""
    if settings.empty:
        return settings
    groups = settings.groupby(["_row", "_lever"], sort=False)["value"]
    return settings.loc[np.sort(groups.idxmax().to_numpy())].reset_index(drop=True)


def _levels(firm: FirmLevers, rows: Rows, settings: pd.DataFrame) -> pd.Series:
    """Recommended level: the present one where no other is worth more."""
    names = firm.now.frame.index[rows]
    if not any(lever.action == ACTIONS[0] for lever in firm.levers):
        return pd.Series(dtype=object, index=pd.Index([], name="customer_id"), name="level")
    present = firm.now.level[rows]
    words = [LEVELS[k] if k >= 0 else None for k in present]
    level = pd.Series(words, index=names, name="level", dtype=object)
    own = settings[(settings["action"] == ACTIONS[0])]
    best = own.loc[own.groupby("customer_id", sort=False)["value"].idxmax()]
    better = best[(best["value"] > 0) | level.reindex(best["customer_id"]).isna().to_numpy()]
    level[better["customer_id"]] = better["setting"].to_numpy()
    return level
