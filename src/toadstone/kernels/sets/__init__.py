"""Feasible sets: projection, maximisation, membership, rounding to whole numbers."""
