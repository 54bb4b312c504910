"""Robust aggregation: rules and what comes before them, their conditions, admission of updates, evidence."""
