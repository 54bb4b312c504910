"""Preparation of columns as arrays: kinds of columns, numbers, dates, categories, text, labels, domains."""
