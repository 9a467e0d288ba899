"""What is in the database of all that some files name, read once for all of them."""

from collections.abc import Sequence
from uuid import UUID

from benchmarks.catalogue import benchmark_slug
from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.services import find_variants
from experiments.formats.stored import StoredScore
from experiments.ingest.resolve import ResolvedModel, ResolvedRun
from experiments.ingest.rows import sweep_key
from experiments.models import TestRun, Upload
from experiments.reparse.items import Course, score_ids
from experiments.reparse.reading import Reading
from hardware.models import HardwareProfile
from hardware.services import ResolvedHardware


class Known:
    """What is in the database of all that the readings name, read once for all of them."""

    def __init__(self, readings: Sequence[Reading], course: Course) -> None:
        self.course = course
        runs = [run for reading in readings for run in reading.resolved.runs]
        models = [run.model for run in runs]
        scores = [pair for reading in readings for pair in reading.scores]
        models += [model for model, _score in scores]
        self.variants = find_variants({model.model_name for model in models})
        self.runs = set(
            TestRun.objects.filter(pk__in=[run.id for run in runs]).values_list("pk", flat=True)
        )
        slugs = {benchmark_slug(score.benchmark) for _model, score in scores}
        self.benchmarks = Benchmark.objects.in_bulk(slugs, field_name="slug") if slugs else {}
        self.scores = score_ids({model.key for model, _score in scores})
        stated = {
            score.id: score.origin.content_key
            for _model, score in scores
            if isinstance(score, StoredScore)
        }
        here = BenchmarkScore.objects.filter(pk__in=stated).values_list("pk", "content_key")
        self.content_keys = {pk: key for pk, key in here if stated[pk] == key} if stated else {}
        self._profiles: dict[ResolvedHardware, HardwareProfile | None] = {}

    def has_run(self, run_id: UUID) -> bool:
        """Tell whether a run is here, or was found in an earlier file."""
        return run_id in self.runs or run_id.hex in self.course.found

    def variant(self, model: ResolvedModel) -> ModelVariant | None:
        """Return the stored variant of a model."""
        return self.variants.get(model.key)

    def profile(self, hardware: ResolvedHardware) -> HardwareProfile | None:
        """Return the stored machine of resolved hardware: one query for each distinct one."""
        if hardware not in self._profiles:
            found = HardwareProfile.objects.with_identity(hardware.identity)
            self._profiles[hardware] = found.first()
        return self._profiles[hardware]

    def sweep_key(self, run: ResolvedRun, upload: Upload) -> str:
        """Return the key of a run's sweep, "new" where its variant or machine is not here yet."""
        if not (run.document.sweep or run.document.sweep_group):
            return ""
        variant, profile = self.variant(run.model), self.profile(run.hardware)
        if variant is None or profile is None:
            return "new"
        return sweep_key(run, upload.content_id, variant, profile)
