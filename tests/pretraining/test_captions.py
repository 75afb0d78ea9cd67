import numpy as np
import pytest
import yaml

from tests.paths import ROOT
from vlmrm.config import load_config
from vlmrm.pretraining.captions import state_facts, write_caption
from vlmrm.pretraining.phrases import GENERIC, LEADING, OPENINGS, PHRASES


def every_caption_of_one_fact():
    for environment, facts in PHRASES.items():
        yield from GENERIC[environment]
        for phrases in facts.values():
            for opening in OPENINGS[environment]:
                yield from (f"{opening} {p}" for value in phrases.values() for p in value)


@pytest.mark.parametrize("path", ["config.yaml", "config/demo.yaml", "config/smoke.yaml"])
def test_no_caption_equals_a_task_prompt(path):
    # Captions of several facts join them with commas; prompts with commas are about other things.
    captions = {caption.lower() for caption in every_caption_of_one_fact()}
    rng = np.random.default_rng(0)
    for facts in (
        {"posture": p, "arms": a, "legs": "together"}
        for p in PHRASES["humanoid"]["posture"]
        for a in PHRASES["humanoid"]["arms"]
    ):
        captions |= {write_caption("humanoid", facts, rng).text for _ in range(40)}
    tasks = load_config(ROOT / path).tasks.values()
    prompts = {sentence for task in tasks for sentence in task.goals + task.baselines}
    assert not captions & {prompt.lower() for prompt in prompts}


def test_no_caption_equals_a_paraphrase():
    # They measure how much the wording of a sentence matters (docs/packaged-models.md).
    path = ROOT / "vlmrm" / "diagnosis" / "paraphrases.yaml"
    paraphrases = [text for texts in yaml.safe_load(path.read_text()).values() for text in texts]
    assert len(set(paraphrases)) == 84
    assert not set(every_caption_of_one_fact()) & set(paraphrases)
    arms = [p for phrases in PHRASES["humanoid"]["arms"].values() for p in phrases]
    assert not any(text.endswith(f", {phrase}") for text in paraphrases for phrase in arms)


@pytest.mark.parametrize(
    ("environment", "state", "fact"),
    [
        ("cartpole", [0, 0, 0, 0], "none"),
        ("cartpole", [0, 0, 0.1, 0], "slight-right"),
        ("cartpole", [0, 0, -0.35, 0], "clear-left"),
        ("cartpole", [0, 0, np.pi, 0], "down"),
        ("mountain-car", [-0.5, 0], "valley"),
        ("mountain-car", [0.44, 0], "right-high"),
        ("mountain-car", [0.46, 0], "summit"),
        ("mountain-car", [0.5, 0], "summit"),
        ("mountain-car", [-1.2, 0], "left-top"),
    ],
)
def test_facts_of_classic_control(environment, state, fact):
    facts = state_facts(environment, np.array([state]))[0]
    assert facts[LEADING[environment]] == fact
    assert {f: v in PHRASES[environment][f] for f, v in facts.items()} == dict.fromkeys(facts, True)


@pytest.mark.parametrize(
    ("x", "theta", "facts"),
    [
        (2.3, 0, {"lean": "none", "cart": "far-right"}),
        (2.5, 0, {}),
        (2.5, -1, {"lean": "strong-left"}),  # the pole leans into the frame
        (-3.4, 1, {}),
        (-2.5, -1, {}),
    ],
)
def test_captions_of_cartpole_are_about_what_is_in_sight(x, theta, facts):
    assert state_facts("cartpole", np.array([[x, 0, theta, 0]])) == [facts]


def test_captions_are_varied_and_repeatable():
    facts = {"posture": "kneeling", "arms": "raised", "legs": "together"}

    def captions(seed):
        rng = np.random.default_rng(seed)
        return [write_caption("humanoid", facts, rng).text for _ in range(200)]

    assert captions(0) == captions(0)
    assert len(set(captions(0))) > 100


def test_captions_state_only_clear_facts():
    rng = np.random.default_rng(0)
    generic = set(GENERIC["humanoid"])
    arms = {phrase for phrases in PHRASES["humanoid"]["arms"].values() for phrase in phrases}
    for _ in range(50):
        assert write_caption("humanoid", {}, rng).text in generic
        caption = write_caption("humanoid", {"arms": "raised"}, rng).text
        stated = {phrase for phrase in arms if caption.endswith(phrase)}
        assert stated & set(PHRASES["humanoid"]["arms"]["raised"])
