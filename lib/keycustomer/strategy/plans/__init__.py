"""Account plans: one row and one page for each key account (R4)."""
