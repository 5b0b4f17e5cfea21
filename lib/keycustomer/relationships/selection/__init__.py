"""Selection of a relationship level for every customer under a budget, and its rivals."""
