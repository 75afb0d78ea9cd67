import psutil

from vlmrm.machine import memory


def test_a_container_has_what_its_limit_leaves(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP_LIMIT", tmp_path / "memory.max")
    whole = psutil.virtual_memory().total // 1_000_000
    assert memory.main_memory() == whole  # without control groups
    for limit, expected in ((1_500_000_000, 1500), (10**15, whole), ("max", whole)):
        memory.CGROUP_LIMIT.write_text(f"{limit}\n")
        assert memory.main_memory() == expected
