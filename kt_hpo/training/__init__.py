"""HOW one trial trains.

model_parts        what a model is made of, where all of it is known; `library`: what Keras' own is
fit                one trial, from its values to its results; `build`: its model
context            what training knows of the search: protocols that a tuner fulfills
options            what a tuner is told of it
executions         the trainings a trial consists of; `cross_validation`: the folds of each
callback_list      the callbacks of a training, in order; `callbacks`: those of the search
checkpoints        weights on disk; `inheritance`: weights of a parent
results            what a training gave; `measures` and `flops`: what is measured of its model
distribution       over which devices; `precision`: in which numbers, compiled how
reproducibility    seeds, determinism, what a search ran on
interruption       Ctrl-C and the time budget; `memory`: what runs out, and what is left behind
hyperparameters    `Training`: all this as hyperparameters; `batches`, `class_weights`
learning_rate      the rate for a batch size; `learning_rate_finder`: the range to search
best, confirm      trials trained again; `significance`: which differences are real
checks             mistakes that are found before any training
vectorized/        many trials in one graph
"""
