"""What a chapter shows in its notebook: sentences, tables and figures that are safe to show.

Question: how does a value of data reach the reader's screen without becoming a tag or a formula?

`show_markdown`, `show_table`, `show_image` show; `html_table` and `EscapingFormatter` make text of
values.  What they show carries its plain text too, for readers without HTML.
"""

from __future__ import annotations

import base64
import html
import string
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.casework.disclosure import escape_markdown

ROWS_SHOWN = 30
"""Rows of a table that are shown; the file has all."""


class EscapingFormatter(string.Formatter):
    """Formats templates whose values are escaped for Markdown."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one value and escape it."""
        return escape_markdown(super().format_field(value, format_spec))


def show_markdown(text: str) -> None:
    """Show Markdown; HTML in it is shown as it stands."""
    _show({"text/markdown": text.replace("<", "&lt;"), "text/plain": text})


def _show(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    from IPython.display import display

    display(data, metadata=metadata, raw=True)


def show_image(image: bytes, alt: str, width: int) -> None:
    """Show a PNG, `width` CSS pixels wide, with its text alternative."""
    data = {"image/png": base64.b64encode(image).decode(), "text/plain": alt}
    _show(data, {"image/png": {"alt": alt, "width": width}, "alt": alt})


def show_table(frame: pd.DataFrame, caption: str, rows: int = ROWS_SHOWN) -> None:
    """Show the first rows of a table."""
    head = frame.head(rows)
    _show({"text/html": html_table(head, caption), "text/plain": head.to_string(index=False)})


def html_table(frame: pd.DataFrame, caption: str) -> str:
    """Return a table as HTML, every value escaped, with its caption inside."""
    # Escaped here and not by pandas, which would write a line break as a backslash and an n.
    cells = frame.astype(object).map(_cell)
    cells.columns = pd.Index([html.escape(str(column)) for column in frame.columns])
    table = cells.to_html(
        index=False, border=0, escape=False, classes=["mathjax_ignore", "tex2jax_ignore"]
    )
    return table.replace("<thead>", f"<caption>{html.escape(caption)}</caption>\n  <thead>", 1)


def _cell(value: Any) -> str:
    """Return a value with the digits a reader takes in, safe to stand in a page."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return _short(float(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return f"{value:%Y-%m-%d}"
    return html.escape(str(value)).replace("\n", "<br>")


def _short(value: float) -> str:
    size = abs(value)
    if value == 0 or size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.4f}"
