"""Learners that are linear in the labels: weights of training rows, and the label flips that predictions withstand."""
