"""Tables of real learning curves, trained once, on which algorithms are compared in seconds.

plans   which models on which data; `make` trains them, piece by piece; `table` reads the result
"""
