"""The model by which two records are judged to be one customer.

Question: how probable is it that two records are the same customer, given how their names and
their contact data agree? Fellegi and Sunter's model: each degree of agreement has a chance `m`
among records of one customer and a chance `u` among records of different customers, and the
probability follows from their ratio. `LEVELS` states both; :func:`priors` fits `u` to the file;
:func:`settings` hands the model to Splink; :func:`prepare` brings the fields into the form in which
they are compared.

Two choices differ from the textbook. E-mail, phone and address are one comparison, not three:
families and firms share all of them, so that three agreements among different customers are hardly
more surprising than one, and the name has to tell who is who. And the parameters are stated instead
of trained: duplicates are rare, so that training on an ordinary file learns what households look
like; stated, the same file always gives the same report.

Sources: Fellegi & Sunter (1969), "A theory for record linkage"; Splink (Linacre et al., 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pandas as pd

from keycustomer.customers.placeholders import PLACEHOLDERS
from keycustomer.customers.statements import identifier, statement

FIELDS = ("name", "email", "phone", "address", "postal_code", "city")
"""Fields of the customers table that records are compared by."""

TWIN_SHARE = 0.02
"""Duplicate pairs expected for each customer on file."""

SHARED = 10
"""An e-mail address or phone number of more customers than this identifies nobody."""

LARGEST_BLOCK = 50
"""Customers who share a block key are compared when they are no more than this."""

COUNTED_FROM = 1_000
"""Customers from which on chances of agreement are counted in the file itself."""

BLOCKS = ("email", "phone", "block_name", "block_address", "block_postal_code", "block_city")
"""Columns of which two records must share one to be compared."""

LEGAL_FORM = "(股份有限公司|有限责任公司|有限公司|公司)$"
NOISE = (
    *("mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "mme", "sr", "sra"),
    *("gmbh", "ag", "kg", "ohg", "ug", "ltd", "limited", "llc", "llp", "plc", "inc", "corp"),
    *("corporation", "incorporated", "co", "company", "sa", "sas", "sarl", "srl", "spa", "bv"),
    *("nv", "oy", "ab", "as", "aps", "pty", "the", "and", "und", "et", "y"),
)
"""Words that do not tell one name from another."""

_WIDE = (
    "".join(chr(code) for code in range(0xFF01, 0xFF5F))
    + "\u3000\u00f8\u0142\u0111\u00f0\u0131\u2019"
)
_NARROW = "".join(chr(code).lower() for code in range(0x21, 0x7F)) + " olddi'"


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes
    ----------
    comparison : {"name", "contact"}
        What is compared.
    agreement : str
        The degree in words.
    condition : str
        SQL condition on the two records; the first that holds counts.
    m : float
        Chance among records of one customer.
    u : float
        Chance among records of different customers; where `neighbours` is given, only an upper
        limit.
    neighbours : float or None
        Other customers that a customer shares this with (family, colleagues); then
        u = neighbours / (customers - 1), since it does not grow with the file.
    counted : str
        Field whose agreement is counted in a large file, to replace `u`.
    """

    comparison: str
    agreement: str
    condition: str
    m: float
    u: float
    neighbours: float | None = None
    counted: str = ""


_SAME_PLACE = "coalesce(postal_code_l = postal_code_r, city_l = city_r, true)"
_SAME_ADDRESS = f"(address_l = address_r and {_SAME_PLACE})"
_CLOSE_ADDRESS = (
    f"(jaro_winkler_similarity(address_l, address_r) >= 0.9 and numbers_l = numbers_r "
    f"and {_SAME_PLACE})"
)
# One slip of the pen, two in a long name: more would make Peter and Dieter of one family the same.
# The engine counts bytes, three a Chinese character: one character of a firm's name may differ.
# Jaro's similarity is cheap and keeps the costly distance for the few names that come near.
_CLOSE_NAME = """case
    when greatest(jaro_similarity(name_l, name_r), jaro_similarity(name_sorted_l, name_sorted_r))
        >= 0.8
    then least(
            damerau_levenshtein(name_l, name_r), damerau_levenshtein(name_sorted_l, name_sorted_r)
        ) <= case
            when least(chinese_l, chinese_r) >= 6 then 3
            when least(length(name_l), length(name_r)) >= 20 then 2
            when least(length(name_l), length(name_r)) >= 5 then 1
            else 0
        end
    else false
end"""
_INITIAL = (
    "(len(words_l) > 1 and len(words_r) > 1 and words_l[-1] = words_r[-1] "
    "and left(words_l[1], 1) = left(words_r[1], 1) "
    "and least(length(words_l[1]), length(words_r[1])) = 1)"
)
_CLOSE_EMAIL = """case
    when jaro_similarity(email_l, email_r) >= 0.9
    then length(email_l) >= 8 and damerau_levenshtein(email_l, email_r) <= 1
    else false
end"""

LEVELS = (
    Level(
        "name",
        "same, long and rare",
        "name_sorted_l = name_sorted_r and carriers_l <= 3 "
        "and length(name_l) + 2 * chinese_l >= 20",
        0.5,
        1e-6,
    ),
    Level("name", "same, rare", "name_sorted_l = name_sorted_r and carriers_l <= 3", 0.6, 5e-5),
    Level("name", "same, common", "name_sorted_l = name_sorted_r", 0.6, 2e-3),
    Level("name", "close", _CLOSE_NAME, 0.25, 5e-4),
    Level(
        "name",
        "one within the other, or an initial",
        f"(list_has_all(words_l, words_r) or list_has_all(words_r, words_l) or {_INITIAL})",
        0.1,
        2e-3,
    ),
    Level("name", "different", "ELSE", 0.02, 1.0),
    Level("contact", "same email", "email_l = email_r", 0.7, 0.02, 0.002),
    Level("contact", "same phone", "phone_l = phone_r", 0.5, 0.05, 0.2),
    Level("contact", "same address", _SAME_ADDRESS, 0.5, 0.05, 0.4),
    Level("contact", "close email", _CLOSE_EMAIL, 0.1, 0.02, 0.02),
    Level("contact", "close address", _CLOSE_ADDRESS, 0.2, 0.05, 0.4),
    Level(
        "contact",
        "same postal code",
        "postal_code_l = postal_code_r",
        0.3,
        1e-3,
        None,
        "postal_code",
    ),
    Level("contact", "same city", "city_l = city_r", 0.2, 1e-2, None, "city"),
    Level("contact", "different", "ELSE", 0.1, 1.0),
)
"""The degrees of agreement, best first within a comparison, with their chances."""

_UNKNOWN = {
    "name": "name_sorted_l is null or name_sorted_r is null",
    "contact": " and ".join(
        f"({field}_l is null or {field}_r is null)"
        for field in ("email", "phone", "address", "postal_code", "city")
    ),
}


def prepare(connection: duckdb.DuckDBPyConnection, customers: pd.DataFrame) -> None:
    """Bring the fields into the form in which they are compared: table `blocked`.

    Parameters
    ----------
    connection : DuckDBPyConnection
        An in-memory engine; gets the tables `records` and `blocked`.
    customers : DataFrame
        customer_id, revenue and `FIELDS`, as they stand in the file.
    """
    connection.register("customers", customers)
    wide, narrow = (f"'{text.replace(chr(39), chr(39) * 2)}'" for text in (_WIDE, _NARROW))
    connection.execute(statement("duplicates_folded", wide=wide, narrow=narrow))
    values = {
        "placeholders": list(PLACEHOLDERS),
        "noise": list(NOISE),
        "legal_form": LEGAL_FORM,
        "shared": SHARED,
    }
    connection.execute(statement("duplicates_records"), values)
    connection.execute(statement("duplicates_blocks"), {"largest": LARGEST_BLOCK})


def priors(connection: duckdb.DuckDBPyConnection, customers: int) -> tuple[Level, ...]:
    """Fit the chances among different customers to the size and the places of a file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        The engine with the table `records`.
    customers : int
        Customers on file.

    Returns
    -------
    tuple of Level
        `LEVELS` with the `u` that is used.
    """
    return tuple(_fitted(level, connection, customers) for level in LEVELS)


def _fitted(level: Level, connection: duckdb.DuckDBPyConnection, customers: int) -> Level:
    if level.neighbours is not None:
        return replace(level, u=min(level.neighbours / max(customers - 1, 1), level.u))
    if (
        level.comparison == "name"
        and level.agreement.startswith("same")
        and "rare" in level.agreement
    ):
        # Three carriers are the most that a rare name has.
        return replace(level, u=min(level.u, 3 / max(customers, 1)))
    if level.counted and customers >= COUNTED_FROM:
        sql = statement("duplicates_agreement", field=identifier(level.counted))
        agreement = connection.execute(sql).fetchall()[0][0]
        return replace(level, u=min(max(agreement, 1e-6), 1.0)) if agreement else level
    return level


def settings(levels: Sequence[Level], customers: int) -> Any:
    """Hand the model to Splink.

    Parameters
    ----------
    levels : sequence of Level
        The degrees of agreement with their chances.
    customers : int
        Customers on file.

    Returns
    -------
    splink.SettingsCreator
    """
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="customer_id",
        comparisons=[_comparison(name, levels) for name in _UNKNOWN],
        blocking_rules_to_generate_predictions=[block_on(key) for key in BLOCKS],
        probability_two_random_records_match=min(2 * TWIN_SHARE / max(customers - 1, 1), 0.5),
        # Splink keeps the degrees of agreement only along with the fields.
        retain_matching_columns=True,
        linker_uid="keycustomer",
    )


def _comparison(name: str, levels: Sequence[Level]) -> Any:
    from splink.comparison_level_library import CustomLevel, ElseLevel
    from splink.comparison_library import CustomComparison

    unknown = CustomLevel(_UNKNOWN[name]).configure(is_null_level=True)
    chosen = [
        (ElseLevel() if level.condition == "ELSE" else CustomLevel(level.condition)).configure(
            m_probability=level.m, u_probability=level.u, label_for_charts=level.agreement
        )
        for level in levels
        if level.comparison == name
    ]
    return CustomComparison(output_column_name=name, comparison_levels=[unknown, *chosen])
