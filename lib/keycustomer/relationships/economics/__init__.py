"""What winning, keeping and a relationship level cost, and what they are worth."""
