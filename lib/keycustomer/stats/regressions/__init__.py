"""Regressions on rows of customers, with spreads and folds that keep a customer together."""
