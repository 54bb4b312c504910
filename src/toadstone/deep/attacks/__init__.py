"""Attacks on neural networks: clean-label poisoning and backdoors in images."""
