"""Discounts and service for accounts at risk: what buys retention at which price (T4)."""
