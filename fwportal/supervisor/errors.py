"""The one kind of error `up` ends with: a line for the person, with the remedy."""


class StartError(Exception):
    """Something the person must change before the portal can start."""
