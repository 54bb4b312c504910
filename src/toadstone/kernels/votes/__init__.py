"""Votes of models: how many parts of the training set must change before the elected class does."""
