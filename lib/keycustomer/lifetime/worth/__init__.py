"""What customers are worth: residual value, equity, potential, and the draws behind them."""
