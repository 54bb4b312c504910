"""Runs of many trials, which can be interrupted and resumed."""
