"""The customer base (chapter 0): from raw tables to a trusted file of customers.

A case file says where the tables are and how they are written (`specification`); `reading` brings
them in as they stand, `casting` gives them types, `checks` reports everything that is wrong at
once, `rules` settle what a rule can settle, and `prepare_base` keeps the result as one DuckDB file
that `open_base` opens. `customer_table` has one row a customer; the reports build on it.
"""

from __future__ import annotations

from keycustomer.lazy import lazy_names

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

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
