"""Attacks that move poison along its influence on the error of the trained model."""
