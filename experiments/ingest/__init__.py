"""The one way in: bytes, format, canonical documents, names resolved, one transaction, report."""
