"""Times as they are stored."""

from datetime import UTC, datetime


def as_stored_time(moment: datetime | None) -> datetime | None:
    """Return the time to store: one without a zone is stored as UTC, and `zone_known` is False."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
