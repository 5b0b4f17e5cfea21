"""Realised prices: what is left of the list price, and what giving it away costs."""
