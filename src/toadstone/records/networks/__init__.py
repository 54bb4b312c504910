"""Records of networks."""
