"""Segments of customers, their stability, and the rule that places a new one."""
