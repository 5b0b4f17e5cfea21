"""Answers of a survey: scales, reliability, validity, factors, value indices."""
