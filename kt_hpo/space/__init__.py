"""The search space: hyperparameters, their scopes and ranges, and Optuna's distributions."""
