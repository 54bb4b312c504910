"""Certificates of the training loss: the options that they have, and what they come to."""
