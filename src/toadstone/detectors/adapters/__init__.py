"""Detectors of other libraries, with our calibration."""
