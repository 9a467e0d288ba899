"""Which stored uploads are read again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from experiments import formats
from experiments.choices import UploadOutcome
from experiments.models import Upload


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Uploads to read again; what is not given does not narrow them.

    `outdated` keeps those that another version of their parser read than the one of today.
    """

    format: str | None = None
    upload_ids: Collection[UUID] = ()
    since: datetime | None = None
    outdated: bool = False

    def uploads(self) -> QuerySet[Upload]:
        """Return those of the uploads that made anything, in the order in which they came."""
        found = Upload.objects.filter(outcome=UploadOutcome.CREATED)
        if self.format:
            found = found.filter(format=self.format)
        if self.upload_ids:
            found = found.filter(pk__in=self.upload_ids)
        if self.since:
            found = found.filter(created_at__gte=self.since)
        if self.outdated:
            found = found.exclude(read_by_todays_parsers())
        return found.order_by("created_at", "id")

    def __str__(self) -> str:
        parts = [
            f"format {self.format}" if self.format else "",
            _chosen(list(self.upload_ids)),
            f"since {self.since:%Y-%m-%d %H:%M}" if self.since else "",
            "read by other parsers than today's" if self.outdated else "",
        ]
        return ", ".join(part for part in parts if part) or "all uploads"


def read_by_todays_parsers() -> Q:
    """Return the condition on uploads that the parser of today read them last."""
    return reduce(
        or_, (Q(format=item.name, parser_version=item.version) for item in formats.FORMATS)
    )


def _chosen(upload_ids: Collection[UUID]) -> str:
    if not upload_ids:
        return ""
    first = ", ".join(str(upload_id) for upload_id in list(upload_ids)[:3])
    more = len(upload_ids) - 3
    return f"upload {first}{f' and {more} more' if more > 0 else ''}"
