"""Objects of the site's own experiment JSON as the documents that every format ends in."""

from collections.abc import Mapping
from typing import Any

from experiments.formats.documents import (
    MeasurementDocument,
    ModelDocument,
    RunDocument,
    ScoreDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.site.hardware_schema import HardwareConfig
from experiments.formats.site.schema import ExperimentRun, ScoreSet
from experiments.formats.stored import DescribedModel, StoredRun
from hardware.resolution import HardwareFacts


def run_document(
    path: str,
    run: ExperimentRun,
    record: Mapping[str, Any],
    measurements: tuple[MeasurementDocument, ...],
    scores: tuple[ScoreDocument, ...],
) -> RunDocument:
    """Return a validated run; `record` is what it was read from."""
    common = RunDocument(
        path=path,
        given_id=str(run.id) if run.id else None,
        identity_record=record,
        source_records=(record,),
        model=model_document(run),
        hardware=_hardware(run.hardware_config),
        backend=run.backend,
        backend_version=run.backend_version,
        workload=_workload(run),
        setup=_setup(run),
        measurements=measurements,
        scores=scores,
        status=run.status,
        complete=run.complete,
        started_at=run.timestamp,
        zone_known=run.timestamp is None or run.timestamp.tzinfo is not None,
        notes=run.notes,
        source_url=run.source_url,
        tool=run.tool,
        tool_version=run.tool_version,
        sweep=run.sweep,
    )
    return StoredRun(**vars(common), origin=run.origin) if run.origin else common


def model_document(source: ExperimentRun | ScoreSet) -> ModelDocument:
    """Return the variant that a run or a set of scores is of."""
    facts = source.model_facts.model_dump(exclude_none=True)
    return DescribedModel(
        model_name=source.model_name,
        quantization=source.quantization,
        lora_adapter=source.lora_adapter or "",
        parameters=facts.pop("parameters", None),
        weights_gb=facts.pop("weights_gb", None),
        more_facts=facts,
    )


def _hardware(config: HardwareConfig) -> HardwareFacts:
    has_gpu = config.has_gpu
    return HardwareFacts(
        gpu_models=(config.gpu_model,) if has_gpu and config.gpu_model else (),
        gpu_count=config.gpu_count if has_gpu else None,
        gpu_form=config.gpu_form if has_gpu else None,
        gpu_memory_gb=(config.gpu_memory_gb or None) if has_gpu else None,
        cpu_model=config.cpu_model,
        cpu_sockets=config.cpu_sockets,
        cpu_arch=config.cpu_arch,
        ram_gb=config.ram_gb,
        ram_type=config.ram_type,
        virtualization_type=config.virtualization_type,
        label=config.label,
    )


def _workload(run: ExperimentRun) -> WorkloadDocument:
    return WorkloadDocument(
        load_kind=run.load_kind,
        concurrent_requests=run.concurrent_requests,
        request_rate=run.request_rate,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        configured_input_tokens=run.configured_input_tokens,
        configured_output_tokens=run.configured_output_tokens,
        context_depth=run.context_depth,
        max_context_length=run.max_context_length,
        batch_size=run.batch_size,
        load_pattern=run.load_pattern,
        dataset_name=run.dataset_name,
    )


def _setup(run: ExperimentRun) -> SetupDocument:
    return SetupDocument(
        tensor_parallel=run.parallelism.tensor,
        pipeline_parallel=run.parallelism.pipeline,
        expert_parallel=run.parallelism.expert,
        nodes=run.parallelism.nodes,
        speculation=run.speculation,
        kv_cache_type=run.kv_cache_type,
        gpu_power_limit_watts=run.gpu_power_limit_watts,
        optimizations=tuple(run.hardware_config.optimizations),
        settings=run.settings,
        speed_settings=run.settings,
    )
