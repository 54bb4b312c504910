"""Certificates of single predictions: their options and results."""
