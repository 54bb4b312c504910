"""Pipelines: audit, attack, certify, cost, scan, defend, evaluate and federate, each returning a record."""
