"""Every use of another library's private names: one file a library.

Each asks for its name when it is used, and has a public way, slower or with less to tell, where
that name is gone. What our classes inherit of Keras Tuner's has none: `keras_tuner.INHERITED` lists
it, and it is an error in words where it is gone. `tests/_private_apis` takes the names away.
"""
