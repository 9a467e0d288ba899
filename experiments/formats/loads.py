"""The load that a client put on a server, as serving tools state it."""

import math
from dataclasses import dataclass

from experiments.formats.documents import WorkloadDocument

ALL_AT_ONCE = "all at once"


@dataclass(frozen=True, kw_only=True)
class ClientLoad:
    """How a client sent its requests.

    `rate` is in requests per second, None or infinite where requests are sent as soon as they may
    be; `limit` is how many may be in flight, None where nothing limits them; `requests` is how many
    there were. `burstiness` is the shape of gamma-distributed gaps, 1 being a Poisson process.
    """

    rate: float | None
    limit: int | None
    requests: int | None
    burstiness: float | None = None
    constant: bool = False


def serving_workload(
    load: ClientLoad,
    *,
    input_tokens: float | None,
    output_tokens: float | None,
    configured_input_tokens: int | None = None,
    configured_output_tokens: int | None = None,
    dataset_name: str | None = None,
) -> WorkloadDocument:
    """Return the workload of a client that called a server; token lengths are means per request.

    A rate that is given is the load, and a limit beside it part of its pattern: how many were in
    flight is then an outcome. Without a rate the limit is the load; without either all requests
    are sent at once, and their number is how many were in flight.
    """
    rate = load.rate if load.rate is not None and math.isfinite(load.rate) else None
    concurrency = load.limit if load.limit is not None else load.requests
    return WorkloadDocument(
        load_kind="serving",
        concurrent_requests=None if rate else concurrency or None,
        request_rate=rate or None,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        configured_input_tokens=configured_input_tokens,
        configured_output_tokens=configured_output_tokens,
        load_pattern=_pattern(load, rate),
        dataset_name=dataset_name,
    )


def _pattern(load: ClientLoad, rate: float | None) -> str | None:
    if not rate:
        return ALL_AT_ONCE if load.limit is None and load.requests else None
    if load.constant:
        pattern = "constant rate"
    elif load.burstiness in (None, 1):
        pattern = "Poisson arrivals"
    else:
        pattern = f"gamma arrivals, burstiness {load.burstiness:g}"
    return pattern if load.limit is None else f"{pattern}, at most {load.limit} in flight"
