"""From a query string to a selection: an upload, runs, the grid's filters, or the whole site."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import QueryDict

from experiments.exports.selection import Selection
from experiments.forms import GridForm, RunIdsField
from experiments.models import Upload

MOST_RUNS = 500
"""How many runs an address may name."""

NO_FILTERS = ("page", "page_size", "sort_by", "sort_direction", "format")
"""Fields of the grid's form that say how it is shown, not what."""


class ExportError(Exception):
    """A selection that is none; `problems` are the field, the message and the value of each."""

    def __init__(self, *problems: tuple[str, str, str], status: int = 400) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message, _value in problems))
        self.problems = problems
        self.status = status


def selection_of(query: QueryDict) -> Selection:
    """Return what a query string selects; raises ExportError for what it cannot mean.

    `run=` (several) and `upload=` name things; the grid's filters select what the grid shows,
    without them everything is selected.
    """
    filters = {name for name in GridForm.base_fields if name not in NO_FILTERS}
    asked = sorted(name for name in filters if query.get(name))
    ways = [name for name in ("upload", "run") if query.get(name)] + asked[:1]
    if len(ways) > 1:
        message = f"Give one of them: {' or '.join(ways)}."
        raise ExportError((ways[0], message, query.get(ways[0], "")))
    if upload := query.get("upload"):
        return _of_upload(upload)
    if query.get("run"):
        return _of_runs(query.getlist("run"))
    if not asked:
        return Selection.everything()
    form = GridForm(query)
    if not form.is_valid():
        raise ExportError(
            *(
                (name, str(message), query.get(name, "")[:80])
                for name, messages in form.errors.items()
                for message in messages
            )
        )
    return Selection.of_grid(form.criteria(), {name: query.getlist(name) for name in asked})


def _of_upload(text: str) -> Selection:
    try:
        upload = Upload.objects.accepted().filter(pk=UUID(text)).first()
    except ValueError:
        raise ExportError(("upload", "This is not the id of an upload.", text[:80])) from None
    found = Selection.of_upload(upload) if upload else None
    if found is None or not (found.runs.exists() or found.scores.exists()):
        message = "No upload with something public has this id."
        raise ExportError(("upload", message, text[:80]), status=404)
    return found


def _of_runs(texts: list[str]) -> Selection:
    try:
        ids = RunIdsField(required=False).clean(texts)
    except ValidationError as error:
        raise ExportError(("run", error.messages[0], ",".join(texts)[:80])) from error
    if len(ids) > MOST_RUNS:
        message = f"An address names {MOST_RUNS} runs at most; use filters for more."
        raise ExportError(("run", message, str(len(ids))))
    found = Selection.of_runs(ids)
    missing = set(ids) - set(found.runs.values_list("pk", flat=True))
    if missing:
        raise ExportError(
            *(("run", "No published run has this id.", str(pk)) for pk in sorted(missing)),
            status=404,
        )
    return found
