"""Certificates of single predictions: label flips, votes and neighbours."""
