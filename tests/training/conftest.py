import multiprocessing
import os

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small are slower on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def quick_workers():
    """Forks workers from a process that has their imports, which take a second when spawned.

    Trainings in processes of their own spawn theirs: only the parent of that process can use it.
    """
    quick, real = multiprocessing.get_context("forkserver"), multiprocessing.get_context
    quick.set_forkserver_preload(["tests.training.toy", "vlmrm.training.vec_env.worker"])
    parent = os.getpid()

    def get_context(method=None):
        return quick if method == "spawn" and os.getpid() == parent else real(method)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", get_context)
        yield
