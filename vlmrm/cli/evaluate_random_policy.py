"""``vlmrm evaluate-random-policy``."""

from __future__ import annotations

from vlmrm.cli.options import ConfigFile, Output, TaskName, Workers, pick
from vlmrm.config import RANDOM_POLICY, TrainingRun, default_scene, load_config
from vlmrm.data.tables import write_table


def evaluate_random_policy(
    config: ConfigFile, task: TaskName, output: Output, workers: Workers = None
) -> None:
    """Evaluate uniformly random actions with the task's oracle, for comparison."""
    content = load_config(config)
    pick(content.training, "training", pick(content.tasks, "tasks", task).environment)
    settings = content.random_evaluation_settings(task)
    from vlmrm.training.evaluation import evaluate, with_run

    scene = default_scene(settings.environment)
    run = TrainingRun(task=task, scene=scene, reward_source=RANDOM_POLICY, seed=0)
    table, _ = evaluate(None, settings, workers)
    write_table(output, with_run(table, run))
