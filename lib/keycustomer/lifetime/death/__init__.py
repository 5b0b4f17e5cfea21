"""The model by which a customer may leave at any time: Pareto/NBD."""
