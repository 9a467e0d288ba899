"""Garbage collection where rows by ten thousands would have it look at all of them often."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def collected_on_call() -> Iterator[Callable[[], object]]:
    """Collect garbage when the function that is returned is called, and not in between.

    What is there already is looked at no more meanwhile. Without cycles (documents and rows have
    none) memory is given back at once as ever.
    """
    gc.freeze()
    gc.disable()
    try:
        yield gc.collect
    finally:
        gc.enable()
        gc.unfreeze()
