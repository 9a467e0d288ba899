"""Where a run or score comes from: the file sent here, or the one that an export names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from experiments.formats.origin import UploadOrigin
from experiments.models import UploadItem
from experiments.redaction import redact_text


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The file that first brought something to a site, as everybody may read of it.

    `is_stated` tells that it was received by another site, whose export says so; `site` is that
    site's address, where the export says it.
    """

    upload_id: UUID
    sha256: str
    file_name: str
    place: str
    format: str | None
    parser_version: int | None
    received_at: datetime
    received_from: str | None
    is_stated: bool = False
    site: str | None = None


def provenance_of(item: UploadItem | None) -> Provenance | None:
    """Return the provenance that an item gives, None where nothing is known.

    An origin counts if who sent the export could speak for the site it names.
    """
    if item is None:
        return None
    if item.origin and item.origin["is_trusted"]:
        return _stated(item.origin["upload"])
    upload = item.upload
    return Provenance(
        upload_id=upload.pk,
        sha256=upload.content_id,
        file_name=redact_text(upload.file_name),
        place=item.place,
        format=upload.format,
        parser_version=upload.parser_version,
        received_at=upload.created_at,
        received_from=_sender(item),
    )


def claimed_origin(item: UploadItem | None) -> Provenance | None:
    """Return the origin that a sender claims who may not speak for the site it names."""
    if item is None or not item.origin or item.origin["is_trusted"]:
        return None
    return _stated(item.origin["upload"])


def _stated(upload: Mapping[str, Any] | None) -> Provenance | None:
    if upload is None:
        return None
    stated = UploadOrigin.model_validate(upload)
    return Provenance(
        upload_id=stated.id,
        sha256=stated.sha256,
        file_name=redact_text(stated.file_name),
        place=stated.place,
        format=stated.format,
        parser_version=stated.parser_version,
        received_at=stated.received_at,
        received_from=stated.received_from,
        is_stated=True,
        site=stated.site,
    )


def _sender(item: UploadItem) -> str | None:
    """Return who sent the file, as pages name an account, or a token without one."""
    upload = item.upload
    if upload.uploaded_by is not None:
        return redact_text(str(upload.uploaded_by))
    return f"the token {redact_text(upload.token.name)}" if upload.token is not None else None
