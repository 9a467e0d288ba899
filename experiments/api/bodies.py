"""The file of an upload request: a multipart field or the raw body, never more than the limit."""

from dataclasses import dataclass

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, QueryDict, UnreadablePostError

from benchsite.common.bodies import MULTIPART_OVERHEAD_BYTES
from benchsite.common.requests import content_length, is_chunked
from experiments.api.errors import ApiError, too_large
from experiments.formats.documents import Problem
from experiments.formats.problems import short_value

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

    A field stands once, in the form or in the query string: of two, one would be lost.
    """
    multipart = request.content_type == "multipart/form-data"
    _check_length(request, multipart=multipart)
    data, file_name = _multipart_file(request) if multipart else (request.body, "")
    fields = _fields(request.GET, request.POST if multipart else QueryDict())
    _check_storable(fields)
    dry_run, replace = (_flag(fields, name) for name in ("dry_run", "replace"))
    return ReceivedFile(
        data=data, file_name=file_name, fields=fields, dry_run=dry_run, replace=replace
    )


def _check_length(request: HttpRequest, *, multipart: bool) -> None:
    """Refuse a body above the limit before it is read."""
    limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
    limit_bytes += MULTIPART_OVERHEAD_BYTES if multipart else 0
    if is_chunked(request):
        _read_chunked(request, limit_bytes)
    elif (length := content_length(request)) > limit_bytes:
        raise too_large(length)


def _read_chunked(request: HttpRequest, limit_bytes: int) -> None:
    """Read a body of unknown length up to the limit; Django itself takes it for an empty one."""
    if not isinstance(request, WSGIRequest) or not request.environ.get("wsgi.input_terminated"):
        raise ApiError(411, "Send the body with a Content-Length.")
    try:
        body = request.environ["wsgi.input"].read(limit_bytes + 1)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    if len(body) > limit_bytes:
        raise too_large()
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._body = body


def _multipart_file(request: HttpRequest) -> tuple[bytes, str]:
    files = request.FILES.getlist("file")
    if len(files) == 1 and len(request.FILES) == 1:
        return files[0].read(), files[0].name or ""
    message = f"Send one file as the multipart field “file”; {_number_of_files(request)} came."
    if not files and "file" in request.POST:
        message = "“file” came as text without a file name; with curl, write -F file=@NAME."
    raise ApiError(422, message, Problem("file", message, _names_of_files(request)))


def _number_of_files(request: HttpRequest) -> int:
    return sum(len(files) for _field, files in request.FILES.lists())


def _names_of_files(request: HttpRequest) -> str | None:
    """Return what came instead of one file: the names, each with the field it came as."""
    names = [f"{field}: {file.name}" for field, files in request.FILES.lists() for file in files]
    return short_value(", ".join(names)) if names else None


def _fields(*sources: QueryDict) -> dict[str, str]:
    """Return the fields of the query string and of the form; ApiError for one that stands twice."""
    fields: dict[str, str] = {}
    problems = []
    for source in sources:
        for name, values in source.lists():
            if name in fields or len(values) > 1:
                sent = [fields[name]] if name in fields else []
                value = short_value(" | ".join([*sent, *map(str, values)]))
                message = "This field was sent more than once; send the right value alone."
                problems.append(Problem(f"context.{name}".replace("\x00", ""), message, value))
            fields[name] = str(values[-1]) if values else ""
    if problems:
        raise ApiError(422, f"{problems[0].path}: {problems[0].message}", *problems)
    return fields


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
