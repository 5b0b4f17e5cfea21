"""Account plans: for each of the most valuable accounts one row and one page (R4).

Question: what does the firm know of its top accounts, and what should it do for each of them?
:func:`account_plans` joins what the chapters found of the largest customers that are still there:
class, value now and potential value, where value falls short, relationship level now and
recommended, price position and permitted discount, service, who is in charge, contract, next need,
and the few actions with the largest expected value.  :class:`AccountPlans` has one row an account,
the plan's total, and makes the page of each account.

What a base does not have is left out and said (`missing`); a value that is not known is empty,
never 0.  A customer whose contract has ended gets no plan, and is counted.  Whether plans of their
own bring more than one plan for all is judged by `judge_account_plans`.

Sources: the course's R4 (adapt to each customer, ask the top ten); Ryals & McDonald, "Key Account
Plans" (2008), for what a plan holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.dimensions import DossierBook, open_dossiers
from keycustomer.dimensions.dossier.header import label_of
from keycustomer.lifetime.arguments import whole_number
from keycustomer.lifetime.units import days_in
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.strategy.actions.vocabulary import within
from keycustomer.strategy.plans.accounts import plan_accounts
from keycustomer.strategy.plans.care import DAYS_OF_MONTH
from keycustomer.strategy.plans.chosen_actions import CHOSEN, Actions
from keycustomer.strategy.plans.decided import NO_ACTIONS, NO_LEVELS, decide, empty_decisions
from keycustomer.strategy.plans.gaps import weakest
from keycustomer.strategy.plans.parts import care_of, gaps_of, needs_of, prices_of
from keycustomer.strategy.plans.worth import Classes, classes_of, worth_columns

if TYPE_CHECKING:
    from keycustomer.strategy.plans.page import AccountPlan

SHOWN = (
    "label",
    "class",
    "value_now",
    "potential",
    "weakest_dimension",
    "level_now",
    "level_recommended",
    "discount",
    "discount_permitted",
    "complaints",
    "months_left",
    "next_need",
    "action_1",
    "promised",
)
"""Columns shown in a notebook; the frame has all."""

WHOLE = ("value_now", "potential", "complaints", "months_left", "promised")
SHARES = ("discount", "discount_permitted")
"""Those of them shown without decimals, and in percent."""


@dataclass(frozen=True, eq=False)
class AccountPlans:
    """Plans for the most valuable accounts.

    Attributes
    ----------
    frame : DataFrame
        One row an account, the most valuable first: customer_id, label (what pages call it); on
        value `plans.worth.WORTH`, on value dimensions `plans.gaps.WEAK`, on levels level_now and
        level_recommended, on prices `plans.prices.PRICES`, on service `plans.care.SERVICE`, on
        responsibility `plans.care.CHARGE`, on contracts `plans.care.CONTRACT`, next_need and
        next_need_chance, then action_1, setting_1, value_1, lower_1, upper_1, cost_1,
        assumption_1 and so on, and promised with promised_lower and promised_upper (together) and
        promised_plain (added up), currency.
        Columns of parts that are missing are empty.
    gaps : DataFrame
        One row an account and dimension of value: `plans.gaps.GAPS`.
    sacrifices : tuple of str
        Dimensions of which less is better.
    actions : DataFrame
        One row an account and chosen action, the largest first: customer_id, place, action,
        setting, present, value, lower, upper, cost, assumption, added (to those before it).
    actions_each : int
        Actions an account at most.
    total : Estimate or None
        What the chosen actions promise together, currency; None without actions.
    plain : Estimate or None
        Their values added up, as though they did not overlap.
    horizon : int or None
        Months ahead for which actions are counted; None where that is not known.
    potential_of : str
        What the potential value counts: `profit` (with actions of customers under contract),
        `margin`, or `revenue` (lifetime values).
    potential_months : float or None
        Months ahead for which it is counted; None: for ever, or not known.
    by : str
        What makes a customer large: `revenue`, `margin` or `profit` of the last year.
    floor : float
        Least margin over unit cost of a permitted discount, share of unit cost.
    currency : str
        Of all amounts.
    missing : dict of str to str
        Parts that the base cannot fill, with the reason.
    notes : tuple of str
        What a reader must know, and who was left out.
    book : DossierBook
        The base as it was read.
    before : AccountPlans or None
        The plans before actions were chosen.
    """

    frame: pd.DataFrame = field(repr=False)
    gaps: pd.DataFrame = field(repr=False)
    sacrifices: tuple[str, ...]
    actions: pd.DataFrame = field(repr=False)
    actions_each: int
    total: Estimate | None
    plain: Estimate | None
    horizon: int | None
    potential_of: str
    potential_months: float | None
    by: str
    floor: float
    currency: str
    missing: dict[str, str]
    notes: tuple[str, ...]
    book: DossierBook = field(repr=False)
    before: AccountPlans | None = field(default=None, repr=False)

    @property
    def customers(self) -> list[str]:
        """Ids of the accounts, the most valuable first."""
        return [str(one) for one in self.frame["customer_id"]]

    @property
    def simulated(self) -> bool:
        """Whether the data are made up."""
        return self.book.base.simulated

    @property
    def value_name(self) -> str:
        """What makes an account large, in words."""
        return self.book.named(self.by)

    @property
    def sentence(self) -> str:
        """The plan in words."""
        frame = self.frame
        known = frame["value_share"].notna().all()
        share = f" with {100 * frame['value_share'].sum():.0f} % of it" if known else ""
        said = (
            f"Plans for {counted(len(frame), 'account')}, the largest by {self.value_name}{share}"
        )
        if self.total is None:
            return f"{said}; no actions were given."
        served = self.actions["customer_id"].nunique()
        if not served:
            return f"{said}; no action promises more than going on as today."
        kinds = self.actions.loc[self.actions["place"] == 1, "action"].value_counts()
        return (
            f"{said}: {counted(len(self.actions), 'action')} for {served:,} of them promise "
            f"{self.total} {self.currency}; most often first: {kinds.index[0]} ({kinds.iloc[0]:,})."
        )

    @property
    def cost_assumed(self) -> bool:
        """Whether an assumed margin stands for cost of goods that is not recorded."""
        return self.book.base.margin is not None

    def row(self, customer_id: str) -> pd.Series:
        """Give the row of an account.

        Raises
        ------
        KeyError
            When the account has no plan.
        """
        found = self.frame[self.frame["customer_id"] == customer_id]
        if found.empty:
            first = ", ".join(map(repr, self.customers[:3]))
            raise KeyError(
                f"no plan for customer {customer_id!r}; there are plans for {len(self.frame):,} "
                f"accounts, the first {first}: name others in account_plans(..., customers=[...])"
            )
        return found.iloc[0]

    def with_actions(
        self, actions: Actions, *, recommended: pd.Series | None = None
    ) -> AccountPlans:
        """Give the same plans with actions.

        Parameters
        ----------
        actions : AccountActions or DataFrame
            As `account_plans` takes them.
        recommended : Series, optional
            Relationship level by customer_id; left out, that of the actions.
        """
        return decide(self, actions, recommended)

    def page(self, customer_id: str, label: str | None = None) -> AccountPlan:
        """Make the page of an account.

        Parameters
        ----------
        customer_id : str
            The account.
        label : str, optional
            What the page calls it; left out, its name or id, or its rank where customers may not
            be named.

        Raises
        ------
        KeyError
            When the account has no plan.
        """
        from keycustomer.strategy.plans.page import make_plan

        return make_plan(self, self.row(customer_id), label)

    def save(
        self,
        folder: str | Path,
        *,
        labels: Mapping[str, str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Path]:
        """Write the page of every account, numbered in their order.

        Parameters
        ----------
        folder : str or Path
            Where to; made when it is not there.
        labels : mapping of str to str, optional
            What pages call accounts, by id.
        progress : callable, optional
            Called as ``progress(done, all)`` once the work has taken two seconds.

        Returns
        -------
        list of Path
            ``plan_001.html`` and so on: no id is put in a file's name.
        """
        Path(folder).mkdir(parents=True, exist_ok=True)
        report, paths = after_quiet(progress), []
        for number, customer in enumerate(self.customers, 1):
            page = self.page(customer, (labels or {}).get(customer))
            paths.append(page.save(Path(folder) / f"plan_{number:03d}.html"))
            report(number, len(self.frame))
        return paths

    def to_frame(self) -> pd.DataFrame:
        """Give one row an account, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = [name for name in SHOWN if self.frame[name].notna().any()]
        table = self.frame[shown].copy()
        for name in {*WHOLE, *SHARES} & set(shown):
            write = _whole if name in WHOLE else percent
            table[name] = [write(float(one)) for one in table[name]]
        table = table.rename(columns=lambda name: name.replace("_", " "))
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            *self.notes,
            *(f"Not in the plans: {what}: {why}" for what, why in self.missing.items()),
        ]
        return report_html("Account plans", said, {f"Amounts in {self.currency}": table})


def account_plans(
    base: CustomerBase,
    *,
    n: int = 10,
    by: str | None = None,
    customers: Sequence[str] | None = None,
    classes: Classes | None = None,
    actions: Actions | None = None,
    recommended: pd.Series | None = None,
    floor: float = 0.10,
    actions_each: int = 3,
    benefits: Sequence[str] | None = None,
    sacrifices: Sequence[str] | None = None,
    book: DossierBook | None = None,
    progress: Progress | None = None,
) -> AccountPlans:
    """Join what is known of the most valuable accounts, and what to do for each.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    n : int
        Accounts: the largest by value of the last year whose contract has not ended.
    by : {"revenue", "margin", "profit"}, optional
        What makes a customer large; left out, profit where it is known, else revenue.
    customers : sequence of str, optional
        The accounts, in place of the n largest.
    classes : AbcClasses or DataFrame, optional
        Class of customers (customer_id, abc); left out, A makes 80 % of the value of the last year.
    actions : AccountActions or DataFrame, optional
        What could be done and what it would bring, from `account_actions`, or a frame with
        customer_id, action, setting, present, value, lower, upper, cost, assumption.
    recommended : Series, optional
        Relationship level by customer_id; left out, that of the actions, where they have one.
    floor : float
        Least margin over unit cost of a permitted discount, share of unit cost.
    actions_each : int
        Actions an account at most.
    benefits, sacrifices : sequence of str, optional
        Dimensions of value among the constructs of the survey; left out, those of whose attributes
        it asks the importance, and those that begin with `sacrifice`.
    book : DossierBook, optional
        The base as `open_dossiers` read it, with other lifetime values, survey, next needs or
        segments; left out, opened here.
    progress : callable, optional
        Called as ``progress(done, all)`` once the work has taken two seconds.

    Returns
    -------
    AccountPlans

    Raises
    ------
    KeyError, ValueError
        When an argument makes no sense, or the base has no transactions.
    """
    whole_number(n, "n", of="accounts", least=1)
    whole_number(actions_each, "actions_each", of="actions", least=1)
    if not within(floor, 0, 10):
        raise ValueError(f"floor={floor!r}: a share of unit cost from 0 to 10 is needed")
    report, steps = after_quiet(progress), 4
    book = _opened(base, by, book)
    report(1, steps)
    chosen, notes = plan_accounts(book, n, customers)
    missing = {what: why for what, why in book.missing.items() if what != "survey"}
    parts = [worth_columns(book, chosen, classes_of(book, classes, missing))]
    gaps, given_up = gaps_of(book, chosen, benefits, sacrifices, missing, notes)
    parts += [weakest(book, chosen, gaps), prices_of(book, chosen, floor, missing)]
    report(2, steps)
    parts += [*care_of(book, chosen, missing), needs_of(book, chosen)]
    report(3, steps)
    parts.append(empty_decisions(chosen, actions_each))
    frame = pd.concat(parts, axis=1).reset_index()
    frame.insert(1, "label", [label_of(book, one) for one in chosen])
    missing |= {"recommended level": NO_LEVELS, "actions": NO_ACTIONS}
    plans = AccountPlans(
        frame, gaps, given_up, pd.DataFrame(columns=list(CHOSEN)), actions_each, None, None, None,
        *_counted(book), book.value, float(floor), base.currency, missing, tuple(notes), book,
    )  # fmt: skip
    report(steps, steps)
    return decide(plans, actions, recommended)


def _opened(base: CustomerBase, by: str | None, book: DossierBook | None) -> DossierBook:
    if book is None:
        return open_dossiers(base, value=by)
    if book.base is not base:
        raise ValueError("book: it was opened from another base than the one given")
    if by is not None and by != book.value:
        raise ValueError(f"by={by!r}, but the book counts {book.value}: give one of the two")
    return book


def _counted(book: DossierBook) -> tuple[str, float | None]:
    """Tell what lifetime values count (all revenue where no margin is known), and how far ahead."""
    values = book.values
    if values is None:
        return "revenue", None
    months = None
    if values.horizon is not None:
        months = values.horizon * days_in(values.unit) / DAYS_OF_MONTH
    return "revenue" if values.margin == 1 else "margin", months


def _whole(value: float) -> str:
    return "" if value != value else f"{value:,.0f}"
