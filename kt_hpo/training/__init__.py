"""HOW one trial trains."""
