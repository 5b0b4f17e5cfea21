"""The five troubles of the telecom case: diagnosis and remedy (T8)."""
