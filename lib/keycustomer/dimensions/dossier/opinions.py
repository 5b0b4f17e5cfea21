"""What the account thinks and needs: three parts of a dossier, from its answers and purchases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.dimensions.dossier.blocks import Block
from keycustomer.dimensions.dossier.drawing import Strip, strips
from keycustomer.dimensions.dossier.plain import (
    SENTENCES,
    above,
    cut,
    listed,
    percent_of,
    place_among,
)
from keycustomer.dimensions.dossier.ratings import IMPORTANCE, rating_item

if TYPE_CHECKING:
    from keycustomer.dimensions.dossier.book import DossierBook

MOST_CONSTRUCTS = 10
MOST_NEEDS = 5
MOST_NEXT = 3
FEWEST_ITEMS = 5
"""Questions below which equal answers are no sign of an inattentive respondent."""

_UNRATED = "It answered, but none of the rating questions."


def ratings_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on the account's ratings beside those of all."""
    name, title = "ratings", "How it rates us"
    missing = _no_answers(book, customer_id)
    if missing:
        return Block(name, title, missing=missing)
    ratings = book.ratings
    if ratings.empty:
        return Block(name, title, missing="No construct of the survey is answered by ratings.")
    own = _answers(ratings, customer_id)
    if own.empty:
        return Block(name, title, missing=_UNRATED)
    latest, before = own.iloc[-1], own.iloc[-2] if len(own) > 1 else None
    kinds = [kind for kind in book.rated if math.isfinite(latest[kind])]
    if not kinds:
        return Block(name, title, missing=_UNRATED)
    reference = ratings if "wave" not in ratings else ratings[ratings["wave"] == latest["wave"]]
    places = {k: place_among(latest[k], reference[k].to_numpy()) for k in kinds}
    rows = [_strip(k, latest, before, reference) for k in kinds[:MOST_CONSTRUCTS]]
    low, high = min(places, key=places.__getitem__), max(places, key=places.__getitem__)
    said = (
        f"Against others it rates {_plain(high)} highest (above {above(places[high])} of "
        f"respondents) and {_plain(low)} lowest (above {above(places[low])})."
    )
    ends = float(np.nanmin(ratings[kinds])), float(np.nanmax(ratings[kinds]))
    wave = f" of wave {latest['wave']}" if "wave" in own else ""
    legend = (
        f"Means of the questions{wave}; line: mean of {len(reference):,} respondents, band: their "
        f"middle 80 %{'; circle: its answer before' if before is not None else ''}."
    )
    more = len(kinds) - MOST_CONSTRUCTS
    further = f"{more} further scales are not shown." if more > 0 else ""
    note = " ".join(filter(None, (_one_answer(book, customer_id), further)))
    figure = strips(rows, ends, said)
    return Block(name, title, cut(said, SENTENCES), (), figure, legend, note=note)


def _one_answer(book: DossierBook, customer_id: str) -> str:
    """Warn of a questionnaire in which every rating is the same."""
    items = [item for own in book.rated.values() for item in own]
    if book.survey is None or len(items) < FEWEST_ITEMS:
        return ""
    given = _answers(book.survey.table, customer_id).iloc[-1][items].dropna()
    same = len(given) >= FEWEST_ITEMS and given.nunique() == 1
    return "It gave one and the same answer throughout: read with care." if same else ""


def _strip(
    kind: str, latest: pd.Series, before: pd.Series | None, reference: pd.DataFrame
) -> Strip:
    low, high = np.nanquantile(reference[kind], [0.1, 0.9])
    own = float(latest[kind])
    former = float(before[kind]) if before is not None and math.isfinite(before[kind]) else None
    middle = float(reference[kind].mean())
    return Strip(_plain(kind), own, middle, float(low), float(high), f"{own:.1f}", former)


def _plain(name: object) -> str:
    return cut(str(name).replace("_", " "), 32)


def _no_answers(book: DossierBook, customer_id: str) -> str:
    """Why there are no answers of this customer; empty when there are."""
    if book.survey is None:
        return (
            "No table survey in these data: what the account values and how it rates us is not "
            f"known ({cut(book.missing['survey'], 120)})."
        )
    if not book.survey.constructs:
        return "The survey's constructs are not named: name them in the case file."
    if "customer_id" not in book.survey.table:
        return "The survey is anonymous: no answer can be put beside a customer."
    if not len(_answers(book.survey.table, customer_id)):
        answered = book.survey.table["customer_id"].nunique()
        return f"Did not answer the survey ({answered:,} customers did)."
    return ""


def _answers(table: pd.DataFrame, customer_id: str) -> pd.DataFrame:
    """Answers of a customer, the latest wave last."""
    own = table[table["customer_id"] == customer_id]
    if "wave" not in own:
        return own
    order = pd.to_numeric(own["wave"], errors="coerce")
    return own.iloc[order.argsort(kind="stable").to_numpy()]


def needs_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on what the account says is important, beside how it rates that."""
    name, title = "needs", "What it says it needs"
    missing = _no_answers(book, customer_id)
    if missing:
        return Block(name, title, missing=missing if book.survey is not None else _NO_NEEDS)
    table = book.survey.table  # type: ignore[union-attr]
    asked = [c for c in table.columns if c.startswith(IMPORTANCE)]
    if not asked:
        return Block(name, title, missing=_NO_NEEDS)
    own = _answers(table, customer_id).iloc[-1]
    importance = pd.to_numeric(own[asked], errors="coerce").dropna()
    importance = importance.sort_values(ascending=False, kind="stable")
    if importance.empty:
        return Block(name, title, missing="Left the questions of importance open.")
    rows, gaps = [], []
    for column, value in importance.head(MOST_NEEDS).items():
        attribute = str(column).removeprefix(IMPORTANCE)
        mean = pd.to_numeric(table[column], errors="coerce").mean()
        item = rating_item(book.rated, attribute)
        rating = pd.to_numeric(own[item], errors="coerce") if item else math.nan
        shown = f"{rating:.0f}" if math.isfinite(rating) else "not given"
        rows.append((_plain(attribute), f"{value:.0f}", f"{mean:.1f}", shown))
        if math.isfinite(rating) and rating < value:
            gaps.append(_plain(attribute))
    said = (
        f"Important to it, and rated lower than important: {listed(gaps, 3)}."
        if gaps
        else "What it calls important it rates at least as high."
    )
    heads = ("attribute", "importance", "mean of all", "its rating")
    return Block(name, title, said, heads=heads, rows=tuple(rows))


_NO_NEEDS = (
    "No stated needs in these data: ask for the importance of each attribute in the survey "
    "(columns importance_...)."
)


def next_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on what the account buys, and what it is likely to need next."""
    name, title = "next", "What it buys, and may need next"
    bought = book.categories[book.categories["customer_id"] == customer_id]
    largest = bought.sort_values("revenue", ascending=False, kind="stable")["category"].tolist()
    buys = f"Buys {listed([str(one) for one in largest], 3, 30)}." if largest else ""
    if book.needs is None:
        why = cut(book.missing["next needs"], 160)
        return Block(name, title, buys, missing=f"Next needs not known: {why}")
    if customer_id not in book.needs.customers:
        return Block(name, title, missing="Bought nothing of a known category yet.")
    found = book.needs.of(customer_id).head(MOST_NEXT)
    if found.empty:
        return Block(name, title, buys, note="Has every category that is taken up often enough.")
    rows = tuple(
        (
            cut(row.category, 40),
            percent_of(float(row.probability), 1),  # type: ignore[arg-type]
            f"{row.lift:.1f} times",
            listed(str(row.because).split("; "), 2, 24) if row.because else "",
        )
        for row in found.itertuples()
    )
    note = f"Chance to take it up within {book.needs.horizon} days, beside that of all without it."
    heads = ("category", "chance", "of the usual", "since it buys")
    return Block(name, title, buys, heads=heads, rows=rows, note=note)
