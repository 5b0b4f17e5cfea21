"""Pages from templates: one shell, one style, and everything escaped.

Question: how does every page of the project, a report, a note or a page on several cases, get the
same frame and the same care?

:func:`render_page` fills a template that extends `shell.html.j2`: offline, with a policy that lets
nothing be fetched, readable on paper and by screen readers.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

_STYLE = "report/page.css"


def render_page(template: str, **names: Any) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        Its path within this package, such as "report/page.html.j2".
    **names
        What the template shows; every value is escaped, unless it goes in through `markup`, which
        is for texts that are clean already.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_read),
    )
    style = Markup(_read(_STYLE))  # noqa: S704, our own file
    return environment.get_template(template).render(style=style, markup=Markup, **names)


def _read(path: str) -> str:
    return (files("keycustomer.casework") / path).read_text(encoding="utf-8")
