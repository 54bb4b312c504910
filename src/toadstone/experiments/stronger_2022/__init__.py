"""Experiments of Koh, Steinhardt and Liang 2022: attacks against data sanitization."""
