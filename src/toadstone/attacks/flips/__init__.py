"""Attacks that change labels: random, targeted, ALFA, gradient, and of one group or cluster."""
