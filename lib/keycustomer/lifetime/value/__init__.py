"""What customers will bring: residual value, customer equity, and who has the potential."""
