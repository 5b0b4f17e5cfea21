"""The text of a structural model: what measures what, what acts on what.

How is a model written so that a reader sees it at a glance?  In the notation that lavaan made
common, a statement a line::

    Satisfaction =~ CUSA1 + CUSA2 + CUSA3     # is measured by
    Loyalty ~ b*Satisfaction + Image          # depends on; b is a label
    CUSA1 ~~ CUSA2                            # vary together
    indirect := a*b                           # to be computed from labels

A number before the star fixes a coefficient, ``NA*`` frees one that is fixed by convention, the
same label twice makes two coefficients equal.  ``#`` or ``!`` starts a comment, ``;`` separates
statements of one line, a line may be continued after ``+``, and a name with spaces stands between
backticks.  :func:`read_model_text` reads it; every mistake is told with its line, a caret below
the place and the cure, all of them at once (:class:`ModelError`).

Source: Rosseel, "lavaan: An R package for structural equation modeling" (Journal of Statistical
Software 48(2), 2012), for the notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keycustomer.customers.errors import printable

LOADING, PATH, COVARIANCE, DEFINITION = "=~", "~", "~~", ":="

_TOKEN = re.compile(
    r"(?P<comment>[#!][^\n]*)|(?P<end>[\n;])|(?P<space>\s+)"
    r"|(?P<name>`[^`\n]+`|[^\W\d][\w.]*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<operator>=~|~~|:=)"
    r"|(?P<strange><->|<~|==|~=|=-|~-(?=\s)|=>|<=|->|<-|~\*|[=<>:|])"
    r"|(?P<path>~)|(?P<sign>[-+*/^(),])|(?P<other>.)",
    re.UNICODE,
)

_MEANT = {
    "<~": "a construct formed by its items is fitted with fit_pls, mode B",
    "==": "to make two coefficients equal, give both the same label",
    "<": "bounds are not part of this notation; remove the statement",
    ">": "bounds are not part of this notation; remove the statement",
    "<=": "bounds are not part of this notation; remove the statement",
    "->": "write the arrow's end first: 'Loyalty ~ Satisfaction' for Satisfaction -> Loyalty",
    "=>": "write the arrow's end first: 'Loyalty ~ Satisfaction' for Satisfaction -> Loyalty",
    "<-": "write ~ for 'depends on'",
    "<->": "write ~~ for 'vary together'",
    "~=": "the signs stand the other way round in =~",
    "|": "thresholds are not part of this notation; items are taken as measured on a scale",
    ":": "write := for a quantity that is computed, =~ for 'is measured by'",
}

_UNFINISHED = ("+", "*", "/", "^", "-", "(", ",", LOADING, PATH, COVARIANCE, DEFINITION)
"""Signs after which a statement goes on in the next line."""

_SIGNS = "=~ (is measured by), ~ (depends on), ~~ (vary together), := (is computed as)"


class ModelError(ValueError):
    """A model text that cannot be used, with all its mistakes.

    Attributes
    ----------
    complaints : tuple of str
        One a mistake: line, what is wrong, the cure, the line with a caret below the place.
    """

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = tuple(complaints)

    def __reduce__(self) -> tuple[type[ModelError], tuple[tuple[str, ...]]]:
        """Survive the way from a worker process to its parent."""
        return type(self), (self.complaints,)


@dataclass(frozen=True)
class Token:
    """A word or sign of the text and where it begins."""

    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Term:
    """One coefficient as it was written.

    Attributes
    ----------
    left, operator, right : str
        For example `Loyalty`, `~`, `Satisfaction`.
    label : str
        Its label, empty without one.
    value : float or None
        The number it is fixed at.
    freed : bool
        Written with ``NA*``.
    place : int
        Where its name begins in the text.
    left_place : int
        Where the name at the left begins.
    """

    left: str
    operator: str
    right: str
    label: str
    value: float | None
    freed: bool
    place: int
    left_place: int


@dataclass(frozen=True)
class Definition:
    """A quantity to be computed, `name := expression`, and where both begin in the text."""

    name: str
    expression: str
    place: int
    expression_place: int


@dataclass(frozen=True)
class ModelText:
    """A model text, read.

    Attributes
    ----------
    text : str
        As it was given.
    terms : tuple of Term
        Loadings, paths and covariances in their order.
    definitions : tuple of Definition
        Computed quantities in their order.
    """

    text: str
    terms: tuple[Term, ...]
    definitions: tuple[Definition, ...]

    def complaint(self, place: int, what: str) -> str:
        """Write a complaint about a place in the text."""
        return complaint(self.text, place, what)


def complaint(text: str, place: int, what: str) -> str:
    """Write a complaint: its line, what is wrong, the line with a caret below the place."""
    place = min(max(place, 0), len(text))
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    line = text[start : end if end >= 0 else len(text)].replace("\t", " ")
    number = text.count("\n", 0, place) + 1
    # a caret below a wide character would stand too far left otherwise
    indent = "".join("\N{IDEOGRAPHIC SPACE}" if ord(c) > 0x2E7F else " " for c in line)
    return f"model text, line {number}: {what}\n    {line}\n    {indent[: place - start]}^"


class _Mistake(Exception):
    """A mistake in one statement; reading goes on with the next."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


def read_model_text(text: str) -> ModelText:
    """Read a model text.

    Parameters
    ----------
    text : str
        Statements as in the module's description.

    Returns
    -------
    ModelText

    Raises
    ------
    TypeError
        When it is no text.
    ModelError
        When it holds no statement or mistakes; all of them are told.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"the model must be a text, got {type(text).__name__}; to build one from constructs "
            "and paths, call model_text(paths, constructs)"
        )
    terms: list[Term] = []
    definitions: list[Definition] = []
    complaints: list[str] = []
    for statement in _statements(list(_tokens(text))):
        try:
            _read_statement(text, statement, terms, definitions)
        except _Mistake as mistake:
            complaints.append(complaint(text, mistake.place, mistake.what))
    if complaints:
        raise ModelError(complaints)
    if not terms:
        raise ModelError(
            ["the model text holds no statement; write for example 'Value =~ PERV1 + PERV2'"]
        )
    return ModelText(text, tuple(terms), tuple(definitions))


def quoted_name(name: str) -> str:
    """Write a name so that the text can be read again: between backticks where it needs them."""
    return name if re.fullmatch(r"[^\W\d][\w.]*", name) and name != "NA" else f"`{name}`"


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        if kind not in ("comment", "space"):
            kind = "operator" if kind == "path" else kind
            yield Token(kind, found.group(), found.start())


def _statements(tokens: list[Token]) -> Iterator[list[Token]]:
    """Split at line ends and semicolons, but not where a line is plainly continued."""
    statement: list[Token] = []
    for index, token in enumerate(tokens):
        if token.kind != "end":
            statement.append(token)
            continue
        following = next((t for t in tokens[index + 1 :] if t.text != "\n"), None)
        unfinished = bool(statement) and statement[-1].text in _UNFINISHED
        goes_on = bool(statement) and following is not None and following.text in ("+", "*")
        if token.text == "\n" and following and (unfinished or goes_on):
            continue
        if statement:
            yield statement
        statement = []
    if statement:
        yield statement


def _read_statement(
    text: str, statement: list[Token], terms: list[Term], definitions: list[Definition]
) -> None:
    for token in statement:
        if token.kind == "strange":
            said = _MEANT.get(token.text, f"the signs are {_SIGNS}")
            raise _Mistake(token.place, f"{token.text!r} is no sign of this notation: {said}")
    signs = [i for i, token in enumerate(statement) if token.kind == "operator"]
    if not signs:
        raise _Mistake(statement[0].place, f"a sign is missing in this statement: {_SIGNS}")
    if len(signs) > 1:
        raise _Mistake(
            statement[signs[1]].place,
            "a second sign in one statement; begin a new line, or remove one of the two",
        )
    left, sign, right = statement[: signs[0]], statement[signs[0]], statement[signs[0] + 1 :]
    if not left:
        raise _Mistake(sign.place, f"nothing stands before {sign.text}; write a name there")
    if not right:
        raise _Mistake(sign.place, f"nothing stands after {sign.text}; write names there")
    if sign.text == DEFINITION:
        definitions.append(_definition(text, left, right))
        return
    for name in _left_names(left):
        for part in _split(right):
            terms.append(_term(name, sign.text, part))


def _definition(text: str, left: list[Token], right: list[Token]) -> Definition:
    name = left[0]
    if len(left) > 1 or not name.text.isidentifier():
        raise _Mistake(
            name.place,
            "one plain name (letters, digits, _) must stand before :=, as in 'ab := a*b'",
        )
    start, end = right[0].place, right[-1].place + len(right[-1].text)
    return Definition(name.text, text[start:end], name.place, start)


def _left_names(tokens: list[Token]) -> list[Token]:
    names = []
    for part in _split(tokens):
        if len(part) != 1 or part[0].kind != "name":
            wrong = part[1] if len(part) > 1 and part[0].kind == "name" else part[0]
            raise _Mistake(
                wrong.place,
                f"{printable(wrong.text)!r} before the sign is not understood: a name must stand "
                "there (names with spaces between backticks; labels and numbers stand after it)",
            )
        names.append(part[0])
    return names


def _split(tokens: list[Token]) -> Iterator[list[Token]]:
    """Parts between plus signs; an empty one is a mistake."""
    part: list[Token] = []
    before = tokens[0]
    for token in [*tokens, Token("sign", "+", tokens[-1].place)]:
        if token.text != "+":
            part.append(token)
        elif part:
            yield part
            part = []
        else:
            raise _Mistake(before.place, "a name is missing beside this +; add it or remove the +")
        before = token


def _term(left: Token, operator: str, part: list[Token]) -> Term:
    *before, name = part
    stars = [i for i, token in enumerate(part) if token.text == "*"]
    if name.kind == "number" and not stars:
        raise _Mistake(
            name.place,
            "intercepts and means are not part of the model, which describes covariances; "
            "remove this term",
        )
    if len(stars) > 1:
        raise _Mistake(part[stars[1]].place, "only one label or number may stand before a name")
    if not stars and len(part) > 1:
        raise _Mistake(part[1].place, _unexpected(part[0], part[1]))
    if stars and stars[0] != len(part) - 2:
        wrong = part[min(stars[0] + 2, len(part) - 1)]
        raise _Mistake(wrong.place, "one name must stand after the *, then + or a new line")
    if name.kind != "name":
        raise _Mistake(name.place, f"{printable(name.text)!r} is not a name")
    label, value, freed = _modifier(before[:-1]) if stars else ("", None, False)
    return Term(_plain(left), operator, _plain(name), label, value, freed, name.place, left.place)


def _plain(name: Token) -> str:
    return name.text.strip("`")


def _unexpected(first: Token, second: Token) -> str:
    if second.text == "(":
        return f"{first.text}(...) is not part of this notation; remove it"
    if second.kind == "name":
        return (
            f"a + is missing before {second.text!r} (or, if this is one name with a space, write "
            f"it between backticks: `{first.text} {second.text}`)"
        )
    return (
        f"{printable(second.text)!r} is not understood here; a statement reads 'name sign label*"
        "name + name'"
    )


def _modifier(tokens: list[Token]) -> tuple[str, float | None, bool]:
    """Label, fixed value, whether freed."""
    if not tokens:
        raise _Mistake(0, "a label or number must stand before the *")
    sign = -1.0 if tokens[0].text == "-" else 1.0
    if tokens[0].text == "-":
        tokens = tokens[1:] or tokens
    word = tokens[0]
    if len(tokens) > 1:
        said = "functions before the * (start, equal, c ...) are not part of this notation"
        raise _Mistake(word.place, f"{said}; write one label or one number")
    if word.kind == "number":
        return "", sign * float(word.text), False
    if word.text == "NA":
        return "", None, True
    if not word.text.isidentifier():
        raise _Mistake(
            word.place, "a label consists of letters, digits and _ and begins with a letter"
        )
    return word.text, None, False
