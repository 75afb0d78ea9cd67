"""When the page of a run is made, and that nothing of the run is missing on it."""

import shutil
from pathlib import Path

from tests.paths import ROOT, smoke_all
from vlmrm.config import parse_config
from vlmrm.page.contents import contents, recorded_runs
from vlmrm.page.summary import video_of


def test_the_page_has_all_figures_tables_and_videos_of_the_workflow(fresh):
    config = parse_config(smoke_all())
    promised = {str(video_of(run)) for run in recorded_runs(config)}
    for section in contents(config):
        for exhibit in section.exhibits:
            suffixes = ["csv"] if exhibit.is_table else ["svg", "png"]
            folder = "tables" if exhibit.is_table else "figures"
            promised |= {f"{folder}/{exhibit.name}.{suffix}" for suffix in suffixes}
    outputs = {
        str(Path(output).relative_to("results/smoke"))
        for job in fresh.jobs(smoke_all())
        for output in job.outputs
        if output.startswith("results/smoke/")
    }
    made = {
        output
        for output in outputs
        if output.startswith(("figures/", "tables/")) or output.endswith("/video.mp4")
    }
    # The pairs behind a prediction and the generations of a search are in their figures.
    in_figures = ("tables/pairs-", "tables/generations-")
    assert {name for name in made if not name.startswith(in_figures)} == promised


def test_the_first_page_needs_no_agent(fresh, smoke):
    run = {"task": "kneeling", "scene": "textured-fixed", "reward_source": "smoke-S", "seed": 0}
    smoke["state_sets"]["met"] = {"sampler": "rollouts", "run": run, "size": 40}
    smoke["epic"]["met"] = {**smoke["epic"]["kneeling"], "states": "met"}
    rules = {*fresh.planned(smoke, "results/smoke/page/measurements")}
    assert {"update_page", "draw_landscape", "draw_epic", "draw_best_of_n"} <= rules
    assert not rules & {"train_policy", "evaluate_policy"}


def test_the_page_is_made_again_after_each_experiment_and_at_the_end(finished, whole):
    lines = [line for line in finished.shown.splitlines() if " finished " in line]
    titles = [line.split("finished")[1].split(" (")[0].strip() for line in lines]
    parts = {title for title in titles if title.startswith("update page: ")}
    assert parts == {
        "update page: measurements",
        *(f"update page: agents-{name}" for name in whole["experiments"]),
    }
    assert titles.index("make page") > titles.index("draw optimization: humanoid")
    assert (finished.folder / "results" / "smoke" / "index.html").exists()


def test_the_report_names_results_by_title(finished, whole, tmp_path):
    captions = Path("vlmrm", "page", "captions")
    shutil.copytree(ROOT / captions, finished.folder / captions)
    report = tmp_path / "report.html"
    run = finished.snakemake(whole, "--report", str(report))
    assert run.returncode == 0, run.stderr
    text = report.read_text()
    for title in ("Best of n states", "Claims", "EPIC distance by size of the model"):
        assert f'"figure or table": "{title}"' in text
    assert '"of": "kneeling"' in text
