"""The runs of a file as what its parser returns, or why the file is refused."""

from collections.abc import Sequence

from experiments.formats.documents import InvalidFileError, ParsedFile, Problem, RunDocument


def file_of_runs(
    runs: Sequence[RunDocument],
    warnings: Sequence[Problem],
    problems: Sequence[Problem],
    *,
    failed: str | None = None,
) -> ParsedFile:
    """Return a file of runs; raises InvalidFileError with the problems where there are any.

    `failed` is the warning that a failed run has: where all have failed, those are the problems.
    """
    if problems:
        raise InvalidFileError(*problems)
    if failed and runs and all(run.status == "failed" for run in runs):
        raise InvalidFileError(*(item for item in warnings if item.message == failed))
    return ParsedFile(runs=tuple(runs), warnings=tuple(warnings))
