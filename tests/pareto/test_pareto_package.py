"""Every public name of chapter 1 loads, whichever module was loaded before."""

import importlib
import pkgutil
import subprocess
import sys

import keycustomer.pareto
import keycustomer.plots
import pytest


@pytest.mark.parametrize("package", [keycustomer.pareto, keycustomer.plots])
def test_every_exported_name_exists(package):
    for name in package.__all__:
        assert getattr(package, name) is not None, name


@pytest.mark.parametrize("package", [keycustomer.pareto, keycustomer.plots])
def test_a_lazy_name_is_no_module_name(package):
    modules = {info.name for info in pkgutil.iter_modules(package.__path__)}
    assert not modules & {name for names in package._NAMES.values() for name in names}


def test_concentration_stays_a_function_after_its_module_is_loaded():
    importlib.import_module("keycustomer.pareto.concentration")
    assert callable(keycustomer.pareto.concentration)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'pareto_shares'"):
        keycustomer.pareto.pareto_shares  # noqa: B018


def test_pareto_does_not_import_figures():
    code = (
        "import sys, keycustomer.pareto as p; p.concentration([1, 2], draws=5);"
        "print([m for m in ('matplotlib', 'seaborn', 'scipy', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
