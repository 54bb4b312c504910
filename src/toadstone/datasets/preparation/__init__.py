"""Preparation of columns as arrays: numbers, categories, text, labels, domains, trusted rows."""
