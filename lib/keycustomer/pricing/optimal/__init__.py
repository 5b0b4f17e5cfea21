"""What to charge: optimal prices, their floors and corridors, prices that differ by customer."""
