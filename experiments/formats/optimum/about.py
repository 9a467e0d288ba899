"""What the files of optimum-benchmark tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

_SAYS = "model, engine, machine, lengths, prefill, decode, memory, energy"
_FACTS = RunFacts(
    model="●",
    quantization="● scheme, ○ name or data type, else ?",
    backend="●",
    gpu="● CUDA",
    gpus_used="● device ids",
    cpu="●",
    lengths="●",
    load="○ batch",
    speeds="● prompt ○",
    power="● memory, energy",
)
JSON = About(
    what="optimum-benchmark `benchmark.json`: `config` and `report` together",
    run_for_each="benchmark",
    says=_SAYS,
    asks="the quantization where neither scheme, name nor data type says it",
    facts=(_FACTS,),
)
CSV = About(
    what="LLM-Perf leaderboard `perf-df-*.csv`: the same, a column for each leaf",
    run_for_each="row that did not fail",
    says=_SAYS,
    asks="the quantization where neither scheme, name nor data type says it",
    facts=(_FACTS,),
)
