"""What an export states of its runs and scores: believed, kept beside them, or kept as a claim.

Ids of files, times of arrival and keys are facts of the site that an export comes from. Whoever may
replace any run here (a curator, a command) may speak for that site; from others they are kept as a
claim and change nothing, or a made-up hash could stand in the way of somebody's true file.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.models import BenchmarkScore, ModelVariant
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    RunDocument,
    ScoreDocument,
    ScoreSetDocument,
)
from experiments.formats.problems import join_path
from experiments.formats.stored import StoredRun, StoredScore
from experiments.models import TestRun

if TYPE_CHECKING:
    from experiments.ingest.resolve import ResolvedRun

_OTHER_LOAD = "This key is of another load than the run's; send the export as it came."


def believed(parsed: ParsedFile) -> ParsedFile:
    """Return a file whose origins come from somebody who may speak for the site it comes from."""
    return replace(
        parsed,
        runs=tuple(_trusted_run(run) for run in parsed.runs),
        score_sets=tuple(_trusted_scores(item) for item in parsed.score_sets),
    )


def _trusted_run(run: RunDocument) -> RunDocument:
    return replace(run, is_trusted=True) if isinstance(run, StoredRun) else run


def _trusted_scores(item: ScoreSetDocument) -> ScoreSetDocument:
    scores = (
        replace(score, is_trusted=True) if isinstance(score, StoredScore) else score
        for score in item.scores
    )
    return replace(item, scores=tuple(scores))


def as_stored(run: "ResolvedRun") -> "ResolvedRun":
    """Return a run with the keys, names and warnings that the site of its export had stored.

    Raises InvalidFileError where the key of its load is of another load.
    """
    document = run.document
    if not isinstance(document, StoredRun) or not document.is_trusted:
        return run
    origin = document.origin
    if not _same_load(origin.workload_key, run.workload_key):
        place = join_path(document.path, "origin", "workload_key")
        raise InvalidFileError(Problem(place, _OTHER_LOAD, origin.workload_key))
    return replace(
        run,
        content_hash=origin.content_hash,
        workload_key=origin.workload_key,
        settings_key=origin.settings_key,
        reported_names=origin.reported_names,
        warnings=tuple(Problem(item.path, item.message, item.value) for item in origin.warnings),
    )


def _same_load(stated: str, made: str) -> bool:
    """Tell whether two keys are of one load: 4 and 4.0 requests are; a long one is a hash."""
    try:
        return bool(json.loads(stated) == json.loads(made))
    except ValueError:
        return stated == made or not made.startswith("{")


def with_known_content(run: "ResolvedRun", before: TestRun | None) -> "ResolvedRun":
    """Return a run with the hash that its export states, if that is the stored run's: the same."""
    document = run.document
    if not isinstance(document, StoredRun) or before is None:
        return run
    is_same = before.content_hash == document.origin.content_hash
    return replace(run, content_hash=before.content_hash) if is_same else run


def known_content_keys(
    variant: ModelVariant, documents: Sequence[ScoreDocument]
) -> dict[UUID, str]:
    """Return, by id, the keys of those exported scores that are stored here: one query at most."""
    exported = (item for item in documents if isinstance(item, StoredScore))
    stated = {item.id: item.origin.content_key for item in exported}
    if not stated:
        return {}
    here = BenchmarkScore.objects.filter(variant=variant, pk__in=stated)
    found = dict(here.values_list("pk", "content_key"))
    return {pk: key for pk, key in found.items() if stated[pk] == key}


def stored_origin(document: RunDocument | ScoreDocument) -> dict[str, Any] | None:
    """Return what is kept beside a run or score of where an export says that it comes from."""
    if not isinstance(document, StoredRun | StoredScore):
        return None
    upload = document.origin.upload
    return {
        "is_trusted": document.is_trusted,
        "upload": upload.model_dump(mode="json") if upload else None,
    }
