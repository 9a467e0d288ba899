"""Identifiers that appear in URLs."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a new UUID version 7 (RFC 9562): random, and sorted by the time it was made."""
    return uuid7()
