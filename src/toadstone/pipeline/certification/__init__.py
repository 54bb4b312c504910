"""Certificates of single predictions, for the test rows of a data set."""
