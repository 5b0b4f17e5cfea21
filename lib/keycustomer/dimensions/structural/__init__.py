"""Covariance structure models by maximum likelihood: confirmatory factors, structural equations."""
