import resource

import psutil
import pytest

from vlmrm.errors import UserError
from vlmrm.machine import memory
from vlmrm.machine.memory import main_memory, require_memory

WHOLE = psutil.virtual_memory().total // 1_000_000


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A machine without limits."""
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "cgroup")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr("resource.getrlimit", lambda limit: unlimited)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/", "memory.max"),
        ("0::/user.slice/session-2.scope", "memory.max"),  # the limit of a group above
        ("0::/user.slice/session-2.scope", "user.slice/memory.max"),
        ("4:cpu,memory:/slurm/job_7", "memory/slurm/job_7/memory.limit_in_bytes"),
        ("4:memory:/docker/12ab", "memory/memory.limit_in_bytes"),  # seen from within a container
    ],
)
def test_there_is_as_much_as_control_groups_leave(groups, line, file):
    assert main_memory() == WHOLE  # without control groups
    (groups / "cgroup").write_text(f"9:name=systemd:/\n{line}\n")
    assert main_memory() == WHOLE
    (groups / file).parent.mkdir(parents=True, exist_ok=True)
    for limit, expected in ((1_500_000_000, 1500), (2**63 - 4096, WHOLE), ("max", WHOLE)):
        (groups / file).write_text(f"{limit}\n")
        assert main_memory() == expected


def test_a_limit_of_the_process_counts(groups, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda limit: (2_000_000_000, -1))
    assert main_memory() == 2000


def test_a_setting_that_needs_more_is_named_with_its_need(monkeypatch):
    monkeypatch.setattr(memory, "main_memory", lambda: 8000)
    require_memory("agent.buffer_size", 7.9e9)
    message = (
        r"agent.buffer_size: needs about 31.0 GB of memory, but .* has 8.0 GB; choose a .*mem_mb"
    )
    with pytest.raises(UserError, match=message):
        require_memory("agent.buffer_size", 31e9)
