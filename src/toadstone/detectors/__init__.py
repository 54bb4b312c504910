"""Detectors: scores, thresholds and flagged rows at a stated false-alarm rate."""
