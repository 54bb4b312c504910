"""Layered defence: detectors and filters in steps, with a budget of removals."""
