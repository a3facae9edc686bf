"""Every use of another library's private names: one file a library.

Each asks for its name when it is used, and has a public way, slower or with less to tell, where
that name is gone. `tests/_private_apis` takes the names away.
"""
