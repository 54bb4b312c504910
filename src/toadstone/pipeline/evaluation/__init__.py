"""Evaluation: attacks against defences over seeds, with intervals, resumable."""
