"""Configurations that went wrong: the shipped ones, changed at random, each by a seed of its own.

``python -m tests.config.mutations 0 10000`` tries the seeds from 0 to 9,999.
"""

import copy
import random
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import yaml

from tests.paths import ROOT
from vlmrm.checks.shared import check_shared
from vlmrm.config import Config, load_config
from vlmrm.config.references import MAX_RUNS
from vlmrm.errors import UserError
from vlmrm.machine.machines import MACHINES
from vlmrm.plan.cost import make_plan
from vlmrm.plan.jobs import Job

SHIPPED = [ROOT / "config.yaml", *sorted((ROOT / "config").rglob("*.yaml"))]

HANGS = 5
"""Seconds of computing, on a busy machine too, after which a configuration counts as hanging."""
LONGEST = 300
"""Characters of a message."""

TEXTS = (
    "null", "~", "true", "no", "007", "0x1F", "0b_", "1e3", "1e999", "1_000", "1:99", "NaN", ".nan",
    ".inf", "-.inf", "-1", "0", "2024-01-01", "2024-99-99", "1" * 5000, "0x" + "f" * 5000, "''",
    "' '", "[]", "{}", "[", "]", "{", "}", ": ", "- ", "? ", "#", "|", ">-", "%", "@", "`", "\t",
    "\x00", "\x1b[31m", "\u2028", "\ufeff", "é", "\U0001f916", '"\\ud800"', '"\\x00"', '"\\',
    "&a", "*a", "&a [*a]", "<<: *a", "<<: {a: 1}", "<<: 3", "!!int x", "!!float y", "!!bool z",
    "!!timestamp t", "!!binary =", "!!set {a, b}", "!!omap [a: 1]", "!!python/name:os.system",
    "!!python/object/apply:os.system ['false']", "!x", "--- ", "...", "__use_yte__: true",
    "?if True:", "../../etc/passwd", "$(false)", "a;b", "{x}", "-x", "x" * 5000, "[" * 5000,
    "{a: " * 500,
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1, 2, 3.5, 1e-320, 1e308, -1e308, float("nan"), float("inf"),
    2**31, 2**53, 2**63, 2**70, 10**12, 10**400, "", " ", "x", "null", "1e3", "007", "NaN", "1e400",
    "nan", "-inf", "1" * 400, "x" * 101, "x" * 5000, "a b", "-x", "{x}", "../x", "a/b", "x\n", "\n",
    "\x00", "\x1b[2J", "\ud800", "\u202e", "é" * 300, "~", "~nobody/x", "/dev/null", b"\xff", [],
    {}, [[]], [None], [0, 0.0], ["x"] * 3, list(range(2000)), {"a": {}}, {"x" * 300: 1}, {1: 2},
    {None: 1}, {"": ""}, {"\x00": 1}, date(2024, 1, 1), {"source": "pretrained", "path": "x" * 300},
    {"source": "random", "architecture": "RN50"}, {"sampler": "union", "sets": ["x", "y"]},
    {"sampler": "grid", "environment": "cartpole", "resolution": 1e9},
    {"number": 10**9, "tasks": ["kneeling"]}, {"number": 2, "tasks": ["kneeling"], "seeds": [7]},
)  # fmt: skip
NAMES = (
    "null", "1e3", "007", "NaN", "true", "2024-01-01", "x" * 100, "x" * 101, "x" * 300, "-x", ".x",
    "a/b", "{x}", "..", "a b", "a\n", "\x1b", "\ud800", "", "é", "oracle", "random-policy", 7, None,
    1.5, True,
)  # fmt: skip
ENCODINGS = (
    "utf-16",
    "utf-16-le",
    "utf-32",
    "utf-8-sig",
    "latin-1",
    "cp1252",
    "shift-jis",
    "utf-7",
)


def mutated(seed: int) -> bytes:
    """The file of one seed."""
    rng = random.Random(seed)
    data = rng.choice(SHIPPED).read_bytes()
    if rng.random() < 0.5:
        content = yaml.safe_load(data)
        for _ in range(rng.choice([1, 1, 2, 3])):
            _change_value(content, rng)
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=False).encode()
    for _ in range(rng.choice([1, 1, 2, 3])):
        data = _change_text(data, rng)
    return data


def _places(value, place=()):
    """All places of a tree of values but its root."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in entries:
        yield (*place, key)
        if isinstance(part, (dict, list)) and len(place) < 10:
            yield from _places(part, (*place, key))


def _change_value(content, rng: random.Random) -> None:
    content.setdefault("run", "x")  # never empty
    *above, last = rng.choice(list(_places(content)))
    parent = content
    for key in above:
        parent = parent[key]
    value = parent.get(last) if isinstance(parent, dict) else parent[last]
    match rng.randrange(10):
        case 0:
            del parent[last]
        case 1:
            parent[last] = [value]
        case 2:
            parent[last] = {rng.choice(NAMES): value}
        case 3 if isinstance(parent, dict):
            parent[rng.choice([*NAMES, f"alpha-{last}", f"{last}-round-1"])] = value
        case 4 if isinstance(parent, dict):
            parent[rng.choice([*NAMES, f"{last}s", f"x-{last}"])] = parent.pop(last)
        case 5:
            donor = content
            other = rng.choice(list(_places(content)) or [()])
            for key in other:
                donor = donor[key]
            # Of itself it would be an alias, which text has.
            parent[last] = copy.deepcopy(donor) if rng.random() < 0.8 else donor
        case 6:
            for _ in range(rng.choice([3, 30, 60])):
                value = [value] if rng.random() < 0.5 else {"a": value}
            parent[last] = value
        case 7 if isinstance(value, list):
            parent[last] = value * rng.choice([0, 2, 1000])
        case 8 if isinstance(value, (int, float)) and abs(value) < 1e300:
            factor = rng.choice([-1, 0, 0.5, 1000, 1e6, 1e300, 10**15])
            parent[last] = value * factor
        case _:
            parent[last] = copy.deepcopy(rng.choice(VALUES))


def _change_text(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines(keepends=True) or [b"\n"]
    number = rng.randrange(len(lines))
    line = lines[number]
    match rng.randrange(10):
        case 0:
            flipped = bytearray(data or b"\n")
            for _ in range(rng.choice([1, 1, 10])):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 1:
            del lines[number]
        case 2:
            lines.insert(rng.randrange(len(lines) + 1), line)
        case 3:
            other = rng.randrange(len(lines))
            lines[number], lines[other] = lines[other], line
        case 4:
            lines[number] = b" " * rng.randrange(7) + line.lstrip()
        case 5:
            words = data.split(b" ")
            one, two = rng.randrange(len(words)), rng.randrange(len(words))
            words[one], words[two] = words[two], words[one]
            return b" ".join(words)
        case 6:
            return data[: rng.randrange(len(data) + 1)]
        case 7:
            key, colon, _ = line.partition(b":")
            lines[number] = key + colon + b" " + rng.choice(TEXTS).encode() + b"\n"
        case 8:
            at = rng.randrange(len(line))
            lines[number] = line[:at] + rng.choice(TEXTS).encode() + line[at:]
        case 9:
            text = data.decode(errors="replace") + rng.choice(["", "\n# Gütemaß: é\n"])
            return text.encode(rng.choice(ENCODINGS), errors="replace")
    return b"".join(lines)


def start(path: Path) -> None:
    """What a workflow does with a configuration before its first job, and each job after it."""
    config = load_config(path)
    check_shared(config, path.parent / "resources")
    resolved = path.with_name("resolved.yaml")
    resolved.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    assert load_config(resolved) == config
    make_plan(_jobs(config), config, MACHINES["laptop"])


def _jobs(config: Config):
    """Jobs of a configuration, as far as what they take differs."""
    for name, model in config.models.items():
        rules = {"simulator": "train_model", "ensemble": "make_ensemble"}
        yield Job(rules.get(model.source, "copy_model"), {"model": name})
    for name in config.corpora:
        yield Job("make_corpus", {"corpus": name})
    for name, states in config.state_sets.items():
        rule = "sample_states"
        if states.sampler == "rollouts":
            live = states.environment in config.environments
            rule = "sample_live_rollouts" if live else "sample_rollouts"
        yield Job(rule, {"states": name})
    for name in config.experiments:
        runs = list(config.runs(name))
        assert len(runs) <= MAX_RUNS
        for run in runs[:100]:
            wildcards = {key: str(value) for key, value in run.model_dump().items()}
            yield Job("train_policy", wildcards)
            yield Job("evaluate_policy", wildcards)
    for name in config.epic:
        config.epic_settings(name)
    for name in config.diagnoses:
        config.diagnosis_settings(name)
    for name in config.landscapes:
        config.landscape_settings(name)
    for name in config.rounds:
        config.round_settings(name)
    for name in config.tasks:
        config.scoring_settings(name)


def judge(seed: int, folder: Path) -> str:
    """What becomes of one seed: "accepted", "refused", or what is wrong with the answer."""
    file = folder / "mutated.yaml"
    file.write_bytes(mutated(seed))
    try:
        with _limit(HANGS):
            start(file)
    except UserError as error:
        message = str(error).replace(str(folder), "folder")
        if len(message) > LONGEST:
            return f"a message of {len(message)} characters: {message[:LONGEST]}"
        if len(message.splitlines()) != 1 or not message.isprintable():
            return f"a message that is no line: {message!r}"
        return "refused"
    except Exception:
        return traceback.format_exc(limit=-4)
    return "accepted"


@contextmanager
def _limit(seconds: float):
    """Raises a TimeoutError in a block that computes for longer."""

    def hangs(number, frame):
        raise TimeoutError(f"computes for more than {seconds} seconds")

    handler = signal.signal(signal.SIGVTALRM, hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)


def judge_all(seeds: range) -> tuple[Counter[str], dict[int, str]]:
    """How many were accepted and refused, and the seeds with wrong answers."""
    counts: Counter[str] = Counter()
    wrong = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            verdict = judge(seed, Path(folder))
            if verdict in ("accepted", "refused"):
                counts[verdict] += 1
            else:
                wrong[seed] = verdict
    return counts, wrong


if __name__ == "__main__":
    found, faults = judge_all(range(int(sys.argv[1]), int(sys.argv[2])))
    print(f"{dict(found)}, {len(faults)} wrong answers")
    for number, fault in faults.items():
        print(f"seed {number}: {fault}")
