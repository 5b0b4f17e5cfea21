"""Panels of prices and quantities, from any base, a market or a simulated company."""
