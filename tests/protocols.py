"""Holds objects to protocols. Keras Tuner has no types, so mypy takes any tuner for any of them."""

import inspect


def attributes(protocol):
    """Names of its attributes and properties, those of the protocols it extends included."""
    bases = protocol.__mro__[:-1]
    annotated = {name for base in bases for name in vars(base).get("__annotations__", {})}
    properties = inspect.getmembers(protocol, lambda member: isinstance(member, property))
    return annotated | {name for name, _ in properties}


def methods(protocol):
    """Its methods by their names."""
    functions = inspect.getmembers(protocol, inspect.isfunction)
    return {name: one for name, one in functions if not name.startswith("__")}


def broken(protocol, given):
    """Names of members that an object lacks, or that take other arguments than they should."""
    names = [name for name in attributes(protocol) if not hasattr(given, name)]
    for name, method in methods(protocol).items():
        found = getattr(type(given), name, lambda: None)
        if list(inspect.signature(found).parameters) != list(inspect.signature(method).parameters):
            names.append(name)
    return names
