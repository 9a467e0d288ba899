"""What the files of llama-bench tell, for the tables of docs/formats.md."""

from dataclasses import replace

from experiments.formats.base import About, RunFacts

_RUN_FOR_EACH = "`tg` row, unpaired `pp` row, `pg` row"
_ROW = RunFacts(
    model="○ file, else ?",
    quantization="○",
    backend="●",
    gpu="●",
    gpus_used="○",
    cpu="●",
    lengths="●",
    load="○ 1 user",
    depth="●",
    speeds="●",
    power="○ size",
    when="●",
)
_TEXT_ROW = replace(_ROW, depth="as JSON", speeds="● no samples")

JSON = About(
    what="`llama-bench -o json` and `-o jsonl`",
    run_for_each=_RUN_FOR_EACH,
    says="model file, quantization, build, devices, depth",
    facts=(
        replace(_ROW, version="builds of 2023 (b1275)", backend="○ ●", depth="○ 0"),
        replace(_ROW, version="b4461", depth="○ 0"),
        replace(_ROW, version="b5606 and later"),
    ),
)
CSV = About(
    what="`llama-bench -o csv`",
    run_for_each=_RUN_FOR_EACH,
    says="what its JSON says, without single samples",
    facts=(_TEXT_ROW,),
)
SQL = About(
    what="`llama-bench -o sql`, read as text, never executed",
    run_for_each=_RUN_FOR_EACH,
    says="what its CSV says",
    facts=(_TEXT_ROW,),
)
MARKDOWN = About(
    what="`llama-bench -o md`: one table or several, with titles and logs around them",
    run_for_each=_RUN_FOR_EACH,
    says="architecture, quantization, build, flags not at their default; devices where the log "
    "stands above the table",
    asks="the model, and the hardware where no log stands there",
    facts=(
        replace(
            _ROW,
            model="?",
            backend="○ footer",
            gpu="○ log, else ?",
            gpus_used="○ log",
            cpu="?",
            speeds="● rounded",
            when="–",
        ),
    ),
)
WRAPPED = About(
    what="rows in a script's records: `bench_raw` with one row, `raw` with a list",
    run_for_each=_RUN_FOR_EACH,
    says="what the rows say, and the script's sensors and words",
    facts=(replace(_ROW, depth="as JSON", power="● where the script read sensors"),),
)
