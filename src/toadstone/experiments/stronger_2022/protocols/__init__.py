"""Protocols that several experiments of 2022 share."""
