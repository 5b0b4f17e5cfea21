"""What could be done for an account, and what it would bring."""
