"""What an uploader states beside the file: it fills gaps and overrides names, never figures."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from experiments.formats.documents import (
    InvalidFileError,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    ScoreSetDocument,
)
from experiments.formats.fields import (
    Amount,
    GpuCount,
    GpuMemory,
    Name,
    PositiveCount,
    ShortName,
    Text,
    Url,
)
from experiments.formats.problems import problems_of
from hardware.names import means_no_gpu
from hardware.resolution import HardwareFacts


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Blank = BeforeValidator(_blank_is_none)


class UploadContext(BaseModel):
    """The context fields of the form, the API and the command; None where nothing was stated."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())

    model_name: Annotated[Name | None, Blank] = None
    quantization: Annotated[ShortName | None, Blank] = None
    lora_adapter: Annotated[Name | None, Blank] = None
    backend: Annotated[ShortName | None, Blank] = None
    backend_version: Annotated[Name | None, Blank] = None
    gpu_model: Annotated[Name | None, Blank] = None
    gpu_count: Annotated[GpuCount | None, Blank] = None
    gpu_memory_gb: Annotated[GpuMemory | None, Blank] = None
    cpu_model: Annotated[Name | None, Blank] = None
    cpu_arch: Annotated[ShortName | None, Blank] = None
    ram_gb: Annotated[Amount | None, Blank] = None
    ram_type: Annotated[ShortName | None, Blank] = None
    virtualization_type: Annotated[ShortName | None, Blank] = None
    concurrent_requests: Annotated[PositiveCount | None, Blank] = None
    input_tokens: Annotated[Amount | None, Blank] = None
    output_tokens: Annotated[Amount | None, Blank] = None
    dataset_name: Annotated[Name | None, Blank] = None
    sweep: Annotated[Name | None, Blank] = None
    notes: Annotated[Text | None, Blank] = None
    source_url: Annotated[Url | None, Blank] = None

    def stated(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return self.model_dump(exclude_none=True)


CONTEXT_FIELDS = tuple(UploadContext.model_fields)
_HARDWARE_FIELDS = (
    "gpu_count",
    "gpu_memory_gb",
    "cpu_model",
    "cpu_arch",
    "ram_gb",
    "ram_type",
    "virtualization_type",
)
_MODEL_NAMES = ("model_name", "quantization", "lora_adapter")
_RUN_NAMES = ("backend", "backend_version")
_WORKLOAD_FIELDS = ("concurrent_requests", "input_tokens", "output_tokens", "dataset_name")
_SCORE_TEXTS = ("notes", "source_url")
_SCORE_FIELDS = {"model_name", "quantization", "lora_adapter", *_SCORE_TEXTS}
_RUN_TEXTS = ("sweep", "notes", "source_url")


def read_context(fields: dict[str, Any]) -> UploadContext:
    """Return the validated context; raises InvalidFileError naming each wrong field."""
    try:
        return UploadContext.model_validate(fields)
    except ValidationError as error:
        problems = problems_of(error, "context", source=fields, names=CONTEXT_FIELDS)
        raise InvalidFileError(*problems) from error


def apply_to_run(run: RunDocument, context: UploadContext) -> tuple[RunDocument, list[Problem]]:
    """Return the run with the uploader's context, and a warning for each name overridden."""
    model, warnings = _apply_to_model(run.model, context, run.path)
    hardware, hardware_warnings = _apply_to_hardware(run.hardware, context, run.path)
    warnings += hardware_warnings
    changes: dict[str, Any] = {}
    for name in _RUN_NAMES:
        _override(name, getattr(run, name), getattr(context, name), changes, warnings, run.path)
    workload: dict[str, Any] = {}
    for name in _WORKLOAD_FIELDS:
        _fill(name, getattr(run.workload, name), getattr(context, name), workload, warnings, run)
    for name in _RUN_TEXTS:
        _override(name, getattr(run, name), getattr(context, name), changes, warnings, run.path)
    changed = replace(
        run,
        model=model,
        hardware=hardware,
        workload=replace(run.workload, **workload),
        **changes,
    )
    return changed, warnings


def apply_to_scores(
    scores: ScoreSetDocument, context: UploadContext
) -> tuple[ScoreSetDocument, list[Problem]]:
    """Return the scores with the uploader's model names, and warnings for names overridden."""
    model, warnings = _apply_to_model(scores.model, context, scores.path)
    unused = sorted(context.stated().keys() - _SCORE_FIELDS)
    if unused:
        message = "Scores belong to a model on any machine: these fields are not used."
        warnings.append(Problem(scores.path, message, ", ".join(unused)))
    texts = {name: given for name in _SCORE_TEXTS if (given := getattr(context, name)) is not None}
    changed = tuple(replace(score, **texts) for score in scores.scores)
    return replace(scores, model=model, scores=changed), warnings


def _apply_to_model(
    model: ModelDocument, context: UploadContext, path: str
) -> tuple[ModelDocument, list[Problem]]:
    changes: dict[str, Any] = {}
    warnings: list[Problem] = []
    for name in _MODEL_NAMES:
        stated = getattr(model, name) or None
        _override(name, stated, getattr(context, name), changes, warnings, path)
    return replace(model, **changes), warnings


def _apply_to_hardware(
    hardware: HardwareFacts, context: UploadContext, path: str
) -> tuple[HardwareFacts, list[Problem]]:
    changes: dict[str, Any] = {}
    warnings: list[Problem] = []
    if context.gpu_model:
        no_gpu = means_no_gpu(context.gpu_model)
        given = () if no_gpu else (context.gpu_model,)
        if hardware.gpu_models and given != hardware.gpu_models:
            reported = ", ".join(hardware.gpu_models)
            warnings.append(_overridden(path, "gpu_model", reported, context.gpu_model))
        changes["gpu_models"] = given
        if no_gpu:
            changes |= {"gpu_count": None, "gpu_memory_gb": None}
    for name in _HARDWARE_FIELDS:
        reported = getattr(hardware, name)
        _override(name, reported, getattr(context, name), changes, warnings, path)
    return replace(hardware, **changes), warnings


def _override(
    name: str,
    reported: Any,
    given: Any,
    changes: dict[str, Any],
    warnings: list[Problem],
    path: str,
) -> None:
    if given is None:
        return
    changes[name] = given
    if reported is not None and reported != given:
        warnings.append(_overridden(path, name, reported, given))


def _overridden(path: str, name: str, reported: Any, given: Any) -> Problem:
    return Problem(
        path, f"{name}: the file says “{reported}”; your “{given}” is used instead.", given
    )


def _fill(
    name: str,
    reported: Any,
    given: Any,
    changes: dict[str, Any],
    warnings: list[Problem],
    run: RunDocument,
) -> None:
    """Take a given workload figure only where the file has none: what was measured stands."""
    if given is None or reported == given:
        return
    if reported is None:
        changes[name] = given
        return
    message = f"{name}: the file says {reported}; that is kept, your {given} is not used."
    warnings.append(Problem(run.path, message, given))


def fields_left_open(parsed: ParsedFile, context: UploadContext) -> set[str]:
    """Return the context fields that neither the file (in any part of it) nor the uploader says."""
    said = set(context.stated())
    for run in parsed.runs:
        said |= _said_by_run(run)
    for score_set in parsed.score_sets:
        said |= _said(score_set.model, _MODEL_NAMES)
    usable = set(CONTEXT_FIELDS) if parsed.runs else _SCORE_FIELDS
    return usable - said


def _said_by_run(run: RunDocument) -> set[str]:
    said = _said(run.model, _MODEL_NAMES) | _said(run, (*_RUN_NAMES, *_RUN_TEXTS))
    said |= _said(run.workload, _WORKLOAD_FIELDS) | _said(run.hardware, _HARDWARE_FIELDS)
    if run.hardware.gpu_models or run.hardware.cpu_model:
        said.add("gpu_model")
    return said


def _said(document: object, names: Iterable[str]) -> set[str]:
    return {name for name in names if getattr(document, name) not in (None, "")}
