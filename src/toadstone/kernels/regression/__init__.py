"""Regression: ridge, the error floor of targets, and intervals of predictions."""
