"""What reading uploads again would change: computed from what is stored, nothing is written."""

from collections.abc import Sequence

from experiments.choices import ReparseEffect, ReparseSubject
from experiments.formats.documents import InvalidFileError
from experiments.models import Upload
from experiments.reparse.items import Course, PlannedItem, with_states
from experiments.reparse.known import Known
from experiments.reparse.owned import load_owned
from experiments.reparse.reading import Reading, problem_of, read_again, trusted
from experiments.reparse.run_plan import plan_runs
from experiments.reparse.score_plan import let_stay, plan_scores


def plan_uploads(uploads: Sequence[Upload], course: Course) -> list[PlannedItem]:
    """Read uploads (loaded with their content) again and return what it means for each fact.

    About 15 queries for any number of uploads, and one for each distinct machine in a file. Where
    scores are gone that other uploads brought, too, those are read as well, once in the course.
    """
    owned = load_owned({upload.pk for upload in uploads})
    believed = trusted([upload.pk for upload in uploads])
    readings = [read_again(upload, is_trusted=upload.pk in believed) for upload in uploads]
    known = Known(readings, course)
    items: list[PlannedItem] = []
    for reading in readings:
        if reading.problem:
            items.append(_upload(reading, {}))
            continue
        try:
            scores, also = plan_scores(reading, owned, known)
        except InvalidFileError as error:
            items.append(_upload(problem_of(error, reading), {}))
            continue
        items += [_upload(reading, also), *plan_runs(reading, owned, known), *scores]
    let_stay(items, owned, course)
    return items


def _upload(reading: Reading, also: dict[str, str]) -> PlannedItem:
    """Plan the upload itself: which parser read it, its warnings, and what it brings besides."""
    upload = reading.upload
    item = PlannedItem(
        upload=upload,
        subject=ReparseSubject.UPLOAD,
        subject_id=upload.pk,
        key=upload.pk.hex,
        title=upload.file_name or "Pasted text",
        effect=ReparseEffect.PROBLEM,
        reason=reading.problem,
        reading=reading,
    )
    if reading.problem:
        return item
    before = {
        "parser_version": upload.parser_version,
        "warnings": upload.report.get("warnings", []),
    }
    # Warnings of writing (a run that stands twice, a doubtful score) are not made anew.
    after = {"parser_version": reading.version, "warnings": before["warnings"]}
    if upload.parser_version != reading.version:
        after["warnings"] = [warning.as_dict() for warning in reading.warnings]
    if also:
        item.also = list(also.items())
        after["scores that another upload brought first"] = len(also)
    return with_states(item, before, after)
