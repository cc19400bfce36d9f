"""OUTPUT's weights: the inverse of each operation on the written tensor must be the source, bit for bit."""
