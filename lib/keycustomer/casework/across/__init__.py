"""Across cases: outputs beside each other, sweeps of parameters, the ledger of all evidence.

Everything here reads what runs have published and changes nothing of it.
"""
