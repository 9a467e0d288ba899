"""Values that cannot be right in the seed experiment, and what is told of each."""

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

from tests.experiments.samples import SEED

VALUE = "performance_metrics[0].value"
UNIT = "performance_metrics[0].unit"
TTFT = "performance_metrics[1].value"
GPU = "hardware_config.gpu_count"
SAME: Any = object()


def changed(place: str, value: Any) -> dict[str, Any]:
    """Return the seed experiment with one value changed: `hardware_config.gpu_count`."""
    document: dict[str, Any] = copy.deepcopy(SEED)
    target: Any = document["experiment_run"]
    *steps, last = [
        int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", place)
    ]
    for step in steps:
        target = target[step]
    target[last] = value
    return document


@dataclass(frozen=True)
class Wrong:
    """A wrong value at a place of the seed experiment, and what its sender is told.

    The problem is told `at` the same place and shows the same value unless said otherwise.
    """

    place: str
    value: Any
    says: str
    at: str | None = None
    shown: Any = SAME
    status: int = 422

    def file(self) -> bytes:
        return json.dumps(changed(self.place, self.value)).encode()


def metric(**fields: Any) -> dict[str, Any]:
    return {"metric_name": "tokens_per_second", "value": 5.0, "unit": "tok/s"} | fields


def score(kind: Any, **data: Any) -> list[dict[str, Any]]:
    return [{"type": kind, "data": data}]


SCORE = "benchmark_scores[0]"
METRIC = "performance_metrics[0]"
NUMBERS = {
    "nan": Wrong(VALUE, float("nan"), "not measurements"),
    "infinity": Wrong(VALUE, float("inf"), "not measurements"),
    "minus infinity": Wrong(VALUE, float("-inf"), "not measurements"),
    "nan in samples": Wrong(
        METRIC, metric(samples=[float("nan")]), "not measurements", f"{METRIC}.samples[0]", "nan"
    ),
    "nan in settings": Wrong(
        "settings", {"x": float("nan")}, "not measurements", "settings.x", "nan"
    ),
    "infinite rate": Wrong("request_rate", float("inf"), "not measurements"),
    "negative speed": Wrong(VALUE, -1.0, "above 0"),
    "zero speed": Wrong(VALUE, 0.0, "Leave out what is not known"),
    "zero latency": Wrong(TTFT, 0.0, "Leave out what is not known"),
    "negative spread": Wrong(
        METRIC, metric(statistic="std", value=-1.0), "never negative", VALUE, -1.0
    ),
    "negative sample": Wrong(
        METRIC, metric(samples=[5.0, -1.0]), "above 0", f"{METRIC}.samples[1]", -1.0
    ),
    "above the largest": Wrong(VALUE, 1e301, "1e+300 or less"),
    "too large once converted": Wrong(
        METRIC,
        metric(metric_name="memory_usage_gb", value=1e300, unit="TB", samples=[1e300, 1e308]),
        "1e+300 or less",
        f"{METRIC}.samples[1]",
        1e308,
    ),
    "too small once converted": Wrong(
        METRIC,
        metric(metric_name="ttft_ms", value=1e-320, unit="ns"),
        "too small in ms",
        VALUE,
        1e-320,
    ),
    "share above all": Wrong(
        METRIC, metric(metric_name="error_rate", value=1.3, unit="ratio"), "100 %", VALUE, 1.3
    ),
    "boolean value": Wrong(VALUE, True, "not true or false"),
    "boolean count": Wrong("concurrent_requests", True, "not true or false"),
    "text for a number": Wrong(VALUE, "12.5", "without quotation marks"),
    "words for a number": Wrong(VALUE, "fast", "A number is needed"),
    "text for a count": Wrong("concurrent_requests", "4", "without quotation marks"),
    "null for a number": Wrong(VALUE, None, "A number is needed"),
    "list for a number": Wrong(VALUE, [5], "A number is needed", shown="[5]"),
    "400 digits": Wrong(VALUE, int("9" * 400), "too large", shown="9" * 199 + "…"),
    "400 digits for a count": Wrong(
        "concurrent_requests", int("9" * 400), "below 2,147,483,648", shown="9" * 199 + "…"
    ),
    "2**63": Wrong("max_context_length", 2**63, "below 2,147,483,648"),
    "2**31": Wrong("max_context_length", 2**31, "below 2,147,483,648"),
    "fraction of a count": Wrong("max_context_length", 8192.5, "without a decimal point"),
    "float where a count belongs": Wrong("max_context_length", 8192.0, "without a decimal point"),
    "no request at all": Wrong("concurrent_requests", 0, "1 or more"),
    "negative count": Wrong("concurrent_requests", -4, "1 or more"),
    "half a device": Wrong("parallelism", {"tensor": 0}, "1 or more", "parallelism.tensor", 0),
}
UNITS = {
    "speed in GB": Wrong(UNIT, "GB", "measures memory; this metric takes tok/s"),
    "speed in watts": Wrong(UNIT, "W", "measures power"),
    "unknown unit": Wrong(UNIT, "furlong", "is not a known unit"),
    "blank unit": Wrong(UNIT, "", "is not a known unit"),
    "null unit": Wrong(UNIT, None, "A text is needed"),
    "share of a GPU as total": Wrong(UNIT, "tok/s/gpu", "measures tokens per time and GPU"),
    "megabits of memory": Wrong(
        METRIC, metric(metric_name="memory_usage_gb", unit="Mb"), "not a known unit", UNIT, "Mb"
    ),
    "long unit": Wrong(UNIT, "x" * 50, "This has 50 characters; there is room for 40"),
    "p200": Wrong(METRIC, metric(statistic="p200"), "any other pNN", f"{METRIC}.statistic", "p200"),
    "arabic digits": Wrong(
        METRIC, metric(statistic="p٣٣"), "any other pNN", f"{METRIC}.statistic", "p٣٣"
    ),
    "statistic in words": Wrong(
        METRIC, metric(statistic="middling"), "A statistic is", f"{METRIC}.statistic", "middling"
    ),
    "statistic against its name": Wrong(
        METRIC,
        metric(metric_name="ttft_p95_ms", unit="ms", statistic="mean"),
        "the same as in metric_name",
        f"{METRIC}.statistic",
        "mean",
    ),
    "unknown definition": Wrong(
        METRIC, metric(definition="zzz"), "decode, wall_clock", f"{METRIC}.definition", "zzz"
    ),
    "metric given twice": Wrong(
        "performance_metrics",
        [
            metric(metric_name="ttft_ms", unit="ms"),
            metric(metric_name="first_token_latency_ms", unit="ms"),
        ],
        "stands twice",
        "performance_metrics[1].metric_name",
        "first_token_latency_ms",
    ),
    "samples miscounted": Wrong(
        METRIC,
        metric(sample_count=7, samples=[1.0, 2.0]),
        "there are 2",
        f"{METRIC}.sample_count",
        7,
    ),
}
SCORES = {
    "unknown type": Wrong(f"{SCORE}.type", "IQ", "'HellaSwag', 'TruthfulQA', 'Generic'"),
    "no type": Wrong(SCORE, {"data": {"accuracy": 1.0}}, "required", f"{SCORE}.type", None),
    "type of another case": Wrong(f"{SCORE}.type", "mmlu", "One of these is needed"),
    "130": Wrong(
        "benchmark_scores",
        score("HellaSwag", accuracy=130.0),
        "100 or less",
        f"{SCORE}.data.accuracy",
        130.0,
    ),
    "-1": Wrong(
        "benchmark_scores",
        score("HellaSwag", accuracy=-1),
        "0 or more",
        f"{SCORE}.data.accuracy",
        -1,
    ),
    "130 of another benchmark": Wrong(
        "benchmark_scores",
        score("Generic", benchmark_name="x", score=130.0),
        "between 0 and 100",
        f"{SCORE}.data.score",
        130.0,
    ),
    "category of 130": Wrong(f"{SCORE}.data.categories[0].score", 130.0, "100 or less"),
    "more correct than there are": Wrong(
        "benchmark_scores[1].data.problems_solved", 1400, "There are 1,319 in all"
    ),
    "more correct answers": Wrong(
        f"{SCORE}.data.categories[0].correct_answers", 101, "There are 100 in all"
    ),
    "correct of nothing": Wrong(
        "benchmark_scores",
        score("HellaSwag", accuracy=50.0, correct_answers=5),
        "total_questions",
        f"{SCORE}.data.correct_answers",
        5,
    ),
    "total of 0": Wrong("benchmark_scores[1].data.total_problems", 0, "1 or more"),
    "half a problem": Wrong("benchmark_scores[1].data.problems_solved", 10.5, "whole number"),
    "no categories": Wrong(f"{SCORE}.data.categories", [], "at least 1 entry", shown="[]"),
    "category twice": Wrong(
        f"{SCORE}.data.categories",
        [{"category": "law", "score": 41.0}, {"category": "Law", "score": 42.0}],
        "stands twice",
        f"{SCORE}.data.categories[1].category",
        "Law",
    ),
    "benchmark without a name": Wrong(
        "benchmark_scores",
        score("Generic", benchmark_name="!!!", score=4.0),
        "no letter and no digit",
        SCORE,
        "!!!",
    ),
    "null among scores": Wrong("benchmark_scores", [None], "An object", SCORE, None),
    "strange chat template": Wrong(
        f"{SCORE}.protocol",
        {"chat_template": 5},
        "template's name",
        f"{SCORE}.protocol.chat_template",
        5,
    ),
}
TIMES = {
    "no format": Wrong("timestamp", "20 November", "written like 2026-11-20T09:30:00Z"),
    "no such day": Wrong("timestamp", "2026-02-30T00:00:00Z", "No calendar"),
    "no such hour": Wrong("timestamp", "2026-02-20T25:00:00Z", "No calendar and no clock"),
    "no such zone": Wrong("timestamp", "2026-02-20T10:00:00+25:00", "No calendar"),
    "year 1": Wrong("timestamp", "0001-01-01T00:00:00+14:00", "between 2000 and 2100"),
    "year 9999": Wrong("timestamp", "9999-12-31T23:59:59-14:00", "between 2000 and 2100"),
    "year 2101 by its zone": Wrong("timestamp", "2100-12-31T23:59:59-23:59", "2000 and 2100"),
    "seconds since 1970": Wrong("timestamp", 1771581600, "written like"),
    "null": Wrong("timestamp", None, "written like"),
    "time of a metric": Wrong(f"{METRIC}.timestamp", "today", "written like"),
    "time of a score": Wrong(f"{SCORE}.data.timestamp", "today", "written like"),
}
NAMES = {
    "blank": Wrong("model_name", "  ", "blank"),
    "2 MB": Wrong("model_name", "n" * 2_000_000, "2,000,000 characters", shown="n" * 199 + "…"),
    "zero width": Wrong("model_name", "\u200b\u2060", "U+200B, which cannot be seen"),
    "zero width within": Wrong("model_name", "Nim\u200bbus", "U+200B"),
    "filler": Wrong("model_name", "\u3164", "no visible character"),
    "accent alone": Wrong("model_name", "\u0301", "no visible character"),
    "control character": Wrong("model_name", "a\x01b", "U+0001"),
    "line end": Wrong("backend", "a\nb", "U+000A"),
    "right to left": Wrong("model_name", "a\u202eb", "U+202E"),
    "lost letters": Wrong("model_name", "N\ufffdmbus", "not sent as UTF-8"),
    "nul": Wrong("model_name", "a\x00b", "NUL", shown="'a\\x00b'", status=400),
    "surrogate": Wrong("model_name", "\ud800", "surrogate", shown="'\\ud800'", status=400),
    "invisible backend": Wrong("backend", "\u200b", "U+200B"),
    "invisible adapter": Wrong("lora_adapter", "\u200b", "U+200B"),
    "invisible gpu": Wrong("hardware_config.gpu_model", "\u200b", "U+200B"),
    "invisible metric": Wrong(f"{METRIC}.metric_name", "\u200b", "U+200B"),
    "invisible dataset": Wrong("dataset_name", "\u2060", "U+2060"),
    "escapes in notes": Wrong("notes", "\x1b[31m", "control character U+001B"),
    "long notes": Wrong("notes", "x" * 20_001, "20,001 characters", shown="x" * 199 + "…"),
    "number for a name": Wrong("model_name", 7, "A text is needed"),
    "script for a source": Wrong("source_url", "javascript:alert(1)", "https://example.org"),
    "half an address": Wrong("source_url", "http://[", "https://example.org"),
    "address in two lines": Wrong("source_url", "http://x/\ny", "no spaces and no line ends"),
    "misspelt status": Wrong("status", "done", "'completed'"),
}
SHAPES = {
    "misspelt field": Wrong("concurent_requests", 4, "is “concurrent_requests” meant?"),
    "unknown field": Wrong("colour", "red", "not a field of the format"),
    "endless field name": Wrong("x" * 2_000_000, 1, "not a field", "x" * 100 + "…"),
    "misspelt field within": Wrong("hardware_config.gpu_modle", "x", "“gpu_model”"),
    "list for an object": Wrong("hardware_config", [], "An object", shown="[]"),
    "text for an object": Wrong("hardware_config", "RTX 4090", "An object"),
    "object for a list": Wrong("performance_metrics", {}, "A list", shown="{}"),
    "null for a list": Wrong("performance_metrics", None, "A list"),
    "null among metrics": Wrong(METRIC, None, "An object"),
    "completed without figures": Wrong("performance_metrics", [], "at least one", shown="[]"),
    "id in words": Wrong("id", "my-first-run", "An id is a UUID"),
    "id as a number": Wrong("id", 5, "An id is a UUID"),
    "id of zeros": Wrong("id", "00000000-0000-0000-0000-000000000000", "leave the field out"),
    "no hardware": Wrong("hardware_config", {}, "needs gpu_model or cpu_model", shown="{}"),
    "memory without a gpu": Wrong(
        "hardware_config",
        {"cpu_model": "x", "gpu_memory_gb": 8},
        "where no GPU is named",
        "hardware_config.gpu_memory_gb",
        8,
    ),
    "gpus of a CPU only run": Wrong(
        "hardware_config",
        {"cpu_model": "x", "gpu_model": "CPU Only", "gpu_count": 2},
        "where no GPU is named",
        GPU,
        2,
    ),
    "no gpu of a kind": Wrong(GPU, 0, "at least 1 where a GPU is named"),
    "negative gpus": Wrong(GPU, -1, "0 or more"),
    "a billion gpus": Wrong(GPU, 10**9, "32,767 or less"),
    "negative memory": Wrong("hardware_config.gpu_memory_gb", -8, "0 or more"),
    "sockets": Wrong("hardware_config.cpu_sockets", 10**6, "32,767 or less"),
}
WRONG = {
    f"{kind}: {name}": wrong
    for kind, table in {
        "number": NUMBERS,
        "unit": UNITS,
        "score": SCORES,
        "time": TIMES,
        "name": NAMES,
        "shape": SHAPES,
    }.items()
    for name, wrong in table.items()
}
