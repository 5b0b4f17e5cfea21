"""How far a model can be trusted: holdout, tracking, calibration, comparison."""
