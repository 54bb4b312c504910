"""Images, networks, features and checkpoints as tensors and files."""
