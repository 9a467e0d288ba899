"""What can go wrong with the embedded PostgreSQL."""


class EmbeddedError(Exception):
    """The embedded server cannot run here; the text says why and what to do."""
