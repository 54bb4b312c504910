"""Trials: one poisoned training of a network with and without a defence."""
