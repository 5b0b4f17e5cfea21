"""Quantities computed from a model's coefficients: `indirect := a*b`.

What may stand after ``:=``?  Labels, quantities defined above, numbers, ``+ - * / ^``, brackets,
and exp, log, sqrt.  The text is parsed to a tree and the tree is walked; nothing is executed.
:func:`read_formulas` checks all definitions of a model, :meth:`Formulas.evaluate` computes them
for one solution or for thousands of bootstrap draws at once.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.dimensions.structural.syntax import Definition, ModelError, ModelText

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt}

_ALLOWED = "labels, numbers, + - * / ^, brackets, exp, log and sqrt"


@dataclass(frozen=True)
class Formulas:
    """Definitions of a model, ready to be computed.

    Attributes
    ----------
    names : tuple of str
        Names of the quantities.
    expressions : tuple of str
        Their definitions as written.
    trees : tuple of ast.expr
        Their definitions as trees.
    """

    names: tuple[str, ...]
    expressions: tuple[str, ...]
    trees: tuple[ast.expr, ...]

    def evaluate(self, labels: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the quantities.

        Parameters
        ----------
        labels : mapping of str to ndarray, shape (draws,)
            Coefficients by label.

        Returns
        -------
        ndarray, shape (draws, quantities)
            Not finite where a quantity is not defined (a division by zero).
        """
        known: dict[str, Any] = dict(labels)
        with np.errstate(all="ignore"):
            for name, tree in zip(self.names, self.trees, strict=True):
                known[name] = _value(tree, known)
        size = len(next(iter(labels.values()))) if labels else 1
        columns = [np.broadcast_to(known[name], size) for name in self.names]
        return np.stack(columns, axis=1) if columns else np.empty((size, 0))


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=number):
            return np.asarray(number, dtype=float)
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(op=sign, operand=operand):
            inner = _value(operand, known)
            return -inner if isinstance(sign, ast.USub) else inner
        case ast.BinOp(left=left, op=sign, right=right):
            return _BINARY[type(sign)](_value(left, known), _value(right, known))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_value(argument, known))
    raise TypeError(f"{ast.dump(node)} has passed the check of formulas and should not have")


def read_formulas(model: ModelText, labels: Iterable[str]) -> Formulas:
    """Read and check all definitions of a model.

    Parameters
    ----------
    model : ModelText
        The model.
    labels : iterable of str
        Labels of its coefficients.

    Raises
    ------
    ModelError
        With every definition that cannot be computed.
    """
    known = list(dict.fromkeys(labels))
    complaints: list[str] = []
    trees: list[ast.expr] = []
    for definition in model.definitions:
        if definition.name in known:
            complaints.append(
                model.complaint(
                    definition.place,
                    f"{definition.name!r} is given twice, as a label or as a quantity; choose "
                    "another name",
                )
            )
            continue
        tree, told = _tree(model, definition, known)
        complaints += told
        known.append(definition.name)
        if tree is not None:
            trees.append(tree)
    if complaints:
        raise ModelError(complaints)
    written = model.definitions
    return Formulas(
        tuple(d.name for d in written), tuple(d.expression for d in written), tuple(trees)
    )


def _tree(
    model: ModelText, definition: Definition, known: list[str]
) -> tuple[ast.expr | None, list[str]]:
    """Tree of a definition, and complaints about it."""
    # a power is two signs in the tree's notation: a caret is shown at the sign's place in ours
    text = " ".join(definition.expression.split()).replace("^", "**")

    def place(column: int) -> int:
        """Place in the model's text of a byte of the tree's text."""
        before = text.encode()[:column].decode(errors="ignore")
        return definition.expression_place + len(before) - before.count("**")

    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = max((getattr(error, "offset", 1) or 1) - 1, 0)
        said = f"this is not a formula; it may hold {_ALLOWED}"
        return None, [model.complaint(place(len(text[:column].encode())), said)]
    told = [
        model.complaint(place(node.col_offset), f"this may not stand in a formula: only {_ALLOWED}")
        for node in _wrong_nodes(tree)
    ]
    if not told:
        told = [
            model.complaint(place(name.col_offset), _unknown_label(name.id, known))
            for name in _names(tree)
            if name.id not in known
        ]
    return (None if told else tree), told


def _wrong_nodes(tree: ast.expr) -> list[ast.expr]:
    """Find the parts of a tree that no formula may have, the outermost only."""
    match tree:
        case ast.Constant(value=value):
            return [] if type(value) in (int, float) else [tree]
        case ast.Name():
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _wrong_nodes(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _wrong_nodes(left) + _wrong_nodes(right)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _wrong_nodes(argument)
    return [tree]


def _names(tree: ast.expr) -> list[ast.Name]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]


def _unknown_label(name: str, known: list[str]) -> str:
    there = f"; labels are {listed(known)}" if known else "; the model has no labels yet"
    return (
        f"no coefficient has the label {name!r}{there}{did_you_mean(name, known, 1)} (a label "
        f"stands in front of a star, as in 'Loyalty ~ {name}*Satisfaction')"
    )
