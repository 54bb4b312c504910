"""Facility location: medoids by greedy selection, exact or in parts."""
