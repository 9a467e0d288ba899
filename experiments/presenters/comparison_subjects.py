"""What is compared, field by field: names, load and set-up of every run."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchsite.common.templatetags.figures import MISSING, known
from experiments.comparability import LOAD_FIELDS
from experiments.models import TestRun
from experiments.redaction import redact


@dataclass(frozen=True, kw_only=True)
class SubjectRow:
    """A field of what is compared, in every run."""

    group: str
    label: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it, or may: some state it, and others do not."""
        return len(set(self.values)) > 1

    @property
    def is_unknown(self) -> bool:
        """Whether those that state it state the same: whether they differ is not known."""
        return MISSING in self.values and len(set(self.values)) == 2


def subject_rows(runs: Sequence[TestRun]) -> tuple[SubjectRow, ...]:
    """Return what is compared: the names, and each field of load and set-up that a run states."""
    names: dict[str, list[object]] = {
        "Model": [run.variant.model_name for run in runs],
        "LoRA adapter": [run.variant.lora_adapter or None for run in runs],
        "Quantization": [run.variant.quantization for run in runs],
        "Platform": [run.hardware.platform for run in runs],
        "Machine": [run.hardware.summary for run in runs],
        "Backend": [run.backend for run in runs],
        "Backend version": [run.backend_version for run in runs],
    }
    load: dict[str, list[object]] = {
        "Kind of load": [run.get_load_kind_display() if run.load_kind else None for run in runs]
    }
    load |= {
        field.label: [redact(getattr(run, field.name)) for run in runs] for field in LOAD_FIELDS
    }
    setup: dict[str, list[object]] = {
        "Tensor parallel": [run.tensor_parallel for run in runs],
        "Pipeline parallel": [run.pipeline_parallel for run in runs],
        "Expert parallel": [run.expert_parallel for run in runs],
        "Nodes": [run.nodes for run in runs],
        "Speculation": [run.speculation for run in runs],
        "KV cache": [run.kv_cache_type for run in runs],
        "Optimizations": [", ".join(map(str, redact(run.optimizations))) or None for run in runs],
    }
    settings = [redact(run.settings) for run in runs]
    keys = sorted({key for found in settings for key in found})
    setup |= {f"Setting {key}": [found.get(key) for found in settings] for key in keys}
    return tuple(
        SubjectRow(group=group, label=label, values=tuple(known(value) for value in values))
        for group, fields in (("Names", names), ("Load", load), ("Set-up", setup))
        for label, values in fields.items()
        if any(value is not None for value in values)
    )
