"""Means that a few malicious rows cannot move: distances, mixtures and sorted coordinates of long rows."""
