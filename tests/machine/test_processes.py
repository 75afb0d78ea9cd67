import errno
import functools
import operator
import os

import pytest

from vlmrm.errors import UserError
from vlmrm.machine.processes import map_in_processes, worker_count

DOUBLE = functools.partial(operator.mul, 2)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_whatever_the_number_of_processes(workers):
    assert list(map_in_processes(DOUBLE, range(9), workers)) == [2 * i for i in range(9)]


def test_no_process_beside_this_one_is_one_process():
    assert [worker_count(5, workers) for workers in (0, 1, 2, 9)] == [1, 1, 2, 5]


def test_nothing_is_done_far_ahead_of_its_use():
    class Items(list):
        taken = 0

        def __iter__(self):
            for item in super().__iter__():
                Items.taken += 1
                yield item

    results = map_in_processes(DOUBLE, Items(range(100)), 2)
    assert next(results) == 0
    assert Items.taken < 10
    results.close()


def test_there_are_no_more_processes_than_items_or_cores():
    assert worker_count(1, 8) == 1
    assert worker_count(1000) == len(os.sched_getaffinity(0))


def test_a_read_only_shm_is_named(monkeypatch):
    def semaphore(*arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", semaphore)
    with pytest.raises(UserError, match=r"/dev/shm: Read-only file system, .* one core"):
        next(map_in_processes(DOUBLE, range(9), 2))


def test_a_process_that_was_ended_is_named_with_what_to_do():
    with pytest.raises(UserError, match=r"was ended, usually for lack of memory; .*`--workers`"):
        list(map_in_processes(os._exit, range(4), 2))
