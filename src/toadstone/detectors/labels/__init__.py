"""Detectors of rows whose label other models contradict."""
