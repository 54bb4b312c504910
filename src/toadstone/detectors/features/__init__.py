"""Detectors of rows whose features are unusual for their label."""
