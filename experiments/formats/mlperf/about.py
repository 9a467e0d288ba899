"""What the files of MLPerf inference tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

_SYSTEM = "model, scenario, figure, system, accelerators, software"
SUMMARY = About(
    what="MLPerf inference `summary_results.json`; language models only",
    run_for_each="row of a language model",
    says=f"{_SYSTEM}, data type of the weights",
    asks="the backend where the software names no engine; quantization where no data type stands",
    facts=(
        RunFacts(
            model="● benchmark",
            quantization="● weights, else ?",
            backend="○ software, else ?",
            gpu="●",
            gpus_used="●",
            cpu="●",
            load="● scenario",
            speeds="● of the scenario",
            power="● some",
        ),
    ),
)
CSV = About(
    what="MLPerf inference `summary.csv` of the submission checker; language models only",
    run_for_each="row of a language model",
    says=_SYSTEM,
    asks="quantization; the backend where the software names no engine",
    facts=(
        RunFacts(
            model="● benchmark",
            quantization="?",
            backend="○ software, else ?",
            gpu="●",
            gpus_used="○ per node × nodes",
            cpu="●",
            load="● scenario",
            speeds="● of the scenario",
            power="● some",
        ),
    ),
)
LOADGEN = About(
    what="`mlperf_log_summary.txt` of MLPerf LoadGen, of a language model, when it is VALID",
    run_for_each="summary",
    says="scenario, rates, latencies, limits",
    asks="model, quantization, backend, GPU",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="?",
            gpu="?",
            load="● scenario, rate",
            speeds="● latencies too",
        ),
    ),
)
