"""The file of an upload request: a multipart field or the raw body, never more than the limit."""

from dataclasses import dataclass

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from experiments.api.errors import ApiError, too_large
from experiments.formats.documents import Problem

# Boundaries, headers and context fields that stand beside the file in a multipart body.
MULTIPART_OVERHEAD_BYTES = 64 * 1024
_FLAGS = {"true": True, "1": True, "yes": True, "on": True}
_FLAGS |= {"false": False, "0": False, "no": False, "off": False, "": False}


@dataclass(frozen=True, kw_only=True)
class ReceivedFile:
    """A file as it was sent, with what its sender stated beside it."""

    data: bytes
    file_name: str
    fields: dict[str, str]
    dry_run: bool
    replace: bool


def receive_file(request: HttpRequest) -> ReceivedFile:
    """Return the file of a request with its context; ApiError where there is none, or too much.

    The form's fields take precedence over parameters of the query string.
    """
    multipart = request.content_type == "multipart/form-data"
    _check_length(request, multipart=multipart)
    fields = {name: str(value) for name, value in request.GET.items()}
    data, file_name = _multipart_file(request) if multipart else (request.body, "")
    if multipart:
        fields |= {name: str(value) for name, value in request.POST.items()}
    _check_storable(fields)
    dry_run, replace = (_flag(fields, name) for name in ("dry_run", "replace"))
    return ReceivedFile(
        data=data, file_name=file_name, fields=fields, dry_run=dry_run, replace=replace
    )


def _check_length(request: HttpRequest, *, multipart: bool) -> None:
    """Refuse a body above the limit before it is read."""
    limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
    limit_bytes += MULTIPART_OVERHEAD_BYTES if multipart else 0
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        _read_chunked(request, limit_bytes)
    elif int(request.META.get("CONTENT_LENGTH") or 0) > limit_bytes:
        raise too_large()


def _read_chunked(request: HttpRequest, limit_bytes: int) -> None:
    """Read a body of unknown length up to the limit; Django itself takes it for an empty one."""
    if not isinstance(request, WSGIRequest) or not request.environ.get("wsgi.input_terminated"):
        raise ApiError(411, "Send the body with a Content-Length.")
    body = request.environ["wsgi.input"].read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise too_large()
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._body = body


def _multipart_file(request: HttpRequest) -> tuple[bytes, str]:
    files = request.FILES.getlist("file")
    if len(files) != 1 or len(request.FILES) != 1:
        message = f"Send one file as the multipart field “file”; {len(request.FILES)} came."
        raise ApiError(422, message, Problem("file", message))
    return files[0].read(), files[0].name or ""


def _check_storable(fields: dict[str, str]) -> None:
    """Refuse NUL characters, which forms refuse too: the database cannot store them."""
    for name, value in fields.items():
        if "\x00" in name + value:
            path = f"context.{name}".replace("\x00", "")
            message = "NUL characters cannot be stored."
            raise ApiError(422, f"{path}: {message}", Problem(path, message))


def _flag(fields: dict[str, str], name: str) -> bool:
    """Take a yes or no out of the fields."""
    text = fields.pop(name, "")
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        message = "Say true or false."
        raise ApiError(400, f"{name}: {message}", Problem(name, message, text)) from None
