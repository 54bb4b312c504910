"""Attacks on neural networks: clean-label poisons and backdoors in images."""
