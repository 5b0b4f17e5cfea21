"""Models of customers who may leave after a purchase, geometric lifetimes: BG/NBD, MBG/NBD."""
