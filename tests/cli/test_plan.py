from pathlib import Path

import pytest

from tests.plan.jobs import LAPTOP, PAPER, ROOT, fetching, training
from vlmrm.cli.plan import plan as command
from vlmrm.cli.plan import plan_table
from vlmrm.errors import UserError
from vlmrm.plan.cost import make_plan

pytestmark = pytest.mark.usefixtures("quick_dry_runs")


def test_the_table_has_a_row_for_each_rule_and_a_total():
    jobs = [fetching("RN50"), training("oracle"), training("oracle")]
    table = plan_table(make_plan(jobs, PAPER, LAPTOP), LAPTOP)
    names, counts = (list(column.cells) for column in table.columns[:2])
    assert names == ["train_policy (humanoid)", "fetch_model", "total"]
    assert counts == ["2", "1", "3"]


@pytest.fixture
def nothing_done(tmp_path, monkeypatch):
    """A folder with the configurations, and without results."""
    for name in ("config", "config.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("nothing_done")
def test_on_the_command_line(capsys):
    command(Path("config.yaml"), ["results/paper/figures/landscape-mountain-car.svg"], "h200")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("On one NVIDIA H200 beside 16 cores (")
    rows = {line.split()[0]: line.split() for line in lines[2:]}
    # 181 states in two scenes, embedded by four models.
    assert rows["embed_frames"][1:4] == ["8", "-", "1,448"]
    assert rows["fetch_model"][1] == "4"
    assert "total" in rows


@pytest.mark.usefixtures("nothing_done")
def test_figures_on_the_command_line(capsys):
    targets = [f"results/paper/figures/{name}.svg" for name in ("landscape-mountain-car", "poses")]
    command(Path("config.yaml"), targets, "rtx3090", by="figure")
    title, header, first, second, *batches = capsys.readouterr().out.splitlines()
    assert "RTX 3090" in title
    assert header.split()[-4:] == ["hours", "saved", "without", "it"]
    assert first.split()[:2] == ["landscape", "mountain-car"]
    assert second.split()[:2] == ["poses", "1"]
    assert any(line.split()[0] == "ViT-bigG-14" for line in batches)


@pytest.mark.usefixtures("nothing_done")
def test_contradictions_and_unknown_files_are_reported():
    config = Path("config.yaml")
    with pytest.raises(UserError, match="--gpus: belongs to --machine"):
        command(config, gpus=2)
    with pytest.raises(UserError, match=r"config\.yaml: .*nothing\.svg"):
        command(config, ["results/paper/nothing.svg"], machine="h200")


def test_for_this_machine_a_plan_has_the_problems_of_a_start(monkeypatch, capsys):
    monkeypatch.setattr("vlmrm.cli.plan.planned_jobs", lambda *_: [training("ViT-L-14")])
    monkeypatch.setattr("vlmrm.cli.plan.find_problems", lambda *_: "no hub\nno disk")
    command(ROOT / "config.yaml")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Warning: a run here would not start: no hub",
        "Warning: a run here would not start: no disk",
    ]
    command(ROOT / "config.yaml", machine="h200")
    assert "Warning" not in capsys.readouterr().out
