"""Channels: own managers and agents, where they overlap, and what each channel costs."""
