"""Numeric targets in sentences."""
