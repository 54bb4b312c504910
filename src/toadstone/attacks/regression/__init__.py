"""Attacks on regression: optimised rows, and targets moved to the ends of their range."""
