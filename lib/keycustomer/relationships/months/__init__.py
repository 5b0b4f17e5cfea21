"""Customers month by month: the panel on which churn, effects and service are estimated."""
