"""Environment variables of the project: what a run tells its notebooks, and what a user may set.

Notebooks learn from them what papermill's parameters must not hold: paths and secrets.
"""

HOME = "KEYCUSTOMER_HOME"
"""The project's folder; set it to use the command from elsewhere."""

CASE_FILE = "KEYCUSTOMER_CASE_FILE"
"""Path of the case file that a run's notebooks use."""

BASE = "KEYCUSTOMER_BASE"
"""Path of the base that a run has prepared."""

OUTPUT = "KEYCUSTOMER_OUTPUT"
"""Folder into which a run's chapters write."""

PSEUDONYM_KEY = "KEYCUSTOMER_PSEUDONYM_KEY"
"""The secret from which pseudonyms are made; set it to have the same ones in every run."""

THREADS = "KEYCUSTOMER_THREADS"
"""Cores to use; default: all."""

MEMORY_LIMIT = "KEYCUSTOMER_MEMORY_LIMIT"
"""Memory for the data engine, such as 4GB; default: a part of the machine's."""
