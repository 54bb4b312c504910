"""Attacks that move poison along its influence on the loss of the trained model."""
