"""Damage to files."""

DAMAGES = 60
"""Damaged files of each kind."""


def damaged(content, rng):
    """Cut off, empty, or with some other bytes."""
    kind = rng.integers(4)
    if kind == 0:
        return content[: rng.integers(len(content))]
    changed = bytearray(content)
    if kind == 1:  # a block of zeros, as after a crash of the file system
        start = rng.integers(len(changed))
        changed[start : start + 512] = bytes(len(changed[start : start + 512]))
    else:
        for place in rng.integers(len(changed), size=rng.choice([1, 3, 20])):
            changed[place] = rng.integers(256)
    return bytes(changed)
