"""``python -m keycustomer.cli`` is the command `keycustomer`."""

from keycustomer.cli import app

app()
