"""What purchases say of a customer: how much it buys on deal, and what it may need next."""
