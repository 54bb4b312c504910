"""The minimax problem of certified bounds: saddle point, worst points, collapse of attacks."""
