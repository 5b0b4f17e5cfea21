"""Covariance structure models by maximum likelihood: confirmatory factors, structural equations.

`models` fits, `fitted` and `resampled` hold results, `syntax` describes the notation,
`admissibility` says when a solution may be read.
"""
