import time

import pytest

from tests.paths import SMOKE_ALL
from vlmrm.config import load_config, read_yaml
from vlmrm.errors import UserError


def test_a_key_given_twice_is_refused_with_its_lines(tmp_path):
    file = tmp_path / "twice.yaml"
    smoke = SMOKE_ALL.read_text()
    file.write_text(smoke + "\nepic: {}\n")
    first = smoke.splitlines().index("epic:") + 1
    last = len(smoke.splitlines()) + 2
    with pytest.raises(UserError) as error:
        load_config(file)
    assert str(error.value) == (
        f"{file}: epic: given twice, in lines {first} and {last}; remove or rename one"
    )


def test_a_key_that_overrules_a_merged_one_is_given_once(tmp_path):
    file = tmp_path / "merged.yaml"
    file.write_text("a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *a, <<: *b, x: 3}\n")
    assert read_yaml(file)["b"] == {"x": 1, "y": 2}
    assert read_yaml(file)["c"] == {"x": 3, "y": 2}


def test_a_file_that_is_missing_or_not_yaml_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("run:\n]")
    with pytest.raises(UserError, match=r"broken\.yaml: not YAML in line 2"):
        load_config(broken)
    broken.write_text("")
    with pytest.raises(UserError, match=r"broken\.yaml: has no keys; start"):
        load_config(broken)


def test_a_key_without_a_value_is_not_to_be_quoted(tmp_path):
    (tmp_path / "own.yaml").write_text("run:\n")
    with pytest.raises(UserError, match="got None; give it a value, or remove it"):
        load_config(tmp_path / "own.yaml")


def bomb(part):
    """Nine levels, each with ten aliases of the one before: a thousand million values."""
    levels = [f"a0: &a0 {part}", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]" for n in range(1, 10))]
    return "\n".join(levels)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("run: 2024-99-99", "line 1 holds no timestamp; correct it, or quote a text"),
        ("a: 1\nrun: " + "9" * 5000, "line 2 holds no int; correct it, or quote a text"),
        ("size: 010", "line 1: 010 is 8 to YAML; write that, or quote it"),
        ("a: 1\nseeds: [1:30]", "line 2: 1:30 is 90 to YAML; write that, or quote it"),
        ("run: !!bool x", "line 1 holds no bool; correct it, or quote a text"),
        ("run: !!timestamp x", "line 1 holds no timestamp; correct it, or quote a text"),
        ("run: !!python/name:os.system", "not YAML in line 1 (could not determine a constructor"),
        ("? [a]\n: 1", "not YAML in line 1 (found unhashable key)"),
        ('run: "\\ud800"', "not YAML in line 1 ("),
        ("run: \x00", "not YAML ("),
        ("a: &a {b: *a}", "line 1 has more than 50 levels, or contains itself; write it in fewer"),
        ("[" * 50 + "]" * 50 + "\n", None),
        ("[" * 51 + "]" * 51, "line 1 has more than 50 levels"),
        ("[" * 10**6, "has more than 50 levels"),
        ("{a: " * 10**5, "has more than 50 levels"),
        (bomb("{b: c}"), "has more than 100,000 values; make it smaller"),
        (bomb("{b: c}").replace("[", "{<<: [").replace("]", "]}"), "has more than 100,000 values"),
        ("x" * 2**20 + "y", "is larger than 1 MB; make it smaller"),
        ("[" + "x, " * 200_000 + "]", "has more than 100,000 values; make it smaller"),
    ],
    ids=lambda text: str(text)[:20],
)
def test_yaml_that_cannot_be_read_is_answered_in_one_short_line(tmp_path, text, answer):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    if answer is None:
        read_yaml(file)
        return
    before = time.process_time()
    with pytest.raises(UserError) as error:
        read_yaml(file)
    assert time.process_time() - before < 5  # far less; without limits, hours
    message = str(error.value)
    assert message.startswith(f"{file}: {answer}")
    assert message.isprintable() and len(message) <= 300


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_byte_order_mark(tmp_path, encoding):
    file = tmp_path / "own.yaml"
    file.write_text("run: Übung # ü\r\n", encoding=encoding)
    assert read_yaml(file) == {"run": "Übung"}


@pytest.mark.parametrize(("encoding", "line"), [("utf-16", 1), ("utf-32", 1), ("latin-1", 2)])
def test_another_encoding_is_named_with_its_line(tmp_path, encoding, line):
    file = tmp_path / "own.yaml"
    file.write_text("models: {}\nrun: Übung\n", encoding=encoding)
    with pytest.raises(UserError) as error:
        read_yaml(file)
    assert str(error.value) == f"{file}: line {line} is not UTF-8 text; save the file as UTF-8"
