"""Influence of training rows on a loss: inverse Hessians, leave-one-out, rank-one updates."""
