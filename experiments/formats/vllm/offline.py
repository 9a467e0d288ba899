"""What `vllm bench latency` and `vllm bench throughput` share: runs without a server.

Neither file names model, engine or machine; scripts put the lengths beside the figures.
"""

from collections.abc import Collection, Mapping
from typing import Any

from experiments.formats.documents import ModelDocument, RunDocument, WorkloadDocument
from experiments.formats.figures import Figures
from experiments.formats.private import hidden_warning
from experiments.formats.serving.runs import RunCollector, without_requests
from experiments.formats.vllm.settings import length, parallelism, vllm_setup
from hardware.resolution import HardwareFacts

# Under which keys scripts note what the tool leaves out ("ouput" is one script's own spelling).
_INPUT = ("input_len", "input_length", "input_tokens", "input")
_OUTPUT = ("output_len", "output_length", "output_tokens", "output", "ouput")
LENGTH_KEYS = {*_INPUT, *_OUTPUT}


def stated_lengths(record: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return input and output tokens of a request where a script noted them."""
    return length(record, *_INPUT), length(record, *_OUTPUT)


def add_offline_run(
    found: RunCollector,
    place: str,
    record: Mapping[str, Any],
    *,
    tool: str,
    workload: WorkloadDocument,
    figures: Figures,
    skip: Collection[str],
) -> None:
    """Add the run of a record whose figures and load are read."""
    setup, hidden = vllm_setup(record, skip={*skip, *LENGTH_KEYS})
    found.warnings += hidden_warning(place, hidden)
    plain = without_requests(record)
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=plain,
        source_records=(plain,),
        model=ModelDocument(model_name=None, quantization=None),
        hardware=HardwareFacts(gpu_count=parallelism(setup.settings).gpus),
        backend=None,
        backend_version=None,
        workload=workload,
        setup=setup,
        measurements=(),
        tool=tool,
    )
    found.add(run, figures)
