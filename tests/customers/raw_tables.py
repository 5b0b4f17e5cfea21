"""Raw tables as a reader brings them, for tests of casting, checks, rules and preparation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keycustomer.customers.errors import CheckReport, Finding
from keycustomer.customers.prepare import check_base
from keycustomer.customers.specification import BaseSpecification

LINES = "customer_id,order_id,date,product_id,quantity,amount\n"


def case(
    folder: Path,
    transactions: str | None = None,
    *,
    rules: dict[str, Any] | None = None,
    format: dict[str, Any] | None = None,
    columns: dict[str, str] | None = None,
    time_zone: str = "UTC",
    observed: dict[str, str] | None = None,
    attributes: dict[str, list[str]] | None = None,
    **others: str,
) -> BaseSpecification:
    """Write CSV tables into a folder and describe them as a case file would."""
    texts = others if transactions is None else {"transactions": transactions, **others}
    tables: dict[str, dict[str, Any]] = {}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_bytes(text.encode())
        tables[name] = {"csv": f"{name}.csv"}
    if "transactions" in tables:
        tables["transactions"] |= {"format": format or {}, "columns": columns or {}}
    if attributes:
        tables["customers"]["attributes"] = attributes
    return BaseSpecification.model_validate(
        {
            "title": "Test",
            "currency": "EUR",
            "time_zone": time_zone,
            "observed": observed or {},
            "tables": tables,
            "rules": rules or {},
        }
    )


def check(folder: Path, transactions: str | None = None, **options: Any) -> CheckReport:
    """Check raw tables."""
    return check_base(case(folder, transactions, **options), folder)


def finding(report: CheckReport, rule: str, column: str | None = None) -> Finding:
    """Take the one finding of a rule (and column)."""
    found = [
        f for f in report.findings if f.rule == rule and (column is None or f.column == column)
    ]
    assert len(found) == 1, f"{len(found)} findings of {rule}:\n{report}"
    return found[0]
