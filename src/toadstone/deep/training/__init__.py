"""Training of neural networks: the loop, TRADES, trimmed loss, DP-SGD."""
