"""The customer base (chapter 0): from raw tables to a trusted file of customers.

A case file says where the tables are and how they are written (`specification`); `reading` brings
them in as they stand, `casting` gives them types, `checks` reports everything that is wrong at
once, `rules` settle what a rule can settle, and `prepare_base` keeps the result as one DuckDB file
that `open_base` opens. `customer_table` has one row a customer; the reports build on it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, tuple[str, ...]] = {
    "base": ("CustomerBase", "open_base"),
    "campaigns": ("CampaignList", "campaign_list"),
    "duplicates": ("DuplicateReport", "probable_duplicates"),
    "errors": ("CheckReport", "DataError", "Finding"),
    "file_report": ("CustomerFileReport", "customer_file_report"),
    "prepare": ("check_base", "prepare_base"),
    "questions": ("Differentiation", "differentiation"),
    "reading": ("InputRecord", "SourceError", "StagedTable", "stage"),
    "schema": ("TABLES", "Column", "Table"),
    "specification": ("BaseSpecification", "TableSpecification"),
    "table": (
        "customer_categories",
        "customer_histories",
        "customer_periods",
        "customer_table",
        "purchase_days",
    ),
}

_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Load the module that owns `name` at its first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
