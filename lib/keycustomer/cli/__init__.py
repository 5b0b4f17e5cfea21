"""The command `keycustomer`: run cases, compare them, and keep the evidence of all of them.

Question: what does somebody type who wants a report on their own customers?

Each module holds the commands of one subject; they register with the application of
:mod:`keycustomer.cli.application`.
"""

from keycustomer.cli import comparing, evidence, running, sweeping, workflow
from keycustomer.cli.application import application as app

__all__ = ["app", "comparing", "evidence", "running", "sweeping", "workflow"]
