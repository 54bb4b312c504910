"""Inspection of trained networks for backdoors, with trusted images only, and their repair."""
