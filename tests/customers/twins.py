"""A made-up customer file with known duplicates: families, firms, Chinese names, dirty copies."""

from __future__ import annotations

import numpy as np
import pandas as pd

GIVEN = (
    "Anna Peter Maria Jonas Lena Paul Sofia Felix Clara Emil José Renée Björn Zoë François Müge "
    "Ingrid Oskar Teresa Hugo Karla Anton Frida Viktor Helena Mateo Noémie Dieter Ursula Tomás"
).split()
FAMILY = [
    start + end
    for start in "Schmid Bau Hof Lind Kren Stein Wald Berg Kraus Möl Röd Vog Zim Fuchs Gra".split()
    for end in ("mann", "er", "inger", "haus", "sen", "feld", "ová", "berg", "l", "ez")
]
CHINESE = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"]
GIVEN_CHINESE = [a + b for a in "伟芳娜敏静丽强磊军洋" for b in ["", *"勇艳杰娟涛明超秀霞平"]]
FIRMS = "Nord Süd Alpha Delta Rhein Donau Orion Atlas Vega Merkur Falke Linde Kobalt Titan".split()
TRADES = "Maschinenbau Logistik Elektrotechnik Bauservice Pharma Metallwaren Druckerei".split()
STREETS = "Hauptstraße Ringstraße Gartenstraße Bahnhofstraße Bergweg Lindenallee Marktplatz".split()
CITIES = ["Berlin", "Köln", "München", "Zürich", "Wien", "上海"]
FIELDS = ["customer_id", "name", "email", "phone", "address", "city", "postal_code"]


def file_with_twins(customers: int, seed: int) -> tuple[pd.DataFrame, set[tuple[str, str]]]:
    """Return a file of about `customers` and its true duplicate pairs (smaller id first)."""
    rng = np.random.default_rng(seed)
    rows: list[dict] = []
    while len(rows) < customers:
        rows += _household(rng) if rng.random() < 0.85 else [_firm(rng)]
    order = rng.permutation(len(rows))[: len(rows) // 20]
    pairs = []
    for i in order:
        pairs.append((i, len(rows)))
        rows.append(_copy(rows[i], rng))
    names = rng.permutation(len(rows))
    ids = [f"{number:06d}" for number in names]
    for row, name in zip(rows, ids, strict=True):
        row["customer_id"] = name
    file = pd.DataFrame(rows)[FIELDS].sort_values("customer_id", ignore_index=True)
    return file, {tuple(sorted((ids[i], ids[j]))) for i, j in pairs}


def _place(rng) -> dict:
    city = int(rng.integers(len(CITIES)))
    return {
        "address": f"{rng.choice(STREETS)} {rng.integers(1, 200)}",
        "city": CITIES[city],
        "postal_code": f"{city + 1}{rng.integers(0, 400):04d}",
        "phone": f"+49 30 {rng.integers(1_000_000, 9_999_999)}",
    }


def _household(rng) -> list[dict]:
    """One to four people of one name who share address and telephone."""
    place, chinese = _place(rng), rng.random() < 0.25
    family = rng.choice(CHINESE if chinese else FAMILY)
    given = rng.choice(GIVEN_CHINESE if chinese else GIVEN, rng.integers(1, 5), replace=False)
    return [
        place
        | {
            "name": f"{family}{first}" if chinese else f"{first} {family}",
            "email": f"p{rng.integers(10**9)}@mail.example" if rng.random() < 0.7 else None,
            "phone": place["phone"] if rng.random() < 0.8 else _place(rng)["phone"],
        }
        for first in given
    ]


def _firm(rng) -> dict:
    name = f"{rng.choice(FIRMS)} {rng.choice(TRADES)} {rng.choice(FAMILY)} GmbH"
    return _place(rng) | {"name": name, "email": f"info@f{rng.integers(10**9)}.example"}


def _copy(row: dict, rng) -> dict:
    """Write a customer down again: one change of the name, others at the contact data."""
    changes = (_typo, _typo, _swapped, str.upper, _plain, _wide, lambda name, rng=None: name)
    change = changes[rng.integers(len(changes))]
    name = change(row["name"], rng) if change in (_typo, _swapped) else change(row["name"])
    copy = row | {"name": name}
    for field in ("email", "phone", "address"):
        if rng.random() < 0.3:
            copy[field] = rng.choice([None, "", "n/a"])
    if copy["phone"] and rng.random() < 0.5:
        copy["phone"] = copy["phone"].replace("+49 ", "0").replace(" ", "-")
    if copy["address"] and rng.random() < 0.5:
        copy["address"] = copy["address"].replace("straße", "str.").upper()
    if rng.random() < 0.15:
        copy |= {k: v for k, v in _place(rng).items() if k != "phone"}
    return copy


def _typo(name: str, rng) -> str:
    if len(name) < 5:
        return name
    at = int(rng.integers(1, len(name) - 2))
    if rng.random() < 0.5:
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + rng.choice(list("aeiorst")) + name[at + 1 :]


def _swapped(name: str, rng) -> str:
    words = name.split()
    return f"{words[-1]}, {' '.join(words[:-1])}" if len(words) > 1 else name


def _plain(name: str) -> str:
    table = str.maketrans("éëöüñáí", "eeounai")
    return name.translate(table)


def _wide(name: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
