"""The library keeps its floors, stays light to import, and its functions stay short and said.

The checks read the syntax tree, so that they also hold for code no other test runs.
"""

import ast
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib" / "keycustomer"
SOURCES = sorted(LIBRARY.rglob("*.py"))

# What each module may import of the others when it runs (an import for type checkers only is no
# arrow). A new module is placed here, or the test fails.
FLOORS: dict[str, set[str]] = {
    "lazy": set(),
    "simulate": {"lazy"},
    "customers": {"lazy", "simulate"},
    "stats": {"customers"},
    "lifetime": {"lazy", "customers", "stats"},
    "plots": {"lazy", "customers", "stats"},
    "pareto": {"lazy", "customers", "stats", "plots", "lifetime"},
    "dimensions": {"lazy", "simulate", "customers", "stats", "plots", "lifetime"},
    "relationships": {"lazy", "simulate", "customers", "stats", "plots", "lifetime", "dimensions"},
    "pricing": {
        "lazy",
        "simulate",
        "customers",
        "stats",
        "plots",
        "lifetime",
        "dimensions",
        "relationships",
    },
    "strategy": {
        "lazy",
        "simulate",
        "customers",
        "stats",
        "plots",
        "lifetime",
        "pareto",
        "dimensions",
        "relationships",
        "pricing",
    },
    "realism": {
        "lazy",
        "simulate",
        "customers",
        "stats",
        "plots",
        "lifetime",
        "pareto",
        "dimensions",
    },
    "coursework": {
        "lazy",
        "simulate",
        "customers",
        "stats",
        "plots",
        "lifetime",
        "pareto",
        "dimensions",
        "relationships",
        "pricing",
        "strategy",
    },
    "casework": {"lazy", "customers", "stats", "plots", "lifetime", "pareto", "dimensions"},
    "cli": {"customers", "casework", "coursework"},
}
HEAVY = ("pandas", "numpy", "matplotlib", "seaborn", "scipy", "duckdb", "splink", "papermill")

LONGEST_FUNCTION = 50
MEDIAN_FUNCTION = 12

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_of(path: Path) -> str:
    """Name of the floor a file belongs to."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def walk_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Walk all nodes, but for the branches that only type checkers read."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not for_type_checkers(child):
            yield from walk_run_time(child)


def imported(tree: ast.AST, package: list[str]) -> set[str]:
    """Floors a source imports, from a module that lies in the package (its parts)."""
    names = []
    for node in walk_run_time(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            whole = ".".join([*start, *filter(None, [node.module])])
            names += [f"{whole}.{alias.name}" for alias in node.names]
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "keycustomer" and len(p) > 1 and p[1] in FLOORS}


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def lines_of(function: Function, source: list[str]) -> int:
    """Count the lines of a function, without its docstring, blank lines and comments."""
    documented = ast.get_docstring(function) is not None
    text = function.body[0] if documented else None
    skipped = set(range(text.lineno, text.end_lineno + 1)) if text else set()
    numbers = range(function.lineno, function.end_lineno + 1)
    lines = [source[n - 1].strip() for n in numbers if n not in skipped]
    return len([line for line in lines if line and not line.startswith("#")])


def parsed(path: Path) -> tuple[ast.Module, list[str]]:
    text = path.read_text(encoding="utf-8")
    return ast.parse(text), text.splitlines()


def public(tree: ast.Module) -> Iterator[Function]:
    """Functions and methods of public classes that a reader may call."""
    holders: list[ast.Module | ast.ClassDef] = [tree]
    holders += [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"]
    for holder in holders:
        for node in holder.body:
            if isinstance(node, Function) and not node.name.startswith("_"):
                yield node


def unsaid(function: Function) -> Iterator[str]:
    """What a public function leaves unsaid: its docstring, a type."""
    overload = any("overload" in ast.unparse(mark) for mark in function.decorator_list)
    if ast.get_docstring(function) is None and not overload:
        yield f"{function.name} has no docstring"
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    for argument in filter(None, arguments):
        if argument.annotation is None and argument.arg not in ("self", "cls"):
            yield f"{function.name}({argument.arg}) has no type"
    if function.returns is None:
        yield f"{function.name} does not say what it returns"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_point_downward(path: Path) -> None:
    module = module_of(path)
    if module in ("__init__", "__main__"):
        return
    assert module in FLOORS, f"{module} stands on no floor yet"
    package = ["keycustomer", *path.relative_to(LIBRARY).parts[:-1]]
    upward = imported(parsed(path)[0], package) - FLOORS[module] - {module}
    assert upward == set(), f"{module} may import only {sorted(FLOORS[module])}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import keycustomer.cli", {"cli"}),
        ("from keycustomer import stats as s, pareto", {"stats", "pareto"}),
        ("from keycustomer.plots.style import use_style", {"plots"}),
        ("def f():\n    from keycustomer import casework", {"casework"}),
        ("from .. import casework", {"casework"}),
        ("from ..coursework.checks import check", {"coursework"}),
        ("from . import concentration", {"pareto"}),
        ("import pandas, keycustomer", set()),
        ("if TYPE_CHECKING:\n    from keycustomer import cli", set()),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import numpy", set()),
    ],
)
def test_an_arrow_is_seen(source: str, found: set[str]) -> None:
    assert imported(ast.parse(source), ["keycustomer", "pareto"]) == found


def test_floors_have_no_circle() -> None:
    TopologicalSorter(FLOORS).prepare()  # raises CycleError


def test_no_function_is_long() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name} has {length} lines"
        for path in SOURCES
        for tree, source in [parsed(path)]
        for function in functions(tree)
        if (length := lines_of(function, source)) > LONGEST_FUNCTION
    ]
    assert long == []


def test_functions_are_short() -> None:
    lengths = [
        lines_of(function, source)
        for tree, source in map(parsed, SOURCES)
        for function in functions(tree)
    ]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_length_counts_code_only() -> None:
    text = 'def f(a):\n    """Say.\n\n    More.\n    """\n    # why\n\n    b = a\n    return b'
    (function,) = functions(ast.parse(text))
    assert lines_of(function, text.splitlines()) == 3


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_public_functions_are_typed_and_documented(path: Path) -> None:
    tree, _ = parsed(path)
    assert ast.get_docstring(tree), "the module does not say its subject"
    assert [told for function in public(tree) for told in unsaid(function)] == []


def test_what_is_unsaid_is_told() -> None:
    tree = ast.parse("def share(x, *, top: float):\n    return x\ndef _own(y): pass")
    told = [line for function in public(tree) for line in unsaid(function)]
    assert told == [
        "share has no docstring",
        "share(x) has no type",
        "share does not say what it returns",
    ]


def run_python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY.parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def test_import_is_light() -> None:
    code = f"import sys, keycustomer; print([m for m in {HEAVY} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_a_run_is_planned_without_what_is_heavy() -> None:
    code = "import sys, keycustomer.casework.runner; "
    code += f"print([m for m in {HEAVY} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_modules_come_by_name() -> None:
    code = "import keycustomer as kc, sys; a = 'keycustomer.stats' in sys.modules; kc.stats; "
    code += "print(a, 'keycustomer.stats' in sys.modules, 'stats' in dir(kc))"
    assert run_python(code) == "False True True"


def test_a_module_that_is_not_there_is_told_with_those_that_are() -> None:
    import keycustomer

    with pytest.raises(AttributeError, match=r"no attribute 'paretto'; .*casework.*pareto"):
        keycustomer.paretto  # noqa: B018
