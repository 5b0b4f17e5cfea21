"""Competition: equilibrium prices, price war, peace, entry and differentiation."""
