"""The way out: runs and scores, whole, as files."""

from django.http import QueryDict, StreamingHttpResponse
from django.utils import timezone
from ninja import Router

from experiments.api.auth import ApiRequest, ReadAuth
from experiments.api.errors import ApiError
from experiments.api.openapi import READ_SECURITY, errors, query_parameters
from experiments.exports.citation import Exporting
from experiments.exports.request import NO_FILTERS, ExportError, selection_of
from experiments.exports.writers import WRITERS, Writer
from experiments.formats.documents import Problem
from experiments.forms import GridForm

router = Router(auth=ReadAuth(), tags=["Files"])
_UUID = {"type": "string", "format": "uuid"}
_EXPORT = {
    **READ_SECURITY,
    "parameters": [
        {
            "in": "query",
            "name": "format",
            "description": "jsonl unless another is named.",
            "required": False,
            "schema": {"type": "string", "enum": list(WRITERS)},
        },
        {
            "in": "query",
            "name": "run",
            "description": "Only these runs; several times.",
            "required": False,
            "schema": {"type": "array", "items": _UUID},
        },
        {
            "in": "query",
            "name": "upload",
            "description": "Only what this upload brought.",
            "required": False,
            "schema": _UUID,
        },
        *(item for item in query_parameters(GridForm) if item["name"] not in NO_FILTERS),
    ],
    "responses": {
        200: {
            "description": "The file, as it is written.",
            "content": {writer.content_type: {"schema": {}} for writer in WRITERS.values()},
        }
    },
}


@router.get("/export", response=errors(400, 401, 403, 404, 422), openapi_extra=_EXPORT)
def export(request: ApiRequest) -> StreamingHttpResponse:
    """Published runs with all their figures, and scores: what `run`, `upload` or the filters of
    the grid select, else the whole site.
    """
    writer = _writer(request.GET)
    try:
        exporting = Exporting(
            selection=selection_of(request.GET),
            site=request.build_absolute_uri("/"),
            self_link=request.build_absolute_uri(),
        )
        blocks = writer.blocks(exporting)
    except ExportError as error:
        problems = [Problem(*problem) for problem in error.problems]
        raise ApiError(error.status, problems[0].message, *problems) from error
    response = StreamingHttpResponse(blocks, content_type=writer.content_type)
    name = f"benchsite-{timezone.now():%Y-%m-%d}.{writer.suffix}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if not writer.holds_citation:
        response.headers["Link"] = f'<{_citation_link(request)}>; rel="describedby"'
    return response


def _writer(query: QueryDict) -> Writer:
    name = query.get("format") or next(iter(WRITERS))
    if name not in WRITERS:
        message = f"The forms are {', '.join(WRITERS)}."
        raise ApiError(400, message, Problem("format", message, name[:80]))
    return WRITERS[name]


def _citation_link(request: ApiRequest) -> str:
    query = request.GET.copy()
    query["format"] = "citation"
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
