"""ZIP archives sent to the API: each file through the pipeline, one answer for all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from ninja import Status

from benchsite.common.ids import new_id
from experiments.api.bodies import ReceivedFile
from experiments.api.errors import ApiError
from experiments.api.schemas import ArchiveAnswer
from experiments.choices import UploadOutcome
from experiments.formats.documents import Problem
from experiments.ingest.actor import Actor
from experiments.ingest.archives import (
    FORMAT,
    NO_RESULTS,
    Archive,
    ArchiveError,
    Member,
    name_in_archive,
    refuse_archive,
)
from experiments.ingest.many import Loaded, Wanted, take_in
from experiments.ingest.readers import Readers
from experiments.ingest.report import Refusal, Report
from experiments.ingest.store import Received

_SKIPPED = "skipped"
_DRY_RUN = "dry_run"


@dataclass(frozen=True)
class _Taken:
    """A file of the archive and what became of it."""

    member: Member
    report: Report

    def problems(self, found: Sequence[Problem]) -> list[Problem]:
        """Return problems with the path of the file before theirs."""
        name = self.member.name
        return [replace(item, path=f"{name}: {item.path}" if item.path else name) for item in found]


def take_archive(received: ReceivedFile, actor: Actor) -> Status[Any]:
    """Send each file of an archive through the pipeline, and answer for all of them.

    Raises ApiError for what is no archive that can be read, and where no file was taken or found
    here; files before one that is refused are taken all the same, each is for itself.
    """
    sent = Received(
        data=received.data, file_name=received.file_name, fields=received.fields, actor=actor
    )
    try:
        archive = Archive(received.data, settings.BENCHSITE_MAX_UPLOAD_BYTES)
    except ArchiveError as error:
        report = refuse_archive(sent, error, dry_run=received.dry_run)
        raise ApiError(
            error.refusal.http_status,
            report.summary,
            *report.errors,
            code=error.refusal,
            beside=report.as_dict(),
        ) from error
    taken = _take_files(archive, received, actor)
    answer = _answer(sent.sha256, archive, taken)
    if answer["outcome"] == UploadOutcome.REJECTED:
        if answer["skipped"] == len(taken):
            nothing = ArchiveError(Refusal.UNKNOWN_FORMAT, NO_RESULTS)
            answer |= refuse_archive(sent, nothing, dry_run=received.dry_run).as_dict()
        refused = _refused(taken)
        raise ApiError(
            _why(refused[0]).http_status,
            _sentence(refused, len(taken)),
            *[problem for item in refused for problem in item.problems(item.report.errors)],
            code=_why(refused[0]),
            beside=answer,
        )
    return Status(
        201 if answer["outcome"] == UploadOutcome.CREATED else 200, ArchiveAnswer(**answer)
    )


def _take_files(archive: Archive, received: ReceivedFile, actor: Actor) -> list[_Taken]:
    wanted = Wanted(
        actor=actor,
        replacing=received.replace,
        dry_run=received.dry_run,
        skip_unknown=True,
        batch=new_id(),
    )
    with Readers(0, limit_bytes=settings.BENCHSITE_MAX_UPLOAD_BYTES) as readers:
        taken = list(take_in(_loaded(archive, received), wanted, readers))
    return [
        _Taken(member, report)
        for member, (_file, report) in zip(archive.members, taken, strict=True)
    ]


def _loaded(archive: Archive, received: ReceivedFile) -> Iterator[Loaded]:
    """Yield each file of the archive with its bytes, or why it cannot be read."""
    for member in archive.members:
        loaded = Loaded(
            shown=member.name,
            name=name_in_archive(received.file_name, member),
            fields=received.fields,
        )
        try:
            yield replace(loaded, data=archive.read(member))
        except ArchiveError as error:
            yield replace(loaded, refused=error.report(member.name))


def _refused(taken: Sequence[_Taken]) -> list[_Taken]:
    """Return the refused files; what is no result counts only where nothing else is there."""
    refused = [item for item in taken if item.report.refusal]
    return [item for item in refused if item.report.outcome != _SKIPPED] or (
        refused if len(refused) == len(taken) else []
    )


def _why(item: _Taken) -> Refusal:
    return item.report.refusal or Refusal.INVALID


def _outcome(taken: Sequence[_Taken]) -> str:
    """Return one outcome for all: made, or would be; else here before, unless one was refused."""
    outcomes = {item.report.outcome for item in taken if item.report.accepted}
    for outcome in (UploadOutcome.CREATED.value, _DRY_RUN, UploadOutcome.UNCHANGED.value):
        if outcome in outcomes:
            refused = outcome == UploadOutcome.UNCHANGED and _refused(taken)
            return UploadOutcome.REJECTED.value if refused else outcome
    return UploadOutcome.REJECTED.value


def _answer(sha256: str, archive: Archive, taken: Sequence[_Taken]) -> dict[str, Any]:
    """Return the fields of the answer, those of a refusal too."""
    files = [
        item.report.as_dict()
        | {
            "path": item.member.name,
            "code": item.report.refusal,
            "errors": [problem.as_dict() for problem in item.report.errors],
        }
        for item in taken
    ]
    warnings = [
        problem.as_dict() for item in taken for problem in item.problems(item.report.warnings)
    ]
    return {
        "upload_id": None,
        "sha256": sha256,
        "format": FORMAT,
        "parser_version": None,
        "outcome": _outcome(taken),
        "runs": [run for file in files for run in file["runs"]],
        "scores": [score for file in files for score in file["scores"]],
        "warnings": warnings,
        "missing": sorted({name for file in files for name in file["missing"]}),
        "suggestions": {},
        "files": files,
        "rejected": sum(bool(item.report.refusal) for item in taken) - _skipped(taken),
        "skipped": _skipped(taken),
        "left_out": {
            "hidden": len(archive.hidden),
            "folders": archive.folders,
            "links": len(archive.links),
        },
    }


def _skipped(taken: Sequence[_Taken]) -> int:
    return sum(item.report.outcome == _SKIPPED for item in taken)


def _sentence(refused: Sequence[_Taken], files: int) -> str:
    """Say what the first refused file lacks, and how many there are."""
    text = f"{refused[0].member.name}: {refused[0].report.summary}"
    more = f" ({len(refused)} of {files} files were not taken.)" if len(refused) > 1 else ""
    return text + more
