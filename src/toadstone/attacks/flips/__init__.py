"""Attacks that change labels: random, targeted, ALFA, gradients, groups of people."""
