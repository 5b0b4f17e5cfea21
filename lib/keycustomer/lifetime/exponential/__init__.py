"""The model of customers who may leave at any time, exponential lifetimes: Pareto/NBD."""
