"""From what the site knows to what the API answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.models import Benchmark
from experiments.api import schemas
from experiments.comparison import Comparison, Subject, headline_means
from experiments.detail import RunDetail
from experiments.grid import ConfigurationRow, GridPage, ModelRow, PlatformRow
from experiments.models import TestRun, UploadItem
from experiments.provenance import provenance_of
from experiments.redaction import redact, redact_text


def config_answer(item: ConfigurationRow) -> schemas.ConfigAnswer:
    """Return a configuration of the grid; its load is that of its representative run."""
    return schemas.ConfigAnswer(
        id=item.run_id,
        model_name=item.model_name,
        quantization=item.quantization,
        lora_adapter=item.lora_adapter,
        quality_score=item.quality_score,
        quality_protocol=item.quality_protocol,
        quality_ranked=item.quality_ranked,
        tokens_per_second=item.tokens_per_second,
        tokens_per_second_definition=item.tokens_per_second_definition,
        prompt_processing_speed=item.prompt_processing_speed,
        prompt_processing_speed_definition=item.prompt_processing_speed_definition,
        ttft_ms=item.ttft_ms,
        ttft_ms_definition=item.ttft_ms_definition,
        memory_gb=item.memory_gb,
        backend=item.backend,
        backend_version=item.backend_version,
        hardware=item.platform_name,
        hardware_category=item.platform_category,
        load_class=item.load_class,
        load_kind=item.load_kind,
        concurrent_requests=item.concurrent_requests,
        max_context_length=item.max_context_length,
        load_pattern=redact(item.load_pattern),
        dataset_name=redact(item.dataset_name),
        gpu_power_limit_watts=item.gpu_power_limit_watts,
        gpu_power_watts=item.gpu_power_watts,
        tokens_per_kwh=item.tokens_per_kwh,
        runs=item.runs,
        newest=item.newest_at,
    )


def grouped_answer(
    page: GridPage, platforms: Mapping[str, Sequence[PlatformRow]]
) -> schemas.GroupedPerformanceAnswer:
    """Return a page of the grid with all platforms of each model."""
    return schemas.GroupedPerformanceAnswer(
        models=[_model_answer(row, platforms.get(row.key, ())) for row in page.rows],
        total_count=page.total_count,
        benchmark_used=page.benchmark.slug if page.benchmark else None,
        load_used=page.load_used,
        load_kind_used=page.kind_used,
        load_kinds_mixed=page.mixes_kinds,
    )


def _model_answer(row: ModelRow, platforms: Sequence[PlatformRow]) -> schemas.ModelAnswer:
    answers = [
        schemas.PlatformAnswer(
            hardware=item.best.platform_name,
            hardware_category=item.best.platform_category,
            best_config=config_answer(item.best),
            total_configs=item.total_configs,
        )
        for item in platforms
    ]
    return schemas.ModelAnswer(
        model_name=row.model_name,
        lora_adapter=row.lora_adapter,
        best_hardware=answers[0] if answers else _scores_only(row),
        total_hardware_platforms=row.total_platforms,
        qualifying_platforms=row.qualifying_platforms,
        all_hardware_platforms=answers,
    )


def _scores_only(row: ModelRow) -> schemas.PlatformAnswer:
    """Return the place of a best configuration for a variant that has scores but no run."""
    names = dict.fromkeys(schemas.ConfigAnswer.model_fields)
    config: dict[str, Any] = names | {
        "model_name": row.model_name,
        "quantization": row.quantization,
        "lora_adapter": row.lora_adapter,
        "quality_score": row.quality_score,
        "quality_protocol": row.quality_protocol,
        "quality_ranked": row.quality_ranked,
        "runs": 0,
    }
    return schemas.PlatformAnswer(
        hardware=None,
        hardware_category=None,
        best_config=schemas.ConfigAnswer(**config),
        total_configs=0,
    )


def line_answer(run: TestRun, overall_score: float | None, runs: int) -> schemas.LineAnswer:
    """Return a run as a line of a list; `runs` is how many it stands for."""
    return schemas.LineAnswer(
        id=run.pk,
        model_name=run.variant.model_name,
        quantization=run.variant.quantization,
        backend=run.backend,
        hardware_summary=run.hardware.summary,
        overall_score=overall_score,
        timestamp=run.started_at,
        status=run.status,
        runs=runs,
    )


def _subject_fields(subject: Subject) -> dict[str, Any]:
    run = subject.run
    return {
        "id": run.pk,
        "name": subject.name,
        "model": run.variant.model_name,
        "quantization": run.variant.quantization,
        "lora_adapter": run.variant.lora_adapter,
        "backend": run.backend,
        "hardware": run.hardware.platform.name,
        "overall_score": subject.overall_score,
        "performance": schemas.PerformanceAnswer(**subject.performance),
    }


def comparison_answer(comparison: Comparison) -> schemas.ComparisonAnswer:
    """Return two or more runs side by side, in the order asked for."""
    subjects = [
        schemas.SubjectAnswer(**_subject_fields(subject)) for subject in comparison.subjects
    ]
    comparability = comparison.comparability
    return schemas.ComparisonAnswer(
        config_a=subjects[0],
        config_b=subjects[1],
        configs=subjects,
        categories=[
            schemas.ComparedCategory(
                benchmark=row.benchmark.slug,
                name=row.name,
                score_a=row.scores[0],
                score_b=row.scores[1],
                scores=list(row.scores),
            )
            for row in comparison.category_rows
        ],
        comparability=schemas.ComparabilityAnswer(
            verdict=comparability.verdict,
            differences=[
                schemas.DifferenceAnswer(
                    field=item.field, values=redact(item.values), effect=item.effect
                )
                for item in comparability.differences
            ],
            metrics=dict(comparability.metrics),
            scores=dict(comparability.scores),
        ),
        benchmark_used=comparison.benchmark.slug if comparison.benchmark else None,
    )


def detail_answer(detail: RunDetail, benchmark: Benchmark | None) -> schemas.DetailAnswer:
    """Return everything about a run; its overall score is the current one on the benchmark."""
    run = detail.run
    subject = Subject(
        run=run,
        overall_score=_current_score(detail, benchmark),
        performance=headline_means(detail.measurements),
    )
    return schemas.DetailAnswer(
        config=schemas.DetailSubject(
            **_subject_fields(subject),
            backend_version=run.backend_version,
            status=run.status,
            test_run_date=run.started_at,
        ),
        categories=_categories(detail),
        scores=_scores(detail),
        system_info=_system_info(run),
        workload=schemas.Workload.model_validate(run).model_copy(
            update={"dataset_name": redact(run.dataset_name)}
        ),
        metrics=[schemas.MetricAnswer.model_validate(item) for item in detail.measurements],
        warnings=[schemas.ProblemAnswer(**warning) for warning in redact(run.warnings)],
        provenance=_provenance(run, detail.origin),
        history=[schemas.HistoryEntry.model_validate(line) for line in detail.history],
        benchmark_used=benchmark.slug if benchmark else None,
    )


def _current_score(detail: RunDetail, benchmark: Benchmark | None) -> float | None:
    for entry in detail.scores:
        if entry.score.benchmark == benchmark and entry.score.is_current:
            return entry.score.score
    return None


def _categories(detail: RunDetail) -> list[schemas.DetailCategory]:
    return [
        schemas.DetailCategory(
            benchmark=entry.score.benchmark.slug,
            name=category.category,
            score=category.score,
            total_questions=category.total,
            correct_answers=category.correct,
        )
        for entry in detail.scores
        for category in entry.categories
    ]


def _scores(detail: RunDetail) -> list[schemas.DetailScore]:
    return [
        schemas.DetailScore(
            id=score.pk,
            benchmark=score.benchmark.slug,
            score=score.score,
            stderr=score.stderr,
            total_questions=score.total,
            correct_answers=score.correct,
            protocol=score.protocol_key,
            complete=score.complete,
            is_current=score.is_current,
            measured_at=score.measured_at,
        )
        for score in (entry.score for entry in detail.scores)
    ]


def _system_info(run: TestRun) -> schemas.SystemInfo:
    hardware = run.hardware
    return schemas.SystemInfo(
        gpu_model=hardware.gpu_model,
        gpu_count=hardware.gpu_count,
        gpu_memory_gb=hardware.gpu_memory_gb,
        cpu_model=hardware.cpu_model,
        cpu_arch=hardware.cpu_arch,
        ram_gb=hardware.ram_gb,
        ram_type=hardware.ram_type,
        virtualization_type=hardware.virtualization_type,
        optimizations=redact(run.optimizations),
        category=hardware.platform.category,
        platform=hardware.platform.name,
    )


def _provenance(run: TestRun, origin: UploadItem | None) -> schemas.Provenance:
    found = provenance_of(origin)
    return schemas.Provenance(
        upload_id=found.upload_id if found else None,
        sha256=found.sha256 if found else None,
        file_name=found.file_name or None if found else None,
        format=found.format if found else None,
        tool=run.tool,
        tool_version=run.tool_version,
        parser_version=found.parser_version if found else None,
        uploaded_at=found.received_at if found else None,
        source_url=redact_text(run.source_url) if run.source_url else None,
    )
