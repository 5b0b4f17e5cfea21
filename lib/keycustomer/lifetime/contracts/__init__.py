"""Customers under contract: tenures, renewals, survival, value."""
