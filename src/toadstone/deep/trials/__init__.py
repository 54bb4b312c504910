"""Trials: trainings of a network on poisoned data with and without a defence."""
