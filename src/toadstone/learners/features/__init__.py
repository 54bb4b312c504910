"""Transformers of features that no label shapes."""
