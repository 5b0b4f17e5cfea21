"""Concentration and regression to the mean as a fitted model implies them."""
