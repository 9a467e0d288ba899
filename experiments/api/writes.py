"""Writing: files in through the one pipeline, runs and scores out of the lists."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from ninja import Router, Status
from pydantic import Field

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.api import schemas
from experiments.api.archives import take_archive
from experiments.api.auth import ApiRequest, Caller, WriteAuth
from experiments.api.bodies import ReceivedFile, receive_file
from experiments.api.errors import ApiError
from experiments.api.openapi import errors, upload_body
from experiments.choices import ItemAction, UploadOutcome
from experiments.formats.documents import Problem
from experiments.ingest.archives import is_archive
from experiments.ingest.pipeline import Accept, ingest_file
from experiments.ingest.report import Report
from experiments.ingest.review import withdraw
from experiments.models import TestRun, UploadItem

router = Router(auth=WriteAuth(), tags=["Uploads"])
_UPLOAD_ERRORS = errors(400, 401, 403, 409, 411, 413, 415, 422)
_UPLOAD = upload_body()
_WITHDRAW_ERRORS = errors(400, 401, 403, 404, 410)
Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
AnswerT = TypeVar("AnswerT", bound=schemas.UploadAnswer)


@router.post(
    "/uploads",
    response={
        201: schemas.ArchiveAnswer | schemas.UploadAnswer,
        200: schemas.ArchiveAnswer | schemas.UploadAnswer,
        **_UPLOAD_ERRORS,
    },
    openapi_extra=_UPLOAD,
)
def uploads(request: ApiRequest) -> Status[schemas.ArchiveAnswer | schemas.UploadAnswer]:
    """Take in one result file of any known format, or a ZIP archive of such files.

    Of an archive the answer lists each file. It is 201 if any made something, 200 if all were here
    before (or for a dry run), else that of the first file that was refused.
    """
    received = receive_file(request)
    if is_archive(received.data):
        return take_archive(received, request.auth.as_actor())
    report = _ingest(request, received, accept="any")
    return _answer(report, schemas.UploadAnswer(**report.as_dict()))


@router.post(
    "/upload-experiment",
    response={
        201: schemas.ExperimentUploadAnswer,
        200: schemas.ExperimentUploadAnswer,
        **_UPLOAD_ERRORS,
    },
    openapi_extra=_UPLOAD,
)
def upload_experiment(request: ApiRequest) -> Status[schemas.ExperimentUploadAnswer]:
    """Take in experiment JSON: one run or several, with scores if there are any."""
    refused = {"success": False, "test_run_id": None}
    report = _ingest(request, receive_file(request), accept="runs", beside=refused)
    answer = schemas.ExperimentUploadAnswer(
        **report.as_dict(), success=True, test_run_id=report.runs[0].id, error=None
    )
    return _answer(report, answer)


_BENCHMARKS_RESPONSE: dict[Any, Any] = {
    201: schemas.BenchmarksUploadAnswer,
    200: schemas.BenchmarksUploadAnswer,
    **_UPLOAD_ERRORS,
}


@router.post("/upload-benchmarks", response=_BENCHMARKS_RESPONSE, openapi_extra=_UPLOAD)
def upload_benchmarks(request: ApiRequest) -> Status[schemas.BenchmarksUploadAnswer]:
    """Take in scores of a model variant, without any run."""
    refused = {"success": False, "model_variant_id": None, "scores_uploaded": 0}
    report = _ingest(request, receive_file(request), accept="scores", beside=refused)
    answer = schemas.BenchmarksUploadAnswer(
        **report.as_dict(),
        success=True,
        model_variant_id=report.scores[0].variant_id,
        scores_uploaded=sum(score.action == ItemAction.CREATED for score in report.scores),
        error=None,
    )
    return _answer(report, answer)


@router.post(
    "/benchmarks/upload",
    response=_BENCHMARKS_RESPONSE,
    openapi_extra=_UPLOAD,
    operation_id="upload_benchmarks_alias",
    summary="Another address of /api/upload-benchmarks",
)
def upload_benchmarks_alias(request: ApiRequest) -> Status[schemas.BenchmarksUploadAnswer]:
    """Take in scores of a model variant, without any run."""
    return upload_benchmarks(request)


def _ingest(
    request: ApiRequest,
    received: ReceivedFile,
    *,
    accept: Accept,
    beside: dict[str, Any] | None = None,
) -> Report:
    """Send the file of a request through the pipeline; ApiError with its report if refused.

    `beside` are the fields that a refusal has besides those of the report.
    """
    report = ingest_file(
        data=received.data,
        file_name=received.file_name,
        fields=received.fields,
        actor=request.auth.as_actor(),
        dry_run=received.dry_run,
        replace=received.replace,
        accept=accept,
    )
    if report.refusal:
        raise ApiError(
            report.refusal.http_status,
            report.summary,
            *report.errors,
            code=report.refusal,
            beside=report.as_dict() | (beside or {}),
        )
    return report


def _answer(report: Report, answer: AnswerT) -> Status[Any]:
    created = report.outcome == UploadOutcome.CREATED
    return Status(201 if created else 200, answer)


@router.delete("/delete/{test_run_id}", response={200: schemas.WithdrawnAnswer, **_WITHDRAW_ERRORS})
def withdraw_test_run(
    request: ApiRequest, test_run_id: UUID, reason: Reason = ""
) -> schemas.WithdrawnAnswer:
    """Withdraw a run: out of every list, its address answers 410 with the reason."""
    run = TestRun.objects.filter(pk=test_run_id).first()
    if run is None:
        raise _unknown("run", test_run_id)
    _check_may_withdraw(request.auth, UploadItem.objects.filter(run=run))
    done = withdraw(run_ids=[run.pk], who=request.auth.as_actor().who, reason=reason)
    if not done.runs:
        raise _already_out("run", TestRun.objects.get(pk=run.pk))
    return _withdrawn(run.pk, reason)


@router.delete("/scores/{score_id}", response={200: schemas.WithdrawnAnswer, **_WITHDRAW_ERRORS})
def withdraw_benchmark_score(
    request: ApiRequest, score_id: UUID, reason: Reason = ""
) -> schemas.WithdrawnAnswer:
    """Withdraw a score: the variant's next best one becomes its current score."""
    score = BenchmarkScore.objects.filter(pk=score_id).first()
    if score is None:
        raise _unknown("score", score_id)
    _check_may_withdraw(request.auth, UploadItem.objects.filter(score=score))
    done = withdraw(score_ids=[score.pk], who=request.auth.as_actor().who, reason=reason)
    if not done.scores:
        raise _already_out("score", BenchmarkScore.objects.get(pk=score.pk))
    return _withdrawn(score.pk, reason)


def _unknown(kind: str, pk: UUID) -> ApiError:
    message = f"No {kind} has the id {pk}."
    return ApiError(404, message, Problem(f"{kind}_id", message, str(pk)))


def _already_out(kind: str, fact: TestRun | BenchmarkScore) -> ApiError:
    """Return the 410 of what was taken out before, with the reason given then."""
    reason = fact.review_reason or "No reason was given."
    message = f"The {kind} {fact.pk} was {fact.review_state}: {reason}"
    return ApiError(410, message, Problem(kind, reason, str(fact.pk)))


def _check_may_withdraw(caller: Caller, items: QuerySet[UploadItem]) -> None:
    """Let curators withdraw anything, others what they made themselves."""
    if caller.is_curator:
        return
    sent = Q(upload__token=caller.token)
    if caller.user:
        sent |= Q(upload__uploaded_by=caller.user)
    if not items.exclude(action=ItemAction.UNCHANGED).filter(sent).exists():
        raise ApiError(403, "Only a curator and who sent it may withdraw it.")


def _withdrawn(pk: UUID, reason: str) -> schemas.WithdrawnAnswer:
    return schemas.WithdrawnAnswer(
        success=True, id=pk, review_state=ReviewState.WITHDRAWN, reason=reason
    )
