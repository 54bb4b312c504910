"""Backdoors planted by clients: trained on triggered rows, and scaled or masked to last."""
