"""What to charge: optimal prices, floors, corridors, and what discounts cost."""
