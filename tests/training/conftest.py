import multiprocessing

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
    """Forks workers from a process that has their imports, which take a second when spawned."""
    quick, real = multiprocessing.get_context("forkserver"), multiprocessing.get_context
    quick.set_forkserver_preload(["tests.training.toy", "vlmrm.training.vec_env.worker"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            multiprocessing,
            "get_context",
            lambda method=None: quick if method == "spawn" else real(method),
        )
        yield real


@pytest.fixture
def spawned_workers(quick_workers, monkeypatch):
    """Starts workers as trainings outside tests do."""
    monkeypatch.setattr(multiprocessing, "get_context", quick_workers)
