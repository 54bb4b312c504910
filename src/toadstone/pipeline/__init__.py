"""Pipelines: audit, attack, certify, cost, scan, defend and evaluate, each returning a record."""
