"""Transformers that learn features without labels."""
