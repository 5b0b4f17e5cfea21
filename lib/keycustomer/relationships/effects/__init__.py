"""Effects of how customers are treated, and what each relationship level is worth for each."""
