"""Drivers of satisfaction and loyalty: how much each counts, and what follows."""
