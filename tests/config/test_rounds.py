from itertools import pairwise

import pytest

from tests.paths import smoke_all
from vlmrm.config import parse_config
from vlmrm.errors import UserError


@pytest.fixture
def content():
    """The smoke run with two rounds of two tasks."""
    content = smoke_all()
    content["rounds"] = {
        "smoke-S": {"number": 2, "tasks": ["kneeling", "standing"], "seeds": [3, 4], "size": 50}
    }
    return content


def answer(content):
    with pytest.raises(UserError) as error:
        parse_config(content, "file")
    return str(error.value)


def test_each_round_learns_what_the_agents_of_all_earlier_ones_met(content):
    config = parse_config(content)
    assert config.models["smoke-S-round-2"].corpus == "smoke-S-round-2"
    first, second = (config.corpora[f"smoke-S-round-{number}"] for number in (1, 2))
    assert len(first.states) == 4 and len(second.states) == 8
    assert second.states[:4] == first.states
    met = config.state_sets[second.states[-1]]
    assert (met.run.reward_source, met.run.task, met.run.seed, met.size) == (
        *("smoke-S-round-1", "standing"),
        *(4, 50),
    )
    # Besides, everything is as in round 0.
    base = config.models["smoke-S"]
    assert config.models["smoke-S-round-1"] == base.model_copy(update={"corpus": "smoke-S-round-1"})
    assert first.model_copy(update={"states": []}) == config.corpora["smoke"]


def test_rounds_of_a_model_with_an_initial_one_continue_from_each_other(content):
    content["models"]["smoke-S"]["initial_model"] = "sim-XS"
    content["models"]["smoke-S"]["architecture"] = "sim-XS"
    config = parse_config(content)
    models = ["sim-XS", "smoke-S", "smoke-S-round-1", "smoke-S-round-2"]
    for before, after in pairwise(models):
        assert config.models[after].initial_model == before


LATER = {
    "source": "simulator",
    "architecture": "sim-XS",
    "corpus": "smoke",
    "epochs": 3,
    "initial_model": "sim-XS",
}


def test_rounds_of_a_packaged_model_train_it_further(content):
    content["rounds"] = {"sim-XS": {"number": 2, "tasks": ["kneeling"], "later": LATER}}
    config = parse_config(content)
    assert config.models["sim-XS"].source == "packaged"
    first, second = (config.models[f"sim-XS-round-{number}"] for number in (1, 2))
    assert (first.initial_model, second.initial_model) == ("sim-XS", "sim-XS-round-1")
    assert first.epochs == second.epochs == 3
    assert config.corpora["sim-XS-round-1"].states == ["sim-XS-kneeling-0-met"]
    assert config.corpora["sim-XS-round-2"].frames == config.corpora["smoke"].frames
    assert parse_config(config.model_dump(mode="json")) == config


def test_rounds_go_on_from_the_folder_of_an_earlier_one(content):
    content["models"]["kept"] = {"source": "pretrained", "path": "kept/sim-XS-round-1"}
    later = {**LATER, "initial_model": "kept"}
    content["rounds"] = {"kept": {"number": 1, "tasks": ["kneeling"], "later": later}}
    config = parse_config(content)
    assert config.models["kept-round-1"].initial_model == "kept"
    assert config.corpora["kept-round-1"].states == ["kept-kneeling-0-met"]


def test_later_rounds_without_an_initial_model_start_from_random_weights(content):
    del (later := dict(LATER))["initial_model"]
    content["rounds"]["smoke-S"] |= {"later": {**later, "architecture": "sim-S"}}
    config = parse_config(content)
    assert config.models["smoke-S-round-2"].initial_model is None
    assert config.models["smoke-S-round-2"].epochs == 3 != config.models["smoke-S"].epochs


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"corpus": "smok"}, "rounds.sim-XS.later.corpus: unknown name 'smok'; did you mean"),
        ({"source": "packaged"}, "rounds.sim-XS.later.source"),
        ({"initial_model": "sim-S"}, "rounds.sim-XS.later.initial_model: each round starts from"),
        ({"architecture": "sim-S"}, "models.sim-XS-round-1.initial_model: 'sim-XS' is a sim-XS"),
    ],
)
def test_later_rounds_that_cannot_be_trained_are_refused(content, change, told):
    content["rounds"] = {
        "sim-XS": {"number": 1, "tasks": ["kneeling"], "later": {**LATER, **change}}
    }
    assert told in answer(content)


def test_states_that_an_initial_model_learned_from_do_not_measure_the_next_one(content):
    content["corpora"]["more"] = {**content["corpora"]["smoke"], "states": ["kneeling"]}
    base = content["models"]["smoke-S"]
    content["models"]["first"] = {**base, "corpus": "more"}
    base["initial_model"] = "first"
    assert "'kneeling' is in the corpus of 'first'; use other states" in answer(content)


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        ("sim-X", "models.smoke-S.initial_model: unknown name 'sim-X'; did you mean 'sim-XS'?"),
        ("sim-XS", "models.smoke-S.initial_model: 'sim-XS' is a sim-XS, not a sim-S"),
        ("random-XS", "'random-XS' is neither simulator-trained, packaged, nor a folder; name one"),
        ("published", "'published' is neither simulator-trained, packaged, nor a folder; name one"),
        ("smoke-S", "'smoke-S' is made from 'smoke-S' itself; name another, or remove it"),
        ("smoke-S-round-2", "'smoke-S-round-2' is made from 'smoke-S' itself"),
    ],
)
def test_an_initial_model_that_cannot_be_is_refused(content, initial, told):
    tagged = {"source": "pretrained", "architecture": "RN50-quickgelu", "tag": "openai"}
    content["models"]["published"] = tagged
    content["models"]["smoke-S"]["initial_model"] = initial
    assert told in answer(content)


def test_a_training_may_start_from_a_folder(content):
    content["models"]["mine"] = {"source": "pretrained", "path": "some/folder"}
    content["models"]["smoke-S"]["initial_model"] = "mine"
    assert parse_config(content).models["smoke-S"].initial_model == "mine"


def test_agents_are_trained_on_the_models_of_all_rounds(content):
    config = parse_config(content)
    runs = list(config.runs("smoke-S-rounds"))
    assert len(runs) == 3 * 2 * 2
    assert {run.reward_source for run in runs} == set(config.rounds["smoke-S"].models("smoke-S"))


def test_the_last_models_are_measured_on_states_that_no_corpus_holds(content):
    config = parse_config(content)
    measurement = config.epic["smoke-S-round-1-kneeling"]
    assert measurement.models == ["smoke-S", "smoke-S-round-1", "smoke-S-round-2"]
    measured = config.state_sets[measurement.states].sets
    assert len(measured) == 3  # poses, and what the agents of two seeds met
    learned = {name for corpus in config.corpora.values() for name in corpus.states}
    assert not learned & set(measured)
    assert config.set_size(measurement.states) == 150


def test_a_resolved_configuration_says_the_same(content):
    config = parse_config(content)
    assert parse_config(config.model_dump(mode="json")) == config


def test_an_entry_of_the_same_name_replaces_that_of_the_rounds(content):
    content["models"]["smoke-S-round-2"] = {**content["models"]["smoke-S"], "epochs": 9}
    config = parse_config(content)
    assert config.models["smoke-S-round-2"].epochs == 9
    assert config.models["smoke-S-round-1"].epochs == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"number": 0}, "rounds.smoke-S.number: input should be greater than 0"),
        ({"numbr": 1}, "rounds.smoke-S.numbr: unknown key; did you mean 'number'?"),
        ({"tasks": ["kneelin"]}, "rounds.smoke-S.tasks: unknown name 'kneelin'; did you mean"),
        ({"tasks": ["cartpole"]}, "rounds.smoke-S.tasks: 'cartpole' is no humanoid task"),
        ({"scoring": "alpha-0.3"}, "rounds.smoke-S.scoring: alpha-0.3 is not among `scorings`"),
    ],
)
def test_bad_rounds_are_named(content, change, told):
    content["rounds"]["smoke-S"] |= change
    assert told in answer(content)


def test_rounds_need_a_model_that_is_trained(content):
    content["rounds"] = {"sim-XS": content["rounds"]["smoke-S"]}
    assert "rounds.sim-XS: is no model with `source: simulator`; give `later`" in answer(content)
    content["rounds"] = {"smoke": content["rounds"]["sim-XS"]}
    assert "rounds.smoke: unknown name 'smoke'; did you mean 'smoke-S'?" in answer(content)


def test_rounds_need_an_oracle(content):
    del content["tasks"]["standing"]["oracle"], content["epic"]["standing"]
    assert "tasks.standing.oracle: missing, but rounds.smoke-S needs" in answer(content)


def test_a_corpus_cannot_hold_what_agents_of_its_own_model_met(content):
    run = {"task": "kneeling", "scene": "textured-fixed", "reward_source": "smoke-S"}
    run |= {"scoring": "alpha-0", "seed": 0}
    content["state_sets"]["mine"] = {"sampler": "rollouts", "run": run, "size": 50}
    content["corpora"]["smoke"]["states"] = ["mine"]
    told = "corpora.smoke.states: met by agents that are trained on a model of this corpus"
    assert told in answer(content)


POSES = {"sampler": "poses", "task": "lotus", "size": 64}


@pytest.mark.parametrize(
    ("learned", "measured", "refused"),
    [
        (POSES, {**POSES, "size": 32}, True),
        (POSES, {**POSES, "seed": 1}, False),
        (POSES, {**POSES, "task": "kneeling"}, False),
        (POSES, {"sampler": "diagnosis"}, True),
        (POSES, {"sampler": "diagnosis", "seed": 1}, False),
        ({"sampler": "paths", "tasks": ["lotus"]}, {"sampler": "diagnosis", "seed": 1}, True),
        ({"sampler": "paths", "tasks": ["lotus"]}, {"sampler": "paths", "points": 5}, True),
        (POSES, {"sampler": "union", "sets": ["equal"]}, True),
    ],
)
def test_another_name_does_not_make_other_states(content, learned, measured, refused):
    content["state_sets"] |= {"seen": learned, "unseen": measured, "equal": POSES}
    content["corpora"]["smoke"]["states"] = ["seen"]
    content["epic"]["kneeling"]["states"] = "unseen"
    content["epic"] = {"kneeling": content["epic"]["kneeling"]}
    for section in ("diagnoses", "rounds", "searches", "predictions"):
        content.pop(section, None)
    content["models"].pop("duo")
    content["epic"]["kneeling"]["models"] = ["smoke-S"]
    if not refused:
        parse_config(content)
        return
    told = answer(content)
    assert "epic.kneeling.states:" in told
    assert "holds states of 'seen', which is in the corpus of 'smoke-S'" in told


def test_models_are_not_measured_on_states_that_they_learned_from(content):
    content["corpora"]["smoke"]["states"] = ["kneeling"]
    content["models"]["duo"]["reference"] = "paths"
    told = "epic.kneeling.states: 'kneeling' is in the corpus of 'smoke-S'; use other states"
    assert told in answer(content)
    content["state_sets"]["both"] = {"sampler": "union", "sets": ["kneeling", "paths"]}
    content["epic"]["kneeling"]["states"] = "both"
    assert "epic.kneeling.states: 'kneeling' is in the corpus" in answer(content)


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (["kneelin"], "state_sets.all.sets: unknown name 'kneelin'"),
        (["kneeling", "all"], "state_sets.all.sets: 'all' is part of itself"),
        (["cartpole-grid"], "state_sets.all.sets: 'cartpole-grid' holds cartpole states"),
        (["kneeling", "both"], "state_sets.all.sets: 'kneeling' and 'both' both hold 'kneeling'"),
        ([], "state_sets.all.union.sets: empty"),
    ],
)
def test_bad_unions_are_named(content, sets, told):
    content["state_sets"]["both"] = {"sampler": "union", "sets": ["paths", "kneeling"]}
    content["state_sets"]["all"] = {"sampler": "union", "sets": sets}
    assert told.replace(".union", "") in answer(content)


def test_no_state_is_twice_in_a_corpus(content):
    content["state_sets"]["both"] = {"sampler": "union", "sets": ["paths", "kneeling"]}
    content["corpora"]["smoke"]["states"] = ["paths", "both"]
    assert "corpora.smoke.states: 'paths' and 'both' both hold 'paths'" in answer(content)


def test_states_of_a_corpus_are_of_its_environments(content):
    del content["rounds"]
    content["corpora"]["smoke"]["states"] = ["nowhere"]
    assert "corpora.smoke.states: unknown name 'nowhere'" in answer(content)
    del content["corpora"]["smoke"]["frames"]["cartpole"]
    content["corpora"]["smoke"]["states"] = ["cartpole-grid"]
    told = "corpora.smoke.states: 'cartpole-grid' holds cartpole states, which `frames` lacks"
    assert told in answer(content)


def test_names_of_rounds_that_are_the_same_are_refused(content):
    content["tasks"]["round-1-kneeling"] = content["tasks"]["kneeling"]
    content["rounds"]["smoke-S"]["tasks"] = ["kneeling", "round-1-kneeling"]
    assert answer(content) == (
        "file: rounds.smoke-S: two of the state_sets would be "
        "'smoke-S-round-1-kneeling-3-measured'; rename a task or model"
    )


@pytest.mark.parametrize("corpus", [None, "x", 3, [], {}])
def test_rounds_of_a_malformed_corpus_leave_it_to_the_validation(content, corpus):
    content["corpora"]["smoke"] = corpus
    assert "corpora.smoke" in answer(content)


def test_rounds_have_a_number_of_agents_that_a_workflow_can_hold(content):
    content["rounds"]["smoke-S"]["number"] = 10**9
    assert (
        answer(content)
        == "file: rounds.smoke-S: 4,000,000,004 agents, more than 1,000; lower the number"
    )
