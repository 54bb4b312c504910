"""A Flower app whose aggregation withstands malicious clients."""
