"""Differential privacy as a bound on poisoning: how much changed rows move a randomized training."""
