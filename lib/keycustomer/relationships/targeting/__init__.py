"""Retention offers by uplift x value: who should get one, and what a rule of choice earns."""
