"""Spend per purchase: the Gamma-Gamma model."""
