"""Demand of a market with instruments: logit and random coefficients."""
