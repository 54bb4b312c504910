"""Experiments of Yang, Liu and Mirzasoleiman 2022: EPIC against poisoned networks."""
