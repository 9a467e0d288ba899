"""How a model is spread over GPUs, as the flags of servers say it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.formats.fields import MOST_GPUS
from experiments.formats.numbers import first_whole


@dataclass(frozen=True, kw_only=True)
class Parallelism:
    """Degrees of parallelism, None where a tool does not say."""

    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None

    @property
    def gpus(self) -> int | None:
        """How many GPUs that takes: each replica is spread over tensor × pipeline of them.

        Experts live on the GPUs that are there. None where the tensor degree is not known, which
        without a word may be more than 1.
        """
        if self.tensor is None:
            return None
        gpus = math.prod(degree or 1 for degree in (self.tensor, self.pipeline, self.data))
        return gpus if gpus <= MOST_GPUS else None


def degree(settings: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these settings that is a degree of parallelism, also written as text."""
    return first_whole(settings, *names, most=MOST_GPUS)
