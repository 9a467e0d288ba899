"""Writing a load straight into the tables by COPY: rows as uploads make them, without uploads."""

import json
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection, transaction

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.services import Protocol, refresh_current_scores
from benchmarks.totals import TotalMethod
from benchsite.backups.tables import load
from benchsite.common.locks import take_write_lock
from benchsite.common.review import ReviewState
from experiments.choices import MeasuredAs
from experiments.formats.documents import SetupDocument, WorkloadDocument
from experiments.ingest.keys import digest, load_class, settings_key, workload_key
from experiments.load.plan import Plan, PlannedConfiguration, figures
from experiments.summaries import refresh_everything
from hardware.models import HardwareProfile
from hardware.services import HardwareFacts, get_or_create_profile, resolve_hardware

RUNS_A_BATCH = 20_000
BENCHMARK = "mmlu"
PROTOCOL = Protocol(harness="lm-eval", shots=5)
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
BETWEEN_RUNS = timedelta(seconds=15)

_METRICS = (
    ("tokens_per_second", "wall_clock", "tok/s"),
    ("prompt_processing_speed", "prefill", "tok/s"),
    ("ttft_ms", "client", "ms"),
    ("tpot_ms", "excl_first", "ms"),
    ("e2e_latency_ms", r"\N", "ms"),
    ("memory_usage_gb", r"\N", "GB"),
    ("gpu_power_watts", r"\N", "W"),
    ("tokens_per_kwh", r"\N", "tok/kWh"),
)
_CONFIGURATION_COLUMNS = (
    "id, variant_id, platform_id, backend, backend_version, workload_key, settings_key, "
    "load_class, load_kind, runs, tops"
)
_RUN_COLUMNS = (
    "id, started_at, created_at, content_hash, variant_id, hardware_id, configuration_id, backend, "
    "backend_version, load_kind, concurrent_requests, input_tokens, output_tokens, "
    "reported_names, warnings, optimizations, settings, status, complete, zone_known, "
    "review_state, review_reason"
)
_MEASUREMENT_COLUMNS = "run_id, metric, statistic, definition, value, unit, context"

_TABLES = (
    "benchmarks_modelvariant",
    "benchmarks_benchmarkscore",
    "experiments_configuration",
    "experiments_testrun",
    "experiments_measurement",
    "experiments_gridmodel",
    "experiments_gridplace",
    "experiments_gridcell",
    "experiments_repeatfigures",
)

Progress = Callable[[str, int, int], None]


class LoadError(Exception):
    """The load cannot be written here."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How much was written."""

    configurations: int
    runs: int
    measurements: int
    scores: int


def write_load(plan: Plan, progress: Progress) -> Loaded:
    """Write a plan in batches, each a transaction; LoadError where this very load is here already.

    `progress` hears what is being written, how many of it are done, and how many there are.
    """
    writer = _Writer(plan)
    with transaction.atomic():
        take_write_lock()
        writer.write_subjects()
        writer.write_configurations()
    runs = len(plan.configuration_of_run)
    for start in range(0, runs, RUNS_A_BATCH):
        with transaction.atomic():
            take_write_lock()
            writer.write_runs(start, min(start + RUNS_A_BATCH, runs))
        progress("runs", min(start + RUNS_A_BATCH, runs), runs)
    _analyze()
    with transaction.atomic():
        take_write_lock()
        refresh_everything(partial(progress, "summaries"))
    _analyze()
    return Loaded(
        configurations=len(plan.configurations),
        runs=runs,
        measurements=runs * len(_METRICS),
        scores=sum(variant.score is not None for variant in plan.variants),
    )


class _Writer:
    """Writes the parts of a plan, and knows the rows that the later ones refer to."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._rng = random.Random(f"figures {plan.seed}")  # noqa: S311 - no secret
        self._variants: list[ModelVariant] = []
        self._profiles: list[HardwareProfile] = []
        self.configuration_ids: range = range(0)

    def write_subjects(self) -> None:
        """Write variants with their scores, and machines."""
        self._variants = [
            ModelVariant(
                id=uuid.UUID(int=self._rng.getrandbits(128), version=4),
                model_name=item.model_name,
                quantization=item.quantization,
                lora_adapter=item.lora_adapter,
                weights_gb=item.weights_gb,
            )
            for item in self.plan.variants
        ]
        first = self._variants[0]
        if ModelVariant.objects.filter(model_name=first.model_name).exists():
            raise LoadError("A generated load is here already; use an empty database for another.")
        ModelVariant.objects.bulk_create(self._variants, batch_size=500)
        self._write_scores()
        self._profiles = [
            get_or_create_profile(
                resolve_hardware(
                    HardwareFacts(
                        gpu_models=(machine.gpu_model,),
                        gpu_count=machine.gpu_count,
                        gpu_memory_gb=machine.gpu_memory_gb,
                    )
                )
            )
            for machine in self.plan.machines
        ]

    def _write_scores(self) -> None:
        benchmark = Benchmark.objects.get(slug=BENCHMARK)
        scores = [
            BenchmarkScore(
                id=uuid.UUID(int=self._rng.getrandbits(128), version=4),
                variant=variant,
                benchmark=benchmark,
                score=min(planned.score, 99.0),
                total_method=TotalMethod.STATED,
                harness=PROTOCOL.harness,
                shots=PROTOCOL.shots,
                protocol_key=PROTOCOL.key,
                measured_at=STARTED_AT,
                review_state=ReviewState.PUBLISHED,
                content_key=digest([self.plan.seed, place]),
            )
            for place, (variant, planned) in enumerate(
                zip(self._variants, self.plan.variants, strict=True)
            )
            if planned.score is not None
        ]
        BenchmarkScore.objects.bulk_create(scores, batch_size=500)
        refresh_current_scores([score.variant_id for score in scores])

    def write_configurations(self) -> None:
        """Write the configurations, their summaries still empty."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM experiments_configuration")
            first = cursor.fetchone()[0] + 1
            self.configuration_ids = range(first, first + len(self.plan.configurations))
            _copy("experiments_configuration", _CONFIGURATION_COLUMNS, self._configuration_lines())
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('experiments_configuration', 'id'), %s)",
                [self.configuration_ids[-1]],
            )

    def _configuration_lines(self) -> Iterator[str]:
        same_settings = settings_key(SetupDocument())
        for pk, item in zip(self.configuration_ids, self.plan.configurations, strict=True):
            workload = _workload(item)
            key = workload_key(workload, None).replace("\\", r"\\")
            yield (
                f"{pk}\t{self._variants[item.variant].pk}\t"
                f"{self._profiles[item.machine].platform_id}\t{item.backend}\t"
                f"{item.backend_version}\t{key}\t{same_settings}\t{load_class(workload).value}\t"
                f"{MeasuredAs(item.load_kind).value}\t0\t0\n"
            )

    def write_runs(self, start: int, end: int) -> None:
        """Write the runs from `start` up to `end`, and their measurements."""
        runs: list[str] = []
        measurements: list[str] = []
        facts: dict[int, str] = {}
        for number in range(start, end):
            place = self.plan.configuration_of_run[number]
            item = self.plan.configurations[place]
            at = STARTED_AT + number * BETWEEN_RUNS
            run_id = self._run_id(at)
            if place not in facts:
                facts[place] = self._facts(place, item)
            runs.append(f"{run_id}\t{at}\t{at}\t{run_id.hex:0>64}\t{facts[place]}")
            values = figures(self._rng, self.plan, item)
            for (metric, definition, unit), value in zip(_METRICS, values, strict=True):
                measurements.append(
                    f"{run_id}\t{metric}\tmean\t{definition}\t{value:.6g}\t{unit}\t{{}}\n"
                )
        _copy("experiments_testrun", _RUN_COLUMNS, runs)
        _copy("experiments_measurement", _MEASUREMENT_COLUMNS, measurements)

    def _facts(self, place: int, item: PlannedConfiguration) -> str:
        """Return what all runs of a configuration say alike."""
        nothing = json.dumps({})
        none = json.dumps([])
        return (
            f"{self._variants[item.variant].pk}\t{self._profiles[item.machine].pk}\t"
            f"{self.configuration_ids[place]}\t{item.backend}\t{item.backend_version}\t"
            f"{item.load_kind}\t{item.concurrency}\t{item.input_tokens}\t{item.output_tokens}\t"
            f"{nothing}\t{none}\t{none}\t{nothing}\tcompleted\tt\tt\tpublished\t\n"
        )

    def _run_id(self, at: datetime) -> uuid.UUID:
        # A 48-bit time, a version and a variant make an id that sorts by time (RFC 9562).
        milliseconds = int(at.timestamp() * 1000)
        return uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | self._rng.getrandbits(60))


def _workload(item: PlannedConfiguration) -> WorkloadDocument:
    return WorkloadDocument(
        load_kind=item.load_kind,
        concurrent_requests=item.concurrency,
        input_tokens=item.input_tokens,
        output_tokens=item.output_tokens,
    )


def _copy(table: str, columns: str, lines: Sequence[str] | Iterator[str]) -> None:
    """Send lines in COPY's text format."""
    load(table, columns.split(", "), ["".join(lines).encode()])


def _analyze() -> None:
    """Tell the planner what there is now, and which pages it may trust an index about."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(_TABLES)}")
