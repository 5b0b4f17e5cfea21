"""Prices as respondents state them: van Westendorp, Gabor-Granger, BDM."""
