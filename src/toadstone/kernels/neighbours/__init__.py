"""Nearest neighbours: their search in an order of values, and counts of the rows that change a vote among them."""
