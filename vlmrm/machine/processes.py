"""Work that several processes share."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from vlmrm.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count(items: int, workers: int | None = None) -> int:
    """Processes for a number of items: at most one each, by default one per available core."""
    available = len(os.sched_getaffinity(0))
    return min(available if workers is None else max(workers, 1), items)


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None = None
) -> Iterator[Result]:
    """Applies a function to items; yields the results in order.

    Work is done only slightly ahead of its use, so memory stays small however slow the caller is.
    Several workers are spawned processes: a script that uses them needs an
    ``if __name__ == "__main__":`` guard.

    Args:
        function: A function of a module, or a `functools.partial` of one.
        items: Its arguments.
        workers: Processes; by default one per available core. 1 works in this process.

    Raises:
        UserError: Several processes cannot work together here, or one of them was ended.
    """
    workers = worker_count(len(items), workers)
    if workers <= 1:
        yield from map(function, items)
        return
    # Forked processes would share OpenGL's state with this one; spawned processes do not.
    try:
        executor = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_end_with_parent
        )
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        # Its locks are files.
        raise UserError(
            f"/dev/shm: {error.strerror}, but several processes need it; make it writable, or give "
            "each job one core"
        ) from error
    try:
        submitted = (executor.submit(function, item) for item in items)
        pending = deque(itertools.islice(submitted, 2 * workers))
        while pending:
            result = pending.popleft().result()
            pending.extend(itertools.islice(submitted, 1))
            yield result
    except BrokenProcessPool as error:
        raise UserError(
            "one of several processes was ended, usually for lack of memory; run again with fewer "
            "`--workers`, or give the job fewer cores"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Ends this worker when its parent is killed; otherwise it would wait forever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
