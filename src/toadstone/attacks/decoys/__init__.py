"""KKT and min-max attacks, and the decoy parameters that they aim at."""
