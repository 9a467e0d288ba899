"""Mutated files of serving tools by their parsers alone: a document or a problem with its place."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError
from experiments.metrics import get_metric
from tests.experiments.mutations import mutated
from tests.experiments.parsed import SAMPLES

SOURCES = [
    path.read_bytes()
    for pattern in ("vllm_*", "sglang_*", "serving_*")
    for path in sorted(SAMPLES.glob(pattern))
]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_serving_files_give_sound_documents_or_problems(data: st.DataObject) -> None:
    body = mutated(data, data.draw(st.sampled_from(SOURCES), label="file"))
    try:
        content = decode(body)
        found = detect_format(content).parse(content)
    except FormatError:
        return
    assert found.runs or found.score_sets
    for run in found.runs:
        assert run.status in ("completed", "failed")
        assert "very-secret" not in repr((run.setup, run.model, run.extra_names))
        for item in run.measurements:
            metric = get_metric(item.metric)
            assert metric is not None
            assert metric.definition(item.definition) is not None
            assert item.value >= 0
