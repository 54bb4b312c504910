"""Defences of neural networks: EPIC, deep k-NN, STRIP, Neural Cleanse, fine-pruning."""
