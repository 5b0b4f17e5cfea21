"""Parameters of a notebook: what its parameters cell declares, and values checked against it.

Question: which values may a case file, a command line or a reader give a chapter, and what do the
words they typed mean?

A parameters cell holds one line each, ``name: type = value  # meaning, unit``.  It is read here as
Python source, not by papermill, whose inspection loses defaults that contain ``=`` and which
accepts unknown names with a line in a log.  Values are reduced to JSON types by the declared type,
so that YAML's ``1e3`` is a number where a number is declared and text where text is.

- :func:`read_parameters`: the declarations of a notebook as :class:`Parameter` objects.
- :meth:`Parameter.convert`: a value as written, to the declared type.
- :func:`convert_all`: values by name, with all problems at once.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keycustomer.casework.errors import CaseError, did_you_mean

_SCALARS = ("str", "int", "float", "bool")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NULLS = ("", "null", "none", "~")
_NEEDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter.

    Attributes
    ----------
    name : str
        Name of the variable.
    scalar : {"str", "int", "float", "bool"}
        Type of the value, or of the items of a list.
    default : object
        Value where none is given; of the declared type.
    help : str
        Meaning and unit, from the line's comment.
    many : bool
        Whether the value is a list.
    optional : bool
        Whether None is allowed.
    choices : tuple
        The allowed values; empty: any.
    """

    name: str
    scalar: str
    default: Any
    help: str = ""
    many: bool = False
    optional: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def annotation(self) -> str:
        """The declared type as written in Python."""
        inner = f"Literal[{', '.join(map(repr, self.choices))}]" if self.choices else self.scalar
        inner = f"list[{inner}]" if self.many else inner
        return f"{inner} | None" if self.optional else inner

    def convert(self, value: Any) -> Any:
        """Turn a value, or the text of one, into the declared type.

        Raises
        ------
        ValueError
            When it is not of that type; the message says what was got and what is needed.
        """
        if self.optional and (
            value is None or (isinstance(value, str) and value.strip().lower() in _NULLS)
        ):
            return None
        if self.many:
            return [self._convert_one(item) for item in _items(value)]
        return self._convert_one(value)

    def _convert_one(self, value: Any) -> Any:
        converted = _CONVERTERS[self.scalar](value)
        if converted is None:
            raise ValueError(f"got {value!r}, needs {_NEEDS[self.scalar]}")
        if self.choices and converted not in self.choices:
            allowed = ", ".join(map(repr, self.choices))
            near = did_you_mean(str(converted), map(str, self.choices))
            raise ValueError(f"got {converted!r}, allowed are {allowed}{near}")
        return converted


def _items(value: Any) -> list[Any]:
    """Items of a list given as a list, as JSON text, or as text with commas."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        raise ValueError(f"got {value!r}, needs a list")
    if value.strip().startswith("["):
        try:
            return list(json.loads(value))
        except json.JSONDecodeError as error:
            raise ValueError(f"got {value!r}, which is no JSON list ({error})") from error
    return [item.strip() for item in value.split(",") if item.strip()]


def _to_text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"got {value!r}, which holds characters no text file can hold")
    return value


def _to_float(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _to_int(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    number = _to_float(value)
    return int(number) if number is not None and number.is_integer() else None


def _to_bool(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


_CONVERTERS = {"str": _to_text, "int": _to_int, "float": _to_float, "bool": _to_bool}


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Parameters that a notebook declares in its cell tagged `parameters`.

    Parameters
    ----------
    notebook : Path
        A notebook file, format 4.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; the first is `case`.

    Raises
    ------
    CaseError
        When the file is no notebook, has not exactly one such cell, or a line of it is not of the
        form ``name: type = value  # meaning, unit``.
    """
    declared = parse_parameters(_parameters_cell(notebook), notebook.name)
    if "case" not in declared or declared["case"].annotation != "str":
        raise CaseError(f"{notebook.name}: the parameters cell must declare `case: str = ...`")
    return declared


def _parameters_cell(notebook: Path) -> str:
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        cells = [c for c in content["cells"] if "parameters" in c["metadata"].get("tags", [])]
    except (ValueError, KeyError, TypeError) as error:
        raise CaseError(f"{notebook.name}: not a notebook of format 4 ({error!r})") from error
    if len(cells) != 1:
        raise CaseError(
            f"{notebook.name}: {len(cells)} cells are tagged `parameters`; tag exactly one"
        )
    source = cells[0]["source"]
    return source if isinstance(source, str) else "".join(source)


def parse_parameters(source: str, name: str) -> dict[str, Parameter]:
    """Parameters declared by the source of a parameters cell; see :func:`read_parameters`."""
    try:
        statements = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise CaseError(f"{name}: the parameters cell is not Python: {error}") from error
    declared: dict[str, Parameter] = {}
    problems = []
    for statement in statements:
        try:
            parameter = _declaration(statement, comments)
            if parameter.name in declared:
                raise ValueError(f"`{parameter.name}` is declared twice")
            declared[parameter.name] = parameter
        except ValueError as error:
            line = source.splitlines()[statement.lineno - 1].strip()
            problems.append(f"{name}: parameters cell, `{line}`: {error}")
    if problems:
        raise CaseError(*problems)
    return declared


def _comments(source: str) -> dict[int, str]:
    """Comments by line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string[1:].strip() for t in tokens if t.type == tokenize.COMMENT}


def _declaration(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter:
    form = "write `name: type = value  # meaning, unit`"
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
        raise ValueError(form)
    if statement.value is None:
        raise ValueError(f"no default; {form}")
    name = statement.target.id
    if name.startswith("_"):
        raise ValueError(f"{name!r} is not a name for a parameter")
    blank = Parameter(name, **_type(statement.annotation), default=None)
    try:
        default = blank.convert(ast.literal_eval(statement.value))
    except ValueError as error:
        raise ValueError(f"the default is not of type {blank.annotation}: {error}") from error
    help_text = comments.get(statement.end_lineno or statement.lineno, "")
    return Parameter(
        name, blank.scalar, default, help_text, blank.many, blank.optional, blank.choices
    )


def _type(node: ast.expr) -> dict[str, Any]:
    """Fields `scalar`, `many`, `optional`, `choices` of an annotation."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if not (isinstance(node.right, ast.Constant) and node.right.value is None):
            raise ValueError("a parameter has one type, or `type | None`")
        return {**_type(node.left), "optional": True}
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id == "list":
            return {**_type(node.slice), "many": True}
        if node.value.id == "Literal":
            return _choices(node.slice)
    if isinstance(node, ast.Name) and node.id in _SCALARS:
        return {"scalar": node.id}
    raise ValueError(
        f"type {ast.unparse(node)!r}; allowed are {', '.join(_SCALARS)}, list[...] of these, "
        "Literal[...] and any of them `| None`"
    )


def _choices(node: ast.expr) -> dict[str, Any]:
    values = ast.literal_eval(node)
    choices = values if isinstance(values, tuple) else (values,)
    kinds = {type(value).__name__ for value in choices}
    if len(kinds) != 1 or not kinds <= set(_SCALARS):
        raise ValueError("the values of a Literal must be of one type")
    return {"scalar": kinds.pop(), "choices": choices}


def convert_all(
    given: Mapping[str, Any], declared: Mapping[str, Parameter], chapter: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Convert values by name.

    Parameters
    ----------
    given : mapping
        Values, or texts of values, by parameter.
    declared : mapping of str to Parameter
        What the chapter declares.
    chapter : str
        Name of the chapter, for messages.

    Returns
    -------
    values : dict
        The values that fit, of the declared types.
    problems : dict of str to str
        One message for every name that is unknown or whose value does not fit.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in given.items():
        if name not in declared or name == "case":
            problems[name] = _unknown(name, declared, chapter)
            continue
        try:
            values[name] = declared[name].convert(value)
        except ValueError as error:
            problems[name] = f"parameter `{name}` of {chapter}: {error}"
    return values, problems


def _unknown(name: str, declared: Mapping[str, Parameter], chapter: str) -> str:
    if name == "case":
        return "parameter `case` is set by the run; name the case itself instead"
    known = [known for known in declared if known != "case"]
    return (
        f"{chapter} has no parameter {name!r}{did_you_mean(name, known)}; "
        f"it has: {', '.join(known) or 'none'}"
    )
