"""Malicious clients against rules in sentences, tables, curves and a page."""
