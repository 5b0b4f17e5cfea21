"""Willingness to pay as people state it: price meters, price ladders, auctions of one's own bid."""
