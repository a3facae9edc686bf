"""Which search finds the better values, at equal budgets, on tables of real trainings.

problems   what is searched; `task`: a problem with a budget, as a library meets it
libraries  who searches
run        lets everyone search, and goes on where it was interrupted; `section` tells the result
"""
