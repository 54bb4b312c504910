"""Filters whose centres the poison moves: a certified bound by inflated spheres, and an estimate of the exact one."""
