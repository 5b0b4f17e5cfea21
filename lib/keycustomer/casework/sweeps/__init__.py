"""Sweeps: a case run at every point of a grid of parameters, and what changes with them.

Question: does a finding hold when a parameter, an assumption or the seed of the company is another?

- :mod:`~keycustomer.casework.sweeps.grid`: what a grid says, its values and points.
- :mod:`~keycustomer.casework.sweeps.variants`: case files that differ from the case's in some keys.
- :mod:`~keycustomer.casework.sweeps.sweeping`: running the points.
- :mod:`~keycustomer.casework.sweeps.results`: one tidy table of all points.
- :mod:`~keycustomer.casework.sweeps.sheet`: the page of a sweep.
"""
