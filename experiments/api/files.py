"""The files themselves: exact bytes for who sent them and curators, what is public for all."""

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from ninja import Router

from benchsite.common.review import ReviewState
from experiments.api import schemas
from experiments.api.auth import ApiRequest, ReadAuth
from experiments.api.errors import ApiError
from experiments.api.openapi import READ_SECURITY, errors
from experiments.choices import UploadOutcome
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, Problem
from experiments.formats.rendition import LARGEST_BYTES, has_rendition, public_documents
from experiments.ingest.actor import keys_of_sender
from experiments.models import Upload, UploadItem
from experiments.redaction import redact_text

router = Router(auth=ReadAuth(), tags=["Files"])
_RAW = {
    "responses": {
        200: {
            "description": "The bytes as they were received.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    }
}


@router.get("/uploads/{upload_id}/raw", response=errors(400, 401, 403, 404), openapi_extra=_RAW)
def upload_raw(request: ApiRequest, upload_id: UUID) -> HttpResponse:
    """The bytes as they were received, for who sent them and for curators."""
    upload = _upload(upload_id)
    reader = request.auth.as_reader()
    if reader is None:
        raise ApiError(401, "Only who sent a file and curators may read it: send a token.")
    if not reader.is_curator and reader.keys.isdisjoint(keys_of_sender(upload)):
        raise ApiError(403, "Only who sent a file and curators may read it.")
    return HttpResponse(
        upload.content.data,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{upload.pk}"'},
    )


@router.get(
    "/uploads/{upload_id}/rendition",
    response={200: schemas.RenditionAnswer, **errors(400, 401, 403, 404)},
    openapi_extra=READ_SECURITY,
)
def upload_rendition(request: ApiRequest, upload_id: UUID) -> schemas.RenditionAnswer:
    """The JSON of a file without secrets, texts of conversations, addresses and personal paths.

    It is there for files that made something public; of other forms than JSON there is none.
    """
    upload = _upload(upload_id)
    if not _is_public(upload):
        raise _unknown(upload_id)
    is_large = upload.content.size_bytes > LARGEST_BYTES
    if is_large or not has_rendition(upload.format):
        reason = f"it is larger than {LARGEST_BYTES:,} bytes" if is_large else "it is no JSON"
        raise ApiError(404, f"Of this file the public sees the hash only: {reason}.")
    try:
        documents = public_documents(
            decode(upload.content.data, upload.file_name, limit_bytes=LARGEST_BYTES)
        )
    except FormatError as error:
        raise ApiError(404, "Of this file the public sees the hash only.") from error
    return schemas.RenditionAnswer(
        upload_id=upload.pk,
        sha256=upload.content_id,
        file_name=redact_text(upload.file_name) or None,
        format=upload.format,
        documents=documents,
    )


def _upload(upload_id: UUID) -> Upload:
    found = Upload.objects.select_related("content").filter(pk=upload_id).first()
    if found is None:
        raise _unknown(upload_id)
    return found


def _unknown(upload_id: UUID) -> ApiError:
    message = f"No upload has the id {upload_id}."
    return ApiError(404, message, Problem("upload_id", message, str(upload_id)))


def _is_public(upload: Upload) -> bool:
    """Tell whether anything that a file made or found can be read by everybody."""
    if upload.outcome not in (UploadOutcome.CREATED, UploadOutcome.UNCHANGED):
        return False
    published = Q(run__review_state=ReviewState.PUBLISHED)
    published |= Q(score__review_state=ReviewState.PUBLISHED)
    return UploadItem.objects.filter(published, upload=upload).exists()
