"""Ollama's answers: the last object of /api/generate or /api/chat, alone, in a row or streamed.

Durations are in nanoseconds. A prompt that is still in the cache takes next to no time, and
nothing in the answer says so: only one for which the model was loaded was surely read anew.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.fields import Count, NotBoolean, Time
from experiments.formats.figures import Figures
from experiments.formats.model_names import served_model
from experiments.formats.ollama import about
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.records import records_of
from experiments.formats.serving.runs import RunCollector
from hardware.resolution import HardwareFacts

_RESULT = {"model", "eval_count", "eval_duration"}
_CHUNK = {"model", "done"}
_TEXTS = frozenset({"response", "message", "thinking", "context", "logprobs"})
_SECOND = 1_000_000_000  # nanoseconds
_COLD_FROM = _SECOND  # loading a model takes longer, finding it in memory some hundredths of this
_FASTEST_PROMPT = 10_000  # tokens per second, beyond which a cached prompt is likelier
_MAYBE_CACHED = (
    "The prompt, or a part of it, may have come from the cache: the model was in memory before, or "
    "this is faster than prompts are read. It is kept beside the metrics, as no prompt speed."
)
_NO_PROMPT = "The answer counts no prompt tokens: the prompt came from the cache."
_UNFINISHED = (
    'The answer was not finished: of a stream the last object, with "done": true, holds the '
    "figures. Send all of it, or that object."
)
_ERROR = "Ollama reports an error here, and no answer: nothing was measured."
_NOTHING_SAID = "The answer holds no token (it loaded or unloaded the model): it is left out."
_TAIL = "The last answer of the file was not finished: it is left out."

Nanoseconds = Annotated[int, Field(ge=0, lt=2**63), NotBoolean]


class _Answer(BaseModel):
    """What an answer counts; every duration may be missing."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(max_length=500)]
    created_at: Time | None = None
    total_duration: Nanoseconds | None = None
    load_duration: Nanoseconds | None = None
    prompt_eval_count: Annotated[Count, NotBoolean] | None = None
    prompt_eval_duration: Nanoseconds | None = None
    eval_count: Annotated[Count, NotBoolean]
    eval_duration: Nanoseconds

    @property
    def is_cold(self) -> bool:
        """Whether the model was loaded for this answer, so that no prompt can be cached."""
        return (self.load_duration or 0) >= _COLD_FROM


def _detect(content: Content) -> bool:
    keys = content.first_record.keys()
    return keys >= _RESULT or (keys >= _CHUNK and not keys.isdisjoint({"response", "message"}))


def _parse(content: Content) -> ParsedFile:
    found = RunCollector()
    errors: list[Problem] = []
    answers = open_stream = 0
    for place, record in records_of(content, what="An answer"):
        if found.is_full:
            break
        if isinstance(record, Problem):
            found.problems.append(record)
        elif "error" in record and "eval_count" not in record:
            errors.append(Problem(place, _ERROR))
            open_stream = 0
        elif record.get("done", True) is not True:
            open_stream += 1
        else:
            answers += 1
            open_stream = 0
            _add(found, place, record)
    if not answers and not found.problems:
        raise InvalidFileError(*errors or (Problem("", _UNFINISHED),))
    found.warnings += errors
    if open_stream:
        found.warnings.append(Problem("", _TAIL))
    return found.parsed()


def _add(found: RunCollector, place: str, record: Mapping[str, Any]) -> None:
    if not record.get("eval_count") and "eval_duration" not in record:
        found.warnings.append(Problem(place, _NOTHING_SAID, record.get("done_reason")))
        return
    answer = found.read(_Answer, place, record)
    if answer is None:
        return
    plain = {key: value for key, value in record.items() if key not in _TEXTS}
    settings, hidden = public_settings(plain, skip={"done", *_Answer.model_fields})
    found.warnings += hidden_warning(place, [*hidden, *(k for k in _TEXTS if record.get(k))])
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=plain,
        source_records=(plain,),
        model=served_model(answer.model.removesuffix(":latest")),
        hardware=HardwareFacts(),
        backend="ollama",
        backend_version=None,
        workload=WorkloadDocument(
            load_kind="isolated",
            concurrent_requests=1,
            input_tokens=answer.prompt_eval_count or None,
            output_tokens=answer.eval_count or None,
        ),
        setup=SetupDocument(settings=settings),
        measurements=(),
        started_at=answer.created_at,
        zone_known=answer.created_at is None or answer.created_at.tzinfo is not None,
        tool="ollama",
    )
    found.add(run, _figures(answer, place))


def _figures(answer: _Answer, place: str) -> Figures:
    figures = Figures(sample_count=1)
    if answer.eval_count and answer.eval_duration:
        figures.add(
            "tokens_per_second",
            answer.eval_count / answer.eval_duration * _SECOND,
            "tok/s",
            at=join_path(place, "eval_duration"),
            definition="decode",
            derived_from=("eval_count", "eval_duration"),
        )
    _add_prompt_speed(figures, answer, place)
    if answer.total_duration:
        seconds = answer.total_duration / _SECOND
        at = join_path(place, "total_duration")
        figures.add("e2e_latency_ms", seconds, "s", at=at, definition="server")
    if answer.is_cold and answer.load_duration:
        seconds = answer.load_duration / _SECOND
        figures.add("model_loading_time", seconds, "s", at=join_path(place, "load_duration"))
    return figures


def _add_prompt_speed(figures: Figures, answer: _Answer, place: str) -> None:
    """Add the speed of the prompt, under a name of its own where it may have been cached."""
    if not answer.prompt_eval_count:
        at = join_path(place, "prompt_eval_count")
        figures.warnings.append(Problem(at, _NO_PROMPT, answer.prompt_eval_count))
    if not answer.prompt_eval_count or not answer.prompt_eval_duration:
        return
    speed = answer.prompt_eval_count / answer.prompt_eval_duration * _SECOND
    sure = answer.is_cold and speed <= _FASTEST_PROMPT
    at = join_path(place, "prompt_eval_duration")
    if not sure:
        figures.warnings.append(Problem(at, _MAYBE_CACHED, f"{speed:,.0f} tok/s"))
    figures.add(
        "prompt_processing_speed" if sure else "prompt_speed_maybe_cached",
        speed,
        "tok/s",
        at=at,
        definition="prefill" if sure else None,
        derived_from=("prompt_eval_count", "prompt_eval_duration"),
    )


FORMAT = Format(
    name="ollama",
    title="Ollama API response",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.RESPONSE,
    tool="Ollama",
    command="curl -s http://localhost:11434/api/generate "
    """-d '{"model": "MODEL", "prompt": "PROMPT", "stream": false}' > answer.json""",
    file_name="answer.json",
    fills=(
        *("model_name", "backend", "concurrent_requests", "input_tokens", "output_tokens"),
        *("tokens_per_second", "e2e_latency_ms"),
    ),
    lacks=("quantization", "gpu_model"),
)
