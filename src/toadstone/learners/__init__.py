"""Classifiers: linear models with a duality gap, and learners robust to poison."""
