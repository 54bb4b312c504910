"""Backdoors: rows with a trigger that teach the model to answer the attacker's label."""
