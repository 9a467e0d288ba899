"""What the files of InferenceX tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

JSON = About(
    what="InferenceX (InferenceMAX) rows of 2025 and 2026",
    run_for_each="row",
    says="model, precision, engine, GPU and how many, load, lengths from v2 on",
    asks="lengths of v1",
    facts=(
        RunFacts(
            version="v1 (2025-10) and reduced rows",
            model="●",
            quantization="● precision",
            backend="● no version",
            gpu="●",
            gpus_used="● `tp`",
            lengths="? name of the file",
            load="●",
            speeds="●",
        ),
        RunFacts(
            version="v2 and v3",
            model="●",
            quantization="● precision",
            backend="● ○ image tag",
            gpu="●",
            gpus_used="●",
            lengths="● configured",
            load="●",
            speeds="●",
            power="● where valid",
        ),
    ),
)
CSV = About(
    what="InferenceX's web export",
    run_for_each="row",
    says="what its JSON says, with lengths",
    facts=(
        RunFacts(
            model="●",
            quantization="● precision",
            backend="● no version",
            gpu="●",
            gpus_used="● but disaggregated without counts",
            lengths="● configured",
            load="●",
            speeds="●",
            when="○ date, a setting",
        ),
    ),
)
