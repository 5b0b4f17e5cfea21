"""Markov chains of customer states."""
