"""Differences between customers explained by covariates."""
