# Key Customer Value Lab. `make` alone explains the targets.

CASES ?= telecom complete_journey cdnow mobi corp_rep wa_churn \
	cereal cars yogurt green_cars electricity
NOTEBOOK ?= notebooks/1_pareto_analysis.ipynb
WORKERS ?= logical
# Kernels are forked from a process that has done the imports; elsewhere they start afresh.
ENGINE ?= $(if $(filter Linux,$(shell uname -s 2>/dev/null)),forked,default)
UPGRADE ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := $(VENV)/.set-up

# uv's own word, not its mere presence: a shim may be on the path without a uv behind it.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)

# First Python in the supported range. `make setup PYTHON=/path/to/python` names another.
FITS = import sys$(if $(UV),,, ensurepip); sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
CANDIDATES := python3 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	$$name -c '$(FITS)' >/dev/null 2>&1 && command -v $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup casework test lab bench lint clean lock figures

help:
	@echo 'Key Customer Value Lab: the claims of key-customer marketing, measured on real data.'
	@echo
	@echo 'Start with:'
	@echo '  make casework   run the shipped cases, and say where reports, ledger and index are'
	@echo '  make test       run all tests, the notebooks and the examples in the docstrings'
	@echo
	@echo 'And then:'
	@echo '  make lab        open JupyterLab on $(NOTEBOOK) (NOTEBOOK=... for another)'
	@echo '  make bench      measure speed and memory against named peers'
	@echo '  make lint       check style, formatting and types'
	@echo '  make clean      remove what runs made: outputs, prepared bases, caches (.venv stays)'
	@echo '  make figures    draw the figure of the README anew'
	@echo '  make setup      only the set-up, which every target above does by itself, once'
	@echo '  make lock       pin the dependencies of pyproject.toml anew (UPGRADE=--upgrade: newest)'
	@echo
	@echo 'One case only: make casework CASES=cdnow'
	@echo 'Another Python: rm -r $(VENV) && make setup PYTHON=python3.12'

setup: $(STAMP)

$(STAMP): requirements.lock data.lock pyproject.toml
	@if [ -z '$(PYTHON)' ] && [ -z '$(UV)' ]; then \
		echo 'No Python 3.11, 3.12 or 3.13 with its venv and ensurepip modules is on the path.' >&2; \
		echo 'Install one (Debian, Ubuntu: python3 and python3-venv) or uv, or name it:' >&2; \
		echo '  make $(firstword $(MAKECMDGOALS) setup) PYTHON=/path/to/python3.12' >&2; \
		exit 1; \
	fi
	@rm -f $(STAMP)
	@if ! $(BIN)/python -c '$(FITS)' >/dev/null 2>&1; then \
		echo 'Making $(VENV) with $(or $(PYTHON),a Python that uv brings)'; \
		if [ -n '$(UV)' ]; then \
			uv venv --quiet --clear --python '$(or $(PYTHON),>=3.11,<3.14)' $(VENV); \
		else \
			'$(PYTHON)' -m venv --clear $(VENV); \
		fi; \
	fi
	@echo "Installing the $$(grep -c '^[a-z0-9].*==' requirements.lock) pins of requirements.lock into $(VENV) (once)"
ifdef UV
	@uv pip install --python $(BIN)/python --no-deps --require-hashes --compile-bytecode \
		-r requirements.lock -r data.lock
	@uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes \
		--compile -r requirements.lock -r data.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps \
		--no-build-isolation --editable .
endif
	@touch $(STAMP)
	@echo 'Set-up complete.'

# The ledger and the page over all reports tell of those that ran, also where one failed.
casework: setup
	@$(BIN)/keycustomer run --engine $(ENGINE) $(CASES); status=$$?; \
		$(BIN)/keycustomer ledger && $(BIN)/keycustomer index && exit $$status

test: setup
	@$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadscope \
		--nbval-lax --durations=10 tests notebooks

lab: setup
	@$(BIN)/jupyter lab $(NOTEBOOK)

bench: setup
	@$(BIN)/python -m benchmarks

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	rm -rf casework/*/output casework/*/output.* casework/*/sweeps casework/*/work casework/*/base.duckdb* casework/*/.base.duckdb.*
	rm -rf casework/*.html casework/*.csv .snakemake Snakefile
	rm -rf benchmarks/results benchmarks/data build .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find lib tests notebooks casework benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

figures: setup
	@mkdir -p build docs/figures
	@$(BIN)/keycustomer run cdnow --chapter 1_pareto_analysis --output build
	@cp build/cdnow/figures/1_pareto_curve.png docs/figures/pareto_cdnow.png

# Left out: rfc3987-syntax (and lark, which only it needs) is optional to jsonschema and builds a
# parser at import, which costs every start of Jupyter seconds.
lock:
	@uv --version >/dev/null 2>&1 || { echo 'make lock needs uv.' >&2; exit 1; }
	uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--all-extras --no-emit-package rfc3987-syntax --no-emit-package lark --no-header \
		--no-annotate pyproject.toml --output-file requirements.lock
