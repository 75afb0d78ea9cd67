import pytest

from vlmrm.errors import UserError
from vlmrm.machine.machines import MACHINES, load_machine


def test_machines_are_known_or_described_by_a_file(tmp_path):
    for machine in MACHINES.values():
        assert "stated, not measured" in machine.title
    with pytest.raises(UserError, match="--machine: unknown name 'h20'; did you mean 'h200'"):
        load_machine("h20")
    file = tmp_path / "mine.yaml"
    file.write_text("{title: mine, cores: 4, gpus: 1, flops: 1e+13, small_flops: 1e+12}")
    with pytest.raises(UserError, match=r"mine\.yaml: update: Field required"):
        load_machine(str(file))
    file.write_text("- mine")
    with pytest.raises(UserError, match=r"mine\.yaml: Input should be a valid dictionary"):
        load_machine(str(file))
    file.write_text("{title: mine, cores: 4, flops: .inf, small_flops: 1e+12, update: 0.01}")
    with pytest.raises(UserError, match=r"mine\.yaml: flops: Input should be a finite number"):
        load_machine(str(file))
    file.write_text("{title: mine, cores: 4, flops: 1e+13, small_flops: 1e+12, update: 0.01}")
    assert load_machine(str(file)).cores == 4
