"""Attacks on training data: each makes the rows that an attacker with its knowledge would add or change."""
