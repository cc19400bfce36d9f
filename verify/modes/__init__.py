"""Other ways to run OUTPUT's model: execution modes, changed models, and the default load."""
