"""Elasticities by tier and by customer: no, complete and partial pooling."""
