"""Sanitizers: remove a fixed share of each class; their feasible sets bound attacks."""
