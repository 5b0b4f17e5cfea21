"""A chapter inside its notebook: opens the case, records results, writes them in one place.

Question: how does a notebook's figure, table, sentence or number become part of a case's report
and results, the same way in JupyterLab, under papermill and in a case run?

- :func:`open_chapter`: checks the parameters, prepares the case's base where it is missing or
  outdated, and returns the :class:`Chapter`.
- :class:`Chapter`: `measure`, `ledger`, `figure`, `table`, `page`, `say`, `skip`, `customer`,
  `value`, `save`.

Values of data are escaped wherever they are shown; small groups and names are withheld unless the
case is identifiable.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from keycustomer.casework.case import Case, load_case
from keycustomer.casework.disclosure import (
    CustomerLabels,
    escape_markdown,
    neutralise_formulas,
    withhold_small_cells,
)
from keycustomer.casework.display import (
    ROWS_SHOWN,
    EscapingFormatter,
    html_table,
    show_image,
    show_markdown,
    show_table,
)
from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.files import write_json
from keycustomer.casework.measures import MODEL_PARAMETERS, ledger_row, measure_row
from keycustomer.casework.parameters import Parameter, convert_all, read_parameters
from keycustomer.casework.project import chapter_number
from keycustomer.casework.slider import can_slide, show_slider
from keycustomer.casework.variables import BASE, OUTPUT
from keycustomer.customers.base import CustomerBase, open_base

if TYPE_CHECKING:
    from keycustomer.lifetime.fitted import Fitted

# 10 x 6 inches at this density fill a projector of 1920 x 1080.
_DPI = 150
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,60}")
_QUOTED = re.compile(r"'[^']*'")

_Result = TypeVar("_Result")


class Parameters(Mapping[str, Any]):
    """Values of a chapter's parameters, by attribute and by key.

    Parameters
    ----------
    values : dict
        Value by name.
    declared : dict of str to Parameter
        What the notebook declares.
    origins : dict of str to str
        Where each value comes from.
    """

    def __init__(
        self, values: dict[str, Any], declared: Mapping[str, Parameter], origins: dict[str, str]
    ) -> None:
        self._values = values
        self._declared = declared
        self._origins = origins

    def __getitem__(self, name: str) -> Any:
        """Value of a parameter."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Names, in the notebook's order."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the parameters."""
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        """Value of a parameter.

        Raises
        ------
        AttributeError
            When the chapter has no such parameter.
        """
        if name.startswith("_") or name not in self._values:
            near = did_you_mean(name, self._values) if not name.startswith("_") else ""
            raise AttributeError(f"no parameter {name!r}{near}")
        return self._values[name]

    def __repr__(self) -> str:
        """All names with their values."""
        return ", ".join(f"{name}={value!r}" for name, value in self._values.items())

    def to_frame(self) -> pd.DataFrame:
        """One row a parameter: parameter, value, from, meaning."""
        rows = [
            (name, json.dumps(value, ensure_ascii=False), self._origins[name], declared.help)
            for name, value in self._values.items()
            if (declared := self._declared[name])
        ]
        return pd.DataFrame(rows, columns=["parameter", "value", "from", "meaning"])


class Chapter:
    """An open chapter: its base and parameters, and the record of its results.

    Recording a result again under the same name replaces it, so that cells may be run twice.

    Attributes
    ----------
    name : str
        Name of the chapter.
    case : Case
        The case it runs on.
    base : CustomerBase
        The case's prepared customer base.
    parameters : Parameters
        Checked values, `chapter.parameters.draws`.
    folder : Path
        Where results are written.
    """

    def __init__(
        self, name: str, case: Case, base: CustomerBase, parameters: Parameters, folder: Path
    ) -> None:
        self.name = name
        self.case = case
        self.base = base
        self.parameters = parameters
        self.folder = folder
        self._measures: dict[tuple[str, str], dict[str, Any]] = {}
        self._ledger: dict[tuple[str, str], dict[str, Any]] = {}
        self._skipped: dict[tuple[str, str], dict[str, Any]] = {}
        self._tables: dict[str, dict[str, Any]] = {}
        self._figures: dict[str, dict[str, Any]] = {}
        self._pages: dict[str, dict[str, Any]] = {}

    def __repr__(self) -> str:
        """Name, case and parameters."""
        return f"Chapter({self.name!r}, case={self.case.name!r}, {self.parameters!r})"

    def _repr_html_(self) -> str:
        parameters = html_table(self.parameters.to_frame(), f"Parameters of {self.name}")
        return self.base._repr_html_() + parameters

    @cached_property
    def _labels(self) -> CustomerLabels:
        return CustomerLabels(self.base)

    def measure(
        self,
        name: str,
        estimate: Any,
        *,
        group: str = "",
        unit: str | None = None,
        n: int | None = None,
        method: str | None = None,
        truth: float | None = None,
    ) -> None:
        """Record a measure of the chapter's closed vocabulary.

        Parameters
        ----------
        name, group : str
            A measure, and where it has them a group, of `keycustomer.casework.measures.MEASURES`.
        estimate : Estimate or float or None
            The value; None where it cannot be computed.
        unit, n, method
            Where the estimate does not carry them; the unit also comes from the vocabulary.
        truth : float or None
            The true value, where the data are simulated and it is known.

        Raises
        ------
        ValueError
            When the chapter has no such measure or group, or a number is infinite.
        """
        self._measures[name, group] = measure_row(
            self.name, name, estimate, group=group, unit=unit, n=n, method=method, truth=truth
        )

    @property
    def measures(self) -> pd.DataFrame:
        """Measures recorded so far, one row each, as in `results.json`."""
        return pd.DataFrame(list(self._measures.values()))

    def model(self, fitted: Fitted) -> None:
        """Record a lifetime model's likelihood and parameters as measures.

        A parameter that the data send to infinity, or leave without meaning, is recorded without
        a value, with the sentence that says which simpler model the data lead to.

        Parameters
        ----------
        fitted : Fitted
            A BG/NBD, MBG/NBD, Pareto/NBD or Gamma-Gamma model.
        """
        prefix, names = MODEL_PARAMETERS[fitted.model]
        customers, known = round(fitted.customers), fitted.estimates()
        self.measure("log_likelihood", fitted.log_likelihood, group=fitted.model, n=customers)
        for name in names:
            method = None if name in known else fitted.limit
            self.measure(f"{prefix}_{name}", known.get(name), n=customers, method=method)

    def ledger(self, claim: str, statement: str, measure: str, estimate: Any, verdict: str) -> None:
        """Record and show what the data say about a claim of the course.

        Parameters
        ----------
        claim : str
            Its id, such as `K1`.
        statement : str
            The claim in one line.
        measure : str
            The measure that decides.
        estimate : Estimate or float or None
            Its value.
        verdict : {"supported", "not supported", "undecided"}
            By a rule fixed in code before the data are seen.

        Raises
        ------
        ValueError
            When the claim or the verdict is none of the known ones.
        """
        row = ledger_row(self.case.name, claim, statement, measure, estimate, verdict)
        self._ledger[claim, measure] = row
        low, number, high = (_three_digits(row[end]) for end in ("lower", "estimate", "upper"))
        interval = "" if row["lower"] is None else f" [{low}, {high}]"
        self.say(
            f"**{self.value(claim)}** {self.value(statement)} "
            f"→ {self.value(measure)} {self.value(number + interval)}: **{self.value(verdict)}**."
        )

    def figure(self, name: str, ax: Any, alt: str | None = None) -> None:
        """Save a figure as PNG, show it with its text alternative, and close it.

        Parameters
        ----------
        name : str
            Name of the file: small letters, digits and `_`.
        ax : Axes or Figure
            The figure or one of its axes.
        alt : str, optional
            Text alternative; default: the one its plot function has set.

        Raises
        ------
        ValueError
            When the name is none, or the figure has no text alternative.
        """
        from matplotlib import pyplot
        from matplotlib.figure import Figure

        from keycustomer.plots import description

        figure = ax if isinstance(ax, Figure) else ax.figure
        text = alt or description(ax)
        path = self._path("figures", name, "png")
        image = io.BytesIO()
        # Matplotlib writes its version into the file unless told not to.
        figure.savefig(image, dpi=_DPI, format="png", metadata={"Software": None})
        path.write_bytes(image.getvalue())
        self._figures[name] = {"name": name, "file": self._relative(path), "alt": text}
        width = round(96 * figure.get_size_inches()[0])
        pyplot.close(figure)
        show_image(image.getvalue(), text, width)

    def slider(
        self, draw: Callable[[float], Any], *, low: float, high: float, start: float, label: str
    ) -> None:
        """Show a figure that follows a slider, where somebody works in the notebook.

        A run writes nothing: draw the figure at its default with :meth:`figure` as well.

        Parameters
        ----------
        draw : callable
            Gives the axes of a figure for a position of the slider.
        low, high, start : float
            Ends of the slider, and where it stands at first.
        label : str
            What it sets, with its unit.

        Raises
        ------
        ValueError
            When the ends are not in order, or the start is not between them.
        """
        if OUTPUT not in os.environ and can_slide():
            show_slider(draw, low, high, start, label)

    def table(
        self,
        name: str,
        frame: pd.DataFrame,
        caption: str | None = None,
        count: str | list[str] | None = None,
        rows: int = ROWS_SHOWN,
    ) -> None:
        """Save a table as CSV and Parquet, and show it.

        Unless the case is identifiable, customers appear under pseudonyms, personal columns are
        left out, and groups of fewer customers than the case's `minimum_cell` are withheld.

        Parameters
        ----------
        name : str
            Name of the files: small letters, digits and `_`.
        frame : DataFrame
            The table; a named index becomes a column.
        caption : str, optional
            What it shows.
        count : str or list of str, optional
            Columns with the number of customers of a row's group; the columns to their left say
            which group it is.
        rows : int
            Most rows to show; the files have all.

        Raises
        ------
        ValueError
            When the name is none, column names repeat, or a count column is missing.
        """
        tidy = self._labels.frame(_tidy(name, frame))
        withheld = 0
        if count is not None and not self.base.identifiable:
            tidy, withheld = withhold_small_cells(tidy, count, self.case.specification.minimum_cell)
        self._tables[name] = {
            "name": name,
            "caption": caption or "",
            **self._write_table(name, tidy),
            "rows": len(tidy),
            "withheld_rows": withheld,
        }
        show_table(tidy, self._caption(name, caption, len(tidy), withheld, rows), rows)

    def page(self, name: str, page: Any, title: str) -> None:
        """Save a page of its own, such as a dossier to print, and say where it is.

        Parameters
        ----------
        name : str
            Name of the file: small letters, digits and `_`.
        page : object
            With its HTML as `html`, complete and escaped.
        title : str
            What it is about.

        Raises
        ------
        ValueError
            When the name is none.
        """
        path = self._path("pages", name, "html")
        path.write_text(page.html, encoding="utf-8", newline="\n")
        self._pages[name] = {"name": name, "file": self._relative(path), "title": title}
        self.say("{title}: {file}", title=title, file=self._relative(path))

    def _write_table(self, name: str, frame: pd.DataFrame) -> dict[str, str]:
        text, binary = self._path("tables", name, "csv"), self._path("tables", name, "parquet")
        neutralise_formulas(frame).to_csv(text, index=False, lineterminator="\n", encoding="utf-8")
        frame.to_parquet(binary, index=False)
        return {"csv": self._relative(text), "parquet": self._relative(binary)}

    def _caption(self, name: str, caption: str | None, rows: int, withheld: int, shown: int) -> str:
        parts = [caption] if caption else []
        if rows > shown:
            file = self._tables[name]["csv"]
            parts.append(f"The first {shown} of {rows:,} rows; all are in {file}.")
        if withheld:
            minimum = self.case.specification.minimum_cell
            parts.append(
                f"{withheld} rows are withheld (empty), so that no group of fewer than {minimum} "
                "customers is shown."
            )
        return " ".join(part if len(parts) == 1 else f"{part.rstrip('.')}." for part in parts)

    def say(self, markdown: str, **values: Any) -> None:
        """Show sentences computed from results.

        Parameters
        ----------
        markdown : str
            Markdown without HTML: a `<` is shown as it stands. With `values`, a template such as
            ``"{customer} brings {share:.1%}"``, whose values are escaped.
        **values
            Values of the template.
        """
        show_markdown(EscapingFormatter().format(markdown, **values) if values else markdown)

    def value(self, value: Any, form: str = "") -> str:
        """Return a value for use in Markdown, escaped so that it is shown as it stands.

        Parameters
        ----------
        value : object
            A number, name or other value.
        form : str
            Format specification, such as `,.0f` or `.1%`.
        """
        return escape_markdown(format(value, form) if form else value)

    def skip(self, section: str, missing: str) -> None:
        """Record and show that a section is skipped.

        Parameters
        ----------
        section : str
            The section's title.
        missing : str
            The table, or `table.column`, that the case lacks.
        """
        self._skipped[section, missing] = {"section": section, "missing_table": missing}
        self.say(
            "*Skipped ({section}): this case has no {missing}.*", section=section, missing=missing
        )

    def attempt(
        self, section: str, call: Callable[..., _Result], *given: Any, **named: Any
    ) -> _Result | None:
        """Compute what the data may not allow; say why not, and go on.

        Parameters
        ----------
        section : str
            The section's title.
        call : callable
            A function of the library; that it refuses the data, with a ValueError, is what may
            happen.
        *given, **named
            Its arguments.

        Returns
        -------
        object or None
            What the function gives, None where it refuses.
        """
        try:
            return call(*given, **named)
        except ValueError as refused:
            reason = str(refused)
        if not self.base.identifiable:
            reason = _QUOTED.sub("'...'", reason)  # may be a customer's id
        self._skipped[section, reason] = {"section": section, "missing_table": reason}
        self.say("*Not computed ({section}): {reason}.*", section=section, reason=reason)
        return None

    def customer(self, ids: str | Iterable[str]) -> str | list[str]:
        """Labels of customers: their ids when the case is identifiable, else pseudonyms.

        Parameters
        ----------
        ids : str or iterable of str
            One or more customer ids; see `keycustomer.casework.disclosure.CustomerLabels`.
        """
        if isinstance(ids, str):
            return self._labels([ids])[0]
        return self._labels(ids)

    def save(self) -> Path:
        """Write the chapter's results and say what was written; the notebook's last call.

        Returns
        -------
        Path
            The folder of the results.
        """
        content = {
            "chapter": self.name,
            "measures": list(self._measures.values()),
            "ledger": list(self._ledger.values()),
            "skipped": list(self._skipped.values()),
            "tables": list(self._tables.values()),
            "figures": list(self._figures.values()),
            "pages": list(self._pages.values()),
            "parameters": dict(self.parameters),
        }
        folder = self.folder / "chapters"
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{self.name}.json", content)
        write_json(folder / f"{self.name}.usage.json", {"peak_memory_bytes": peak_memory()})
        counts = ("measures", "ledger", "tables", "figures", "pages", "skipped")
        written = ", ".join(f"{name} {len(content[name])}" for name in counts)
        self.say("Results of {chapter} saved: {written}.", chapter=self.name, written=written)
        return self.folder

    def _path(self, kind: str, name: str, ending: str) -> Path:
        if not _FILE_NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for one of the {kind}: use small letters, digits and _"
            )
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{chapter_number(self.name)}_{name}.{ending}"

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def open_chapter(name: str, case: str | Path | Case, **parameters: Any) -> Chapter:
    """Open a chapter on a case: the call below every notebook's parameters cell.

    Parameters
    ----------
    name : str
        Name of the chapter, such as `1_pareto_analysis`.
    case : str or Path or Case
        Name of a case under `casework/`, or the path of a case file.
    **parameters
        Values of the notebook's parameters. Where one equals the notebook's default, a value in
        the case file goes before it.

    Returns
    -------
    Chapter

    Raises
    ------
    CaseError
        When the case, the chapter or a parameter is not right, with all problems.
    """
    loaded = load_case(case)
    chapter = loaded.project.chapter(name)
    declared = read_parameters(loaded.project.notebooks[chapter])
    values = _resolve(chapter, loaded, declared, parameters)
    output = os.environ.get(OUTPUT)
    folder = Path(output) if output else loaded.folder / "work" / chapter
    return Chapter(chapter, loaded, _base(loaded), values, folder)


def _resolve(
    chapter: str, case: Case, declared: Mapping[str, Parameter], given: Mapping[str, Any]
) -> Parameters:
    """Values given, from the case file, or the notebook's own; the first that speaks."""
    converted, problems = convert_all(given, declared, chapter)
    if problems:
        raise CaseError(*problems.values())
    in_case = case.specification.parameters.get(chapter, {})
    values, origins = {}, {}
    for name, parameter in declared.items():
        if name == "case":
            continue
        value = converted.get(name, parameter.default)
        # A run has put the case file's values into the notebook already; what it gives stands.
        if value == parameter.default and name in in_case and OUTPUT not in os.environ:
            value = in_case[name]
        values[name] = value
        origins[name] = _origin(value, parameter, in_case)
    return Parameters(values, declared, origins)


def _origin(value: Any, parameter: Parameter, in_case: Mapping[str, Any]) -> str:
    if parameter.name in in_case and value == in_case[parameter.name]:
        return "case file"
    return "notebook" if value == parameter.default else "given"


def _base(case: Case) -> CustomerBase:
    """Open the base a run has prepared, else the case's own, prepared where missing or outdated."""
    prepared = os.environ.get(BASE)
    if prepared:
        return open_base(prepared)
    from keycustomer.customers import prepare_base

    return prepare_base(
        case.specification, case.folder, case.folder / "base.duckdb", progress=print
    )


def _three_digits(value: float | None) -> str:
    """Write a number with three digits, whole where it has more before the point."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def _tidy(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Frame with its named index as columns and text headings."""
    named = any(level is not None for level in frame.index.names)
    tidy = frame.reset_index(drop=not named)
    tidy.columns = [str(column) for column in tidy.columns]
    repeated = sorted(set(tidy.columns[tidy.columns.duplicated()]))
    if repeated:
        raise ValueError(f"table {name!r} has several columns called {repeated}")
    return tidy


def peak_memory() -> int | None:
    """Return the largest memory this process has held, bytes; None where the system hides it."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
