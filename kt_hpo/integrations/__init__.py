"""A search with other programs: Ray Tune, Weights & Biases, scikit-learn, files."""
