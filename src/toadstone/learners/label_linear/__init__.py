"""Classifiers whose scores are linear in the labels, so that the label flips they withstand can be counted exactly."""
