"""Parsing the stored bytes of an upload again, with its stored context and the names of today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from experiments.formats import format_title
from experiments.formats.documents import FormatError, InvalidFileError, Problem, ScoreDocument
from experiments.ingest.context import read_context
from experiments.ingest.origins import believed
from experiments.ingest.reading import read
from experiments.ingest.report import first_in_words
from experiments.ingest.resolve import ResolvedFile, ResolvedModel, resolve_file
from experiments.ingest.rows import run_columns
from experiments.models import Upload, UploadItem


def trusted(upload_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the uploads that are exports which were believed: one query."""
    places = UploadItem.objects.filter(upload__in=upload_ids, origin__is_trusted=True)
    return set(places.order_by().values_list("upload_id", flat=True).distinct())


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the parser of today makes of an upload; `problem` says why it makes nothing."""

    upload: Upload
    version: int | None = None
    resolved: ResolvedFile = field(default_factory=ResolvedFile)
    warnings: tuple[Problem, ...] = ()
    problem: str = ""

    @property
    def scores(self) -> Sequence[tuple[ResolvedModel, ScoreDocument]]:
        """The scores of the file with their models, in the order in which they are written."""
        of_runs = [
            (run.model, score) for run in self.resolved.runs for score in run.document.scores
        ]
        alone = [(item.model, score) for item in self.resolved.score_sets for score in item.scores]
        return [*of_runs, *alone]


def read_again(upload: Upload, *, is_trusted: bool) -> Reading:
    """Parse and resolve an upload loaded with its content; a refusal ends in `problem`.

    `is_trusted` tells whether what it states of another site was believed when it came.
    """
    found = read(
        upload.content.data, upload.file_name, limit_bytes=settings.BENCHSITE_MAX_UPLOAD_BYTES
    )
    if found.format and found.format != upload.format:
        was, now = format_title(upload.format or ""), format_title(found.format)
        return Reading(upload=upload, problem=f"It is read as {now} now, not as {was}.")
    if found.parsed is None:
        return Reading(upload=upload, problem=first_in_words(found.errors))
    parsed = believed(found.parsed) if is_trusted else found.parsed
    try:
        resolved = resolve_file(parsed, read_context(dict(upload.context)))
        for run in resolved.runs:
            run_columns(run)
    except FormatError as error:
        return Reading(upload=upload, problem=first_in_words(error.problems))
    if resolved.missing:
        names = ", ".join(resolved.missing)
        return Reading(upload=upload, problem=f"The file and its context do not say its {names}.")
    return Reading(
        upload=upload,
        version=found.parser_version,
        resolved=resolved,
        warnings=(*parsed.warnings, *resolved.warnings),
    )


def problem_of(error: InvalidFileError, reading: Reading) -> Reading:
    """Return the reading of a file that turned out wrong once its scores were looked at."""
    return Reading(upload=reading.upload, problem=first_in_words(error.problems))
