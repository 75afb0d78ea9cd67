from tests.plan.jobs import fetching, training
from vlmrm.plan.jobs import Job, jobs_by_figure, parse_dry_run


def test_the_jobs_of_a_dry_run_are_told_apart():
    text = (
        "Job stats:\nall 1\n\n[Mon]\nrule train_policy:\n"
        "    output: results/paper/policies/S-1.2/policy.zip, a/best.zip\n"
        "    input: resources/models/S-1.2/provenance.json, b/states.h5\n"
        "    wildcards: task=kneeling, scene=textured-fixed, reward_source=S-1.2, scoring=alpha-0,"
        " seed=0\n"
        "    threads: 64\n    resources: tmpdir=/tmp\nShell command: vlmrm --x a=b, c=d\n\n"
        "[Mon]\nlocalrule fetch_model:\n"
        "    output: resources/models/RN50/provenance.json (update)\n    jobid: 3\n"
        "    wildcards: model=RN50\n\n"
        "[Mon]\nrule draw_poses:\n    jobid: 4\n\nrule all:\n    input: a.h5\n    jobid: 0\n"
    )
    inputs = ("resources/models/S-1.2/provenance.json", "b/states.h5")
    outputs = ("results/paper/policies/S-1.2/policy.zip", "a/best.zip")
    assert parse_dry_run(text) == [
        training("S-1.2")._replace(inputs=inputs, outputs=outputs),
        fetching("RN50"),
        Job("draw_poses", {}),
    ]


def test_a_figure_costs_what_it_needs_and_nothing_else():
    def job(rule, output, *inputs, **wildcards):
        return Job(rule, wildcards, (output,), inputs)

    jobs = [
        job("draw_epic", "f/epic-k.svg", "t/k.csv", epic="k"),
        job("draw_epic_by_alpha", "f/alpha-k.svg", "t/k.csv", epic="k"),
        job("measure_epic", "t/k.csv", "e.h5", "m", epic="k"),
        job("embed_frames", "e.h5", "frames.h5", "m"),
        job("fetch_model", "m"),
        job("draw_success", "f/success.svg", "p", experiment="size"),
        job("train_policy", "p", "m"),
        job("draw_scenes", "f/scenes.svg", environment="humanoid"),
        job("draw_poses", "f/poses.svg"),
    ]
    needed = jobs_by_figure(jobs)
    assert {name: [job.rule for job in needed[name]] for name in needed} == {
        "epic k": [
            "draw_epic",
            "draw_epic_by_alpha",
            "measure_epic",
            "embed_frames",
            "fetch_model",
        ],
        "experiment size": ["fetch_model", "draw_success", "train_policy"],
        "scenes humanoid": ["draw_scenes"],
        "poses": ["draw_poses"],
    }
