"""Inspections of networks as text, pages and files."""
