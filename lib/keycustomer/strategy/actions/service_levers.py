"""More or fewer contacts, a complaint process, one person responsible: what each would bring.

Their effects on leaving are the chapter's regressions (:mod:`keycustomer.relationships.service`),
on customer-months with size, contract, level and channel held fixed, drawn towards no effect
(:data:`DOUBT`): with a hundred leavers the data alone would send every visit to chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.customers.rendering import percent
from keycustomer.relationships.service.carry_over import carry_factor
from keycustomer.relationships.service.complaints import ResolutionStudy, resolution_counts
from keycustomer.relationships.service.contacts import Form, contact_study
from keycustomer.relationships.service.controls import control_columns
from keycustomer.relationships.service.outcomes import OutcomeRows, outcome_rows
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.relationships.service.regression import Regression, fit_regression
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow
from keycustomer.strategy.actions.draws import doubtful_draws
from keycustomer.strategy.actions.levers import Doing, Lever, Rows
from keycustomer.strategy.actions.shifts import Shift
from keycustomer.strategy.actions.vocabulary import ACTIONS, PEOPLE, ActionAssumptions

DOUBT = {"contacts": 0.2, "complaints": 0.5, "twice": 0.2}
"""Log-odds of leaving: prior standard deviations of what a unit of log(1 + contacts), a complaint,
being claimed twice does.  A whole relationship level usually does 0.2 to 0.3."""

BURN_IN = 6
"""First months of the window that are left out: what came before them is not known."""

PATIENCE = 14.0
"""Days within which a complaint is resolved in time."""

COMPLAINT_HALF_LIFE = 2.0
"""Months after which half of a complaint is forgotten."""

ALIKE = "among customer-months alike in size, contract, products, level, channel and season"

FEWEST_TWICE = 10
"""Accounts claimed twice, and others, needed to compare them."""


@dataclass(frozen=True, eq=False)
class Serving:
    """What service is learned from, and in whose currency it is paid.

    Attributes
    ----------
    record : ServiceRecord
        The service record.
    now : AccountsNow
        The accounts.
    stated : ActionAssumptions
        What is stated.
    draws : int
        Draws of each coefficient.
    generator : Generator
        Of the draws.
    """

    record: ServiceRecord
    now: AccountsNow
    stated: ActionAssumptions
    draws: int
    generator: np.random.Generator

    def left(self) -> OutcomeRows:
        """Customer-months on which leaving is known."""
        return outcome_rows(self.record, "left", BURN_IN)

    def drawn(self, model: Regression, names: list[str], doubt: str) -> FloatArray:
        """Draw some coefficients of a regression, shape (draws, names)."""
        places = [model.names.index(name) for name in names]
        covariance = model.covariance[np.ix_(places, places)]
        estimates = model.coefficients[places]
        return doubtful_draws(estimates, covariance, DOUBT[doubt], self.draws, self.generator)


def contacts_lever(serving: Serving, visit_cost: float, call_cost: float, horizon: int) -> Lever:
    """Weigh multiples of today's contacts.

    Raises
    ------
    ValueError
        When no contacts are recorded, or nothing can be learned from them.
    """
    stated, now = serving.stated, serving.now
    if not serving.record.contacts["is_contact"].any():
        raise ValueError("no interaction is a contact")
    form = Form("logarithm", stated.half_life, stated.call_worth)
    model = contact_study(serving.record, serving.left(), form).model(form)[1]
    slope = serving.drawn(model, ["contacts"], "contacts")[:, 0]
    first = np.nan_to_num(now.column("first_contacts"))
    other = np.nan_to_num(now.column("other_contacts"))
    keep = carry_factor(stated.half_life)
    rested = (first + stated.call_worth * other) / (1 - keep)
    reached = 1 - keep ** np.arange(1, horizon + 1)
    each = first * visit_cost + other * call_cost
    factors = np.array([one for one in sorted(stated.contact_factors) if one != 1])

    def shift(rows: Rows, k: int) -> Shift:
        stock = rested[rows, None]
        moved = np.log1p(stock * (1 + (factors[k] - 1) * reached)) - np.log1p(stock)
        more = (factors[k] - 1) * each[rows, None]
        return Shift(odds=slope[:, None, None] * moved, cost=more)

    def rates(row: int, factor: float) -> str:
        kinds = now.contact_kinds
        parts = [f"{12 * factor * first[row]:.1f} {kinds[0]}s"]
        if len(kinds) > 1:
            parts.append(f"{12 * factor * other[row]:.1f} {kinds[1]}s")
        return " and ".join(parts) + " a year"

    return Lever(
        ACTIONS[2],
        tuple(f"x {one:g}" for one in factors),
        (each > 0)[:, None] & np.ones(len(factors), dtype=bool),
        [rates(row, 1.0) for row in range(len(first))],
        lambda row, k: rates(row, float(factors[k])),
        shift,
        lambda row, k: Doing(
            first_contacts=float((factors[k] - 1) * first[row]),
            other_contacts=float((factors[k] - 1) * other[row]),
        ),
        f"It is chance who was contacted more {ALIKE}, and further contacts do less and less each.",
    )


def complaint_lever(serving: Serving) -> Lever:
    """Weigh a complaint process: responsibility at the first contact.

    Raises
    ------
    ValueError
        When no complaints are recorded, or nothing can be learned from them.
    """
    record, now, stated = serving.record, serving.now, serving.stated
    if not record.contacts["is_complaint"].any():
        raise ValueError("no interaction is a complaint")
    counts, pending, again = resolution_counts(record, PATIENCE)
    rows = np.flatnonzero((record.number >= BURN_IN) & ~pending & ~record.cut_short)
    study = ResolutionStudy(record, counts, again, rows, record.leaving[rows], ())
    model = study.fit(COMPLAINT_HALF_LIFE, adjusted=True)
    kinds = ["first", "in_time", "late", "late now"]
    drawn = serving.drawn(model, kinds, "complaints")
    today = counts.sum(axis=0) / max(counts.sum(), 1.0)
    after = _resolved(today, stated)
    weight = 1 / (1 - carry_factor(COMPLAINT_HALF_LIFE))
    change = np.append(after - today, after[2] - today[2]) * [weight, weight, weight, 1.0]
    each = drawn @ change
    rate = np.nan_to_num(now.column("complaints"))
    cost = stated.process_cost + stated.complaint_cost * rate

    def shift(rows: Rows, k: int) -> Shift:
        return Shift(odds=each[:, None, None] * rate[rows, None], cost=cost[rows, None])

    return Lever(
        ACTIONS[3],
        ("first contact responsible",),
        np.ones((len(rate), 1), dtype=bool),
        [
            f"{12 * one:.1f} complaints a year, {percent(today[0], 0)} resolved at once"
            for one in rate
        ],
        lambda row, k: f"{percent(after[0], 0)} resolved at the first contact",
        shift,
        lambda row, k: Doing(process=True),
        f"It is chance how a complaint was resolved {ALIKE}, and the process resolves "
        f"{percent(stated.first_contact, 0)} at the first contact, as is stated.",
    )


def _resolved(today: FloatArray, stated: ActionAssumptions) -> FloatArray:
    """Shares of complaints by how they end under the process, none worse than today."""
    first = max(stated.first_contact, float(today[0]))
    slow = today[1:] / today[1:].sum() if today[1:].sum() > 0 else np.array([1.0, 0.0])
    late = (1 - first) * slow[1] * stated.speed
    return np.array([first, 1 - first - late, late])


def responsible_lever(serving: Serving) -> Lever:
    """Weigh that the manager alone is responsible where an agent claims the account as well.

    Raises
    ------
    ValueError
        When managers or agents are not known, or too few accounts are claimed twice.
    """
    record, now, stated = serving.record, serving.now, serving.stated
    customers = record.months.customers.set_index("customer_id")
    if not set(PEOPLE) <= set(customers.columns):
        raise ValueError("customers.manager and customers.agent are not both known")
    known = serving.left()
    frame = record.months.frame.iloc[known.rows]
    claims = customers[list(PEOPLE)].notna().reindex(frame["customer_id"]).to_numpy()
    twice = np.asarray(claims.all(axis=1))
    accounts = [frame.loc[one, "customer_id"].nunique() for one in (twice, ~twice)]
    if min(accounts) < FEWEST_TWICE:
        raise ValueError(f"fewer than {FEWEST_TWICE} accounts are claimed twice, or by one alone")
    held, names = control_columns(record.months, known.rows)
    kept = [place for place, name in enumerate(names) if not name.startswith("channel")]
    agent = claims[:, 1] & ~twice
    nobody = ~claims.any(axis=1)
    design = np.column_stack([twice, agent, nobody, held[:, kept]]).astype(float)
    labels = ["claimed twice", "agent alone", "nobody", *(names[place] for place in kept)]
    model = fit_regression(known.values, design, labels, record.customer[known.rows])
    effect = serving.drawn(model, ["claimed twice"], "twice")[:, 0]
    own = now.frame[list(PEOPLE)].notna().all(axis=1).to_numpy()

    def shift(rows: Rows, k: int) -> Shift:
        return Shift(odds=-effect[:, None, None], share=-stated.commission)

    return Lever(
        ACTIONS[4],
        ("the manager alone",),
        own[:, None],
        ["claimed by a manager and an agent" if one else "one at most" for one in own],
        lambda row, k: "the manager alone",
        shift,
        lambda row, k: Doing(manager=True),
        "It is chance which accounts are claimed twice, among those alike in size, contract, "
        f"products, level and season; the agent agrees, and {percent(stated.commission, 0)} of "
        "revenue, the commission, is saved.",
    )
