"""Attacks that aim at chosen (decoy) parameters: KKT and min-max."""
