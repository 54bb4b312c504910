"""Scan, sanitize, defend and attack for numeric targets."""
