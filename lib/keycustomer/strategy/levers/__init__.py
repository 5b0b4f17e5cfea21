"""One budget over all levers of marketing (M2)."""
