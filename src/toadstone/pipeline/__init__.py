"""Pipelines: audit, attack, certify, scan, defend and evaluate, each returning a record."""
