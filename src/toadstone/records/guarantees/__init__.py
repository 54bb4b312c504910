"""Records of what is certified: predictions that withstand, and rows that an attack needs."""
