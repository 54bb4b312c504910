"""Backdoor attacks and their triggers."""
