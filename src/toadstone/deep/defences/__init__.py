"""Defences of neural networks: EPIC, deep k-NN, the vote of medoids, STRIP, Neural Cleanse, fine-pruning."""
