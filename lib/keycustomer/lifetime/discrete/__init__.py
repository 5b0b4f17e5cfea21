"""Customers who may buy at discrete opportunities, and the beta laws under them: BG/BB."""
