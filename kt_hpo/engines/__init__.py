"""WHO proposes the next values: one file an algorithm, its oracle and its tuner."""
