"""What a verification yields: typed results, and the trace that holds what Paddle computed."""
