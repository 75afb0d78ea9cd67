"""Words from numbers: will an agent learn from a sentence, and if not, why.

The thresholds separate twelve agents of packaged models (six poses, sim-S and sim-L, 60,000 steps,
one seed each), of which the four of kneeling and one leg succeeded in 70 to 99 % of trajectories
and the others in 0 to 13 %; and 79 paraphrases of the tasks from 20 sentences about other things,
with both models. ``benchmarks/diagnosis.py`` computes the numbers again. What they say of all
rewards on which agents were trained since is in `TAUGHT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from vlmrm.config.architectures import packaged_models
from vlmrm.config.scoring import alpha_of, temperature_of
from vlmrm.diagnosis.measure import N
from vlmrm.diagnosis.sentences import AVERAGE, KNOWN, PARAPHRASES

SPREAD = 0.65
"""Spread of the reward over poses, relative to sentences that name a pose. 36 of 40 sentences about
other things have less, and 27 of 158 paraphrases. The AUROC does not tell them apart: the best one
of a crowd in a stadium is 0.99, for kneeling."""
MEANS = 0.9
"""AUROC from which a sentence means a pose: 134 of 136 paraphrases above prefer their own pose to
the seven others, 5 of 22 below."""
FOOLED = 0.05
"""Share of false successes among poses that are rewarded like true ones. Crossed arms have 0.19 and
0.24, and 13 and 0 % of success; whatever was learned has 0."""
FEW = 2
"""Poses that chance adds to the false successes, or takes away. They are a share of the 25 to 200
poses that are rewarded like true ones."""
CLOSE = 0.7
"""Rank correlation of the reward with closeness to the pose."""
EASY = 0.45
"""Mean score of the poses by the oracle. No reward has a part in it."""
TAUGHT = {
    "closeness": "9 of 9 rewards taught the pose; below, 3 of 15",
    "ease": "11 of 11 did; below, 1 of 13",
}
"""How many of 24 rewards by packaged models taught a pose, at a threshold or more: more than half
of the trajectories of their agents fulfill it (results/reference/sizes, benchmarks/agents.csv)."""
ALIKE = 0.9
"""Rank correlation of two sentences over pictures from which they mean the same to the model."""

Row = Mapping[str, Any]


class Level(IntEnum):
    """What becomes of an agent, worst first."""

    unknown = 0
    other = 1
    fooled = 2
    unlikely = 3
    open = 4
    likely = 5


HEADLINES = {
    Level.unknown: "The model hardly distinguishes poses by this sentence.",
    Level.other: "An agent will learn something other than {oracle}.",
    Level.fooled: "An agent will find poses that are rewarded like {oracle} and are not.",
    Level.unlikely: "An agent will probably not learn {oracle} in a short training.",
    Level.open: "An agent may learn {oracle}.",
    Level.likely: "An agent will probably learn {oracle}.",
}


def level(row: Row, named: bool) -> Level:
    """The verdict on a row of `measure_sentences`.

    Args:
        row: The row.
        named: Whether the user named its oracle: that a sentence about other things prefers just
            this pose is unlikely.
    """
    means = row["auroc"] >= MEANS and row["preferred"] == row["oracle"]
    if row["spread"] < SPREAD and not (named and means):
        return Level.unknown
    if not means:
        return Level.other
    if row["fooled"] > FOOLED:
        return Level.fooled
    signs = (row["closeness"] >= CLOSE) + (row["ease"] >= EASY)
    return (Level.unlikely, Level.open, Level.likely)[signs]


def trained_on(rows: Sequence[Row]) -> list[Row]:
    """The rows of the rewards that agents would be trained on: of several goals, the average."""
    return [row for row in rows if row["goal"] == AVERAGE] or [*rows]


def verdict(rows: Sequence[Row], oracle: str | None = None) -> list[str]:
    """At most ten lines about rows of `measure_sentences`, each with its ``model``.

    They describe the best reward on which an agent could be trained, by its level and then by
    closeness.

    Args:
        rows: One per model, scoring, and goal.
        oracle: The task that the user names, if any.
    """
    named = oracle is not None
    rewards = trained_on(rows)
    best = max(rewards, key=lambda row: (level(row, named), row["closeness"]))
    found = level(best, named)
    by = [best["model"], best["scoring"]]
    by += [best["scene"]] if len({row.get("scene") for row in rows}) > 1 else []
    by += [f"the best of {len(rewards)} measured"] if len(rewards) > 1 else []
    lines = [f"{HEADLINES[found].format(**best)} ({', '.join(by)})"]
    if not named:
        lines.append(f"  No --oracle: measured for {best['oracle']}, which the sentence prefers.")
    lines.append(
        f"  Meaning: {_meaning(best)}. Its spread over poses is {best['spread']:.2f} of that of "
        f"sentences that name one (little: below {SPREAD})."
    )
    if found != Level.unknown:
        lines += [
            f"  False successes: {_false_successes(best)}. The best of {N} is true in "
            f"{best['best_of_n']:.0%}; the margin to near misses is {best['margin']:.1f} standard "
            "deviations.",
            f"  The way: the reward rises with closeness to the pose with rank correlation "
            f"{best['closeness']:.2f} (at {CLOSE} or more, {TAUGHT['closeness']}), "
            f"and on the straight path to it with {best['progress']:.2f}.",
            f"  The pose itself: all poses come as close as {best['ease']:.2f} on average (at "
            f"{EASY} or more, {TAUGHT['ease']}).",
        ]
    lines += _wording(rows, best)
    advice = enumerate(_advice(rows, best, found), 1)
    lines.append(f"  Try next: {'; '.join(f'{number}. {text}' for number, text in advice)}.")
    if found > Level.other:
        lines.append(
            "  Take it as a guess: 24 rewards by packaged models, one to four agents each, are few."
        )
    return lines


def describe(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The level, the verdict in words, and what to try next, for each row of one task.

    Args:
        rows: Of `measure_sentences` with the oracle of the task, each with its ``model``.
    """
    levels = [level(row, named=True) for row in rows]
    return [
        {
            "level": int(found),
            "verdict": HEADLINES[found].format(**row),
            "try_next": "; ".join(_advice(rows, row, found)),
        }
        for row, found in zip(rows, levels, strict=True)
    ]


def _false_successes(row: Row) -> str:
    total = row["rewarded"]
    false = round(row["fooled"] * total)
    text = f"{false} of {total} poses that are rewarded like a success (much: above {FOOLED:.0%}"
    near = false - FEW <= FOOLED * total < false + FEW
    return f"{text}; {FEW} more or fewer would change that)" if near else f"{text})"


def _meaning(row: Row) -> str:
    first, second = sorted(KNOWN, key=lambda task: -row[task])[:2]
    text = f"it prefers {first} (AUROC {row[first]:.3f}), then {second} ({row[second]:.3f})"
    own = row["oracle"]
    return text if own in (first, second) else f"{text}; {own} has {row[own]:.3f}"


def _wording(rows: Sequence[Row], best: Row) -> list[str]:
    keys = "model", "scene", "scoring"
    same = [r for r in rows if all(r.get(key) == best.get(key) for key in keys)]
    alone = {r["goal"]: r[best["oracle"]] for r in same if r["goal"] != AVERAGE}
    lines = []
    if "wording" in best:
        lines.append(
            f"  Other known sentences for {best['oracle']}: AUROC {best['wording_low']:.3f} to "
            f"{best['wording_high']:.3f}, median {best['wording']:.3f}."
        )
    if len(alone) < 2:
        return lines
    first = max(alone, key=lambda goal: alone[goal])
    average = next(r[best["oracle"]] for r in same if r["goal"] == AVERAGE)
    return [
        *lines,
        f"  Wording: AUROC {min(alone.values()):.3f} to {alone[first]:.3f} over {len(alone)} "
        f"sentences, averaged {average:.3f}; best is '{first}'.",
    ]


def _advice(rows: Sequence[Row], best: Row, found: Level) -> list[str]:
    """What may help, the most promising first; nothing that has been measured."""
    packaged = best["model"] in packaged_models()
    if found == Level.unknown:
        advice = [f"words that name a posture, as in '{_other_sentence(rows, 'kneeling')}'"]
        if packaged:
            advice.append(
                "a published model (docs/published-models.md), since packaged ones know little but "
                "the words of their captions"
            )
        return advice
    advice = []
    if found == Level.other:
        advice.append(f"other words, as in '{_other_sentence(rows, best['oracle'])}'")
    if found in (Level.other, Level.fooled) and not any(temperature_of(r["scoring"]) for r in rows):
        rival = max((task for task in KNOWN if task != best["oracle"]), key=best.__getitem__)
        advice.append(f"--contrast '{KNOWN[rival]}'")
    if found < Level.likely:
        if not any(alpha_of(r["scoring"]) for r in rows):
            advice.append("--baseline 'a humanoid robot', which allows alphas above 0")
        if packaged and (largest := packaged_models()[-1]) not in {r["model"] for r in rows}:
            advice.append(f"a larger model (--model {largest})")
        if not packaged and len({r.get("scene") for r in rows}) == 1:
            advice.append("another scene (--scene)")
    if found in (Level.unlikely, Level.open) and best["ease"] < EASY:
        advice.append(
            "a longer training (with the oracle's score as the reward, 14 of 16 agents learned "
            "their pose in 100,000 steps: results/reference/ceilings)"
        )
    if found >= Level.open:
        advice.append("train (config/own.yaml) and watch the video")
    return advice or ["other words"]


def _other_sentence(rows: Sequence[Row], task: str) -> str:
    """A known sentence for a pose that is not among the goals of these rows, if there is one."""
    measured = {row["goal"] for row in rows}
    known = (KNOWN[task], *PARAPHRASES[task])
    return next((text for text in known if text not in measured), KNOWN[task])


def judge_pictures(rows: Sequence[Row], others: Sequence[Row]) -> list[str]:
    """At most ten lines about rewards of pictures.

    Args:
        rows: One per model, scoring, and goal: model, scoring, goal, and, if the pictures are
            labeled, the measures of `measure_pictures`.
        others: One per model, goal, and other sentence: of `compare_sentences`, with its model,
            goal, and sentence.
    """
    lines = []
    if "auroc" in rows[0]:
        best = max(rows, key=lambda row: (row["auroc"], -row["fooled"]))
        good = best["auroc"] >= MEANS and best["fooled"] <= FOOLED
        lines.append(
            f"The sentence {'tells' if good else 'does not tell'} yes from no: AUROC "
            f"{best['auroc']:.3f} (little: below {MEANS}); {best['fooled']:.0%} of what is "
            f"rewarded like a yes is a no (much: above {FOOLED:.0%}). ({best['model']}, "
            f"{best['scoring']})"
        )
        if not good:
            lines.append("  Try next: other words; --contrast with what the pictures of no show.")
    alike = [row for row in others if row["correlation"] >= ALIKE]
    for row in alike[:3]:
        lines.append(
            f"'{row['goal']}' orders the pictures as '{row['sentence']}' does (rank correlation "
            f"{row['correlation']:.2f}, {row['model']}): the reward is about something that both "
            "have in common."
        )
    if others and not alike:
        lines.append("The sentence orders the pictures otherwise than every other sentence does.")
    if not lines:
        lines.append(
            "Nothing to judge by: give other sentences (--contrast), or sort the pictures into the "
            "sub-folders yes and no."
        )
    return lines
