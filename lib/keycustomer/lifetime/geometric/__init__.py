"""Models by which a customer may leave after a purchase: BG/NBD and MBG/NBD."""
