"""The differentiation report: telling customers apart, each answer by name and number.

Questions, in the course's order: who are the gold customers; who costs more than they bring; which
large customers complained repeatedly; do last year's largest still order; who buys one or two
categories here and the rest elsewhere; whom do we want next; who is in class A, B and C.
:func:`differentiation` answers what the base can answer, and says which table is missing for the
rest.

Sources: the course's R2; classes A, B, C at the top 5 %, the next 15 %, the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.answers import Answer, ranked, whole_customers
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.elsewhere import buying_elsewhere
from keycustomer.customers.largest import last_largest
from keycustomer.customers.rendering import amount, counted, percent, report_html, share_of
from keycustomer.customers.statements import identifier, statement
from keycustomer.customers.table import customer_table

VALUES = ("revenue", "margin", "profit")
"""Columns of the customer table by which customers can be told apart."""

QUESTIONS = {
    "gold": "Who are the gold customers?",
    "costing": "Who costs more than they bring?",
    "complaining": "Which large customers complained repeatedly?",
    "last_largest": "Do last year's largest still order?",
    "elsewhere": "Who buys one or two categories here and probably the rest elsewhere?",
    "wanted": "Whom do we want next?",
    "classes": "Who is in class A, B and C?",
}
"""The questions by the name of their answer."""


@dataclass(frozen=True)
class Differentiation:
    """Customers told apart: one answer a question.

    Attributes
    ----------
    value : str
        Column of the customer table by which customers are large.
    currency : str
        Currency of amounts.
    answers : tuple of Answer
        The questions that the base can answer, in order.
    classes : DataFrame
        One row a buyer: customer_id, the value, rank, abc (class A, B or C).
    class_sizes : DataFrame
        abc, customers, share_customers, value, share_value.
    skipped : DataFrame
        Questions without an answer: name, question, missing.
    """

    value: str
    currency: str
    answers: tuple[Answer, ...]
    classes: pd.DataFrame = field(repr=False)
    class_sizes: pd.DataFrame = field(repr=False)
    skipped: pd.DataFrame = field(repr=False)

    def __getitem__(self, name: str) -> Answer:
        """Return the answer of this name.

        Raises
        ------
        KeyError
            When the question was skipped, with what is missing, or there is no such question.
        """
        for answer in self.answers:
            if answer.name == name:
                return answer
        skipped = self.skipped.set_index("name")["missing"]
        if name in skipped.index:
            raise KeyError(f"{name!r} was skipped: the base has no {skipped[name]}")
        raise KeyError(f"no answer {name!r}; there are {', '.join(QUESTIONS)}")

    def to_frame(self) -> pd.DataFrame:
        """Return one row an answer: name, question, customers, shares, value, answer."""
        return pd.DataFrame([answer.row for answer in self.answers])

    def _repr_html_(self) -> str:
        rows = self.to_frame().drop(columns=["name", "answer"])
        said = [f"{answer.question} {answer.sentence}" for answer in self.answers]
        said += [
            f"{row['question']} Not answered: the base has no {row['missing']}."
            for row in self.skipped.to_dict("records")
        ]
        tables = {
            f"Answers, value is {self.value} in {self.currency}": rows,
            "Classes": self.class_sizes,
        }
        return report_html("Customers told apart", said, tables)


def differentiation(
    base: CustomerBase,
    *,
    value: str = "revenue",
    top: float = 0.05,
    following: float = 0.15,
    few_categories: int = 2,
    complaints: int = 2,
    complaint_kinds: Sequence[str] = ("complaint",),
) -> Differentiation:
    """Tell customers apart by the course's questions.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    value : {"revenue", "margin", "profit"}
        What makes a customer large.
    top, following : float
        Shares of the buyers in class A and B, 0..1; gold customers are class A, large ones A and B.
    few_categories : int
        Categories that make 80 % of the revenue of a customer of one or two categories.
    complaints : int
        Complaints that count as repeated.
    complaint_kinds : sequence of str
        Kinds of interaction that are complaints, whatever the case of their letters.

    Returns
    -------
    Differentiation

    Raises
    ------
    ValueError
        When an argument makes no sense, or the base does not know the value asked for.
    """
    _check(value, top, following, few_categories, complaints, complaint_kinds)
    table = customer_table(base)
    buyers = ranked(table[table["orders"] > 0], value)
    _need_value(base, buyers, value)
    buyers = _classified(buyers, top, following)
    large = top + following
    kinds = [kind.strip().lower() for kind in complaint_kinds]
    parts: dict[str, tuple[str | None, Callable[[], Answer]]] = {
        "gold": (None, lambda: _gold(buyers, value, base.currency)),
        "costing": (_no_profit(buyers), lambda: _costing(base, table)),
        "complaining": (
            _no_table(base, "interactions"),
            lambda: _complaining(base, buyers, value, complaints, kinds),
        ),
        "last_largest": (None, lambda: last_largest(base, large=large)),
        "elsewhere": (
            _no_categories(base),
            lambda: buying_elsewhere(base, table, value=value, few=few_categories, large=large),
        ),
        "wanted": (_no_table(base, "customers"), lambda: _wanted(base, table, buyers)),
        "classes": (None, lambda: _classes(buyers, value)),
    }
    missing = [
        {"name": name, "question": QUESTIONS[name], "missing": lack}
        for name, (lack, _) in parts.items()
        if lack
    ]
    return Differentiation(
        value=value,
        currency=base.currency,
        answers=tuple(answer() for lack, answer in parts.values() if not lack),
        classes=buyers[["customer_id", value, "rank", "abc"]],
        class_sizes=_class_sizes(buyers, value),
        skipped=pd.DataFrame(missing, columns=["name", "question", "missing"]),
    )


def _check(
    value: str,
    top: float,
    following: float,
    few_categories: int,
    complaints: int,
    complaint_kinds: Sequence[str],
) -> None:
    wrong = []
    if value not in VALUES:
        wrong.append(f"value is one of {', '.join(VALUES)}, got {value!r}")
    if not (0 < top < 1 and 0 <= following < 1 and top + following <= 1):
        wrong.append(
            f"top and following are shares of the customers, such as 0.05 and 0.15, together at "
            f"most 1; got {top!r} and {following!r}"
        )
    if few_categories < 1:
        wrong.append(f"few_categories is at least 1, got {few_categories!r}")
    if complaints < 1:
        wrong.append(f"complaints is at least 1, got {complaints!r}")
    if isinstance(complaint_kinds, str) or not complaint_kinds:
        wrong.append(f"complaint_kinds is a list such as ['complaint'], got {complaint_kinds!r}")
    if wrong:
        raise ValueError("differentiation: " + "; ".join(wrong))


def _need_value(base: CustomerBase, buyers: pd.DataFrame, value: str) -> None:
    if buyers[value].isna().any():
        raise ValueError(
            f"differentiation: {base.title} knows no {value} of its customers; map a cost column, "
            "or assume economics.margin in the case file, or ask for value='revenue'"
        )


def _classified(buyers: pd.DataFrame, top: float, following: float) -> pd.DataFrame:
    """Buyers, already ranked, with rank and class."""
    first, second = (whole_customers(share, len(buyers)) for share in (top, top + following))
    rank = pd.Series(range(1, len(buyers) + 1), index=buyers.index, dtype="int64")
    letters = rank.map(lambda place: "A" if place <= first else "B" if place <= second else "C")
    return buyers.assign(rank=rank, abc=letters.astype(str))


def _class_sizes(buyers: pd.DataFrame, value: str) -> pd.DataFrame:
    total = float(buyers[value].sum())
    rows = []
    for letter in "ABC":
        members = buyers[buyers["abc"] == letter]
        worth = float(members[value].sum())
        rows.append(
            {
                "abc": letter,
                "customers": len(members),
                "share_customers": share_of(len(members), len(buyers)),
                "value": worth,
                "share_value": share_of(worth, total),
            }
        )
    return pd.DataFrame(rows)


def _no_table(base: CustomerBase, table: str) -> str | None:
    return None if base.has(table) else f"table {table}"


def _no_profit(buyers: pd.DataFrame) -> str | None:
    unknown = len(buyers) and buyers["profit"].isna().all()
    return "transactions.cost (or an assumed economics.margin)" if unknown else None


def _no_categories(base: CustomerBase) -> str | None:
    if not base.has("products"):
        return "table products"
    if not base.has("transactions", "product_id"):
        return "column transactions.product_id"
    return None if base.has("products", "category") else "column products.category"


def _gold(buyers: pd.DataFrame, value: str, currency: str) -> Answer:
    gold = buyers[buyers["abc"] == "A"]
    worth, total = float(gold[value].sum()), float(buyers[value].sum())
    sentence = (
        f"{counted(len(gold), 'customer')} ({percent(share_of(len(gold), len(buyers)))} of the "
        f"buyers) bring {amount(worth, currency)} of {value}, {percent(share_of(worth, total))} of "
        f"all; the smallest of them brings {amount(float(gold[value].min()), currency)}."
    )
    return Answer(
        name="gold",
        question=QUESTIONS["gold"],
        n=len(gold),
        share_customers=share_of(len(gold), len(buyers)),
        value=worth,
        share_value=share_of(worth, total),
        sentence=sentence if len(gold) else "Nobody bought anything.",
        customers=gold[_described(value)].reset_index(drop=True),
    )


def _described(value: str) -> list[str]:
    return list(dict.fromkeys(["customer_id", value, "revenue", "orders", "last_order"]))


def _costing(base: CustomerBase, table: pd.DataFrame) -> Answer:
    costing = table[table["profit"] < 0].sort_values(["profit", "customer_id"])
    lost, earned = float(costing["profit"].sum()), float(table["profit"].clip(lower=0).sum())
    names = ["customer_id", "profit", "revenue", "margin", "cost_to_serve", "discount", "orders"]
    return Answer(
        name="costing",
        question=QUESTIONS["costing"],
        n=len(costing),
        share_customers=share_of(len(costing), len(table)),
        value=lost,
        share_value=share_of(lost, float(table["profit"].sum())),
        sentence=_say_costing(base, table, costing, lost, earned),
        customers=costing[names].reset_index(drop=True),
    )


def _say_costing(
    base: CustomerBase, table: pd.DataFrame, costing: pd.DataFrame, lost: float, earned: float
) -> str:
    served = table["cost_to_serve"].notna().any()
    recorded = base.has("transactions", "cost")
    basis = [
        "recorded costs" if recorded else f"an assumed margin of {percent(base.margin or 0, 0)}",
        "cost to serve" if served else "no cost to serve, which nobody recorded",
    ]
    return (
        f"{counted(len(costing), 'customer')} ({percent(share_of(len(costing), len(table)))}) lose "
        f"{amount(-lost, base.currency)}, {percent(share_of(-lost, earned))} of what the others "
        f"earn; they bring {amount(float(costing['revenue'].sum()), base.currency)} of revenue. "
        f"Computed with {' and '.join(basis)}."
    )


def _complaining(
    base: CustomerBase, buyers: pd.DataFrame, value: str, least: int, kinds: list[str]
) -> Answer:
    resolves = base.has("interactions", "resolved_on")
    resolved = "count(*) - count(resolved_on)" if resolves else "null::bigint"
    sql = statement("differentiation_complaints", resolved=resolved)
    found = base.query(sql, kinds=kinds, start=base.start, end=base.end)
    found["last_complaint"] = pd.to_datetime(found["last_complaint"])
    large = buyers[buyers["abc"] != "C"]
    named = large.merge(found[found["complaints"] >= least], on="customer_id")
    worth = float(named[value].sum())
    own = list(dict.fromkeys(["customer_id", "abc", value, "last_order"]))
    sentence = (
        f"{len(named):,} of {counted(len(large), 'large customer')} (classes A and B) complained "
        f"at least {least} times and bring {amount(worth, base.currency)} of {value}; "
        f"{counted(len(found), 'customer')} complained at all, "
        f"{counted(int(found['complaints'].sum()), 'time')}."
    )
    return Answer(
        name="complaining",
        question=QUESTIONS["complaining"],
        n=len(named),
        share_customers=share_of(len(named), len(large)),
        value=worth,
        share_value=share_of(worth, float(buyers[value].sum())),
        sentence=sentence if len(found) else _no_complaint(base, kinds),
        customers=ranked(named, value)[[*own, "complaints", "unresolved", "last_complaint"]],
    )


def _no_complaint(base: CustomerBase, kinds: list[str]) -> str:
    known = base.query("select distinct kind from interactions where kind is not null order by 1")
    return (
        f"No interaction is of a kind {' or '.join(kinds)}; the kinds are "
        f"{', '.join(known['kind'].head(10)) or 'not recorded'}."
    )


def _wanted(base: CustomerBase, table: pd.DataFrame, buyers: pd.DataFrame) -> Answer:
    """Name customers on file who never bought, those most like the large customers first."""
    never = table.loc[table["on_file"] & (table["orders"] == 0), ["customer_id"]]
    columns = [c for group in base.attributes.values() for c in group if base.has("customers", c)]
    alike = _alike(base, buyers, columns) if columns and len(never) else None
    named = never.assign(share_large_alike=float("nan"))
    if alike is not None:
        named = never.merge(alike, on="customer_id", how="left")
    named = named.sort_values(
        ["share_large_alike", "customer_id"], ascending=[False, True], ignore_index=True
    )
    on_file = int(table["on_file"].sum())
    sentence = f"{counted(len(named), 'customer')} of {on_file:,} on file never bought" + (
        f"; listed first are those most like the large customers in {', '.join(columns)}."
        if alike is not None
        else "."
    )
    nobody = (
        f"Everybody on file ({counted(on_file, 'customer')}) has bought: whoever is wanted next "
        "must come from outside the file."
    )
    return Answer(
        name="wanted",
        question=QUESTIONS["wanted"],
        n=len(named),
        share_customers=share_of(len(named), on_file),
        value=0.0,
        share_value=0.0,
        sentence=sentence if len(named) else nobody,
        customers=named,
    )


def _alike(base: CustomerBase, buyers: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Mean, over the attributes, of the share of large customers among buyers of that value."""
    quoted = ", ".join(identifier(column) for column in columns)
    file = base.query(f"select customer_id, {quoted} from customers")  # noqa: S608
    large = buyers.set_index("customer_id")["abc"].ne("C").astype(float)
    file["large"] = file["customer_id"].map(large)
    usual = float(large.mean())
    shares = []
    for column in columns:
        group = file.groupby(column)["large"]
        # One imaginary average customer a value: a rare value tells little.
        rate = (group.sum() + usual) / (group.count() + 1)
        shares.append(file[column].map(rate).astype(float).fillna(usual))
    return pd.DataFrame(
        {
            "customer_id": file["customer_id"],
            "share_large_alike": pd.concat(shares, axis=1).mean(axis=1),
        }
    )


def _classes(buyers: pd.DataFrame, value: str) -> Answer:
    sizes = _class_sizes(buyers, value).to_dict("records")
    said = "; ".join(
        f"{row['abc']}: {counted(row['customers'], 'customer')} with "
        f"{percent(row['share_value'])} of the {value}"
        for row in sizes
    )
    return Answer(
        name="classes",
        question=QUESTIONS["classes"],
        n=len(buyers),
        share_customers=1.0 if len(buyers) else float("nan"),
        value=float(buyers[value].sum()),
        share_value=share_of(float(buyers[value].sum()), float(buyers[value].sum())),
        sentence=f"{said}.",
        customers=buyers[list(dict.fromkeys(["customer_id", "abc", "rank", value]))],
    )
