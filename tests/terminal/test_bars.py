import time

import pytest

from vlmrm.terminal import bars


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The log of a command of a workflow that shows its progress."""
    monkeypatch.setattr(bars, "_file", None)
    monkeypatch.setenv(bars.SHOWN, "1")
    monkeypatch.setattr(bars, "SECONDS", 0)
    return tmp_path / "command.log"


def test_a_workflow_sees_how_far_its_command_is(log):
    before = time.time() - 1
    bars.redirect_bars(log)
    with bars.bar(total=40, unit="step", desc="train") as shown:
        shown.update(10)
        text = bars.last_bar(bars.progress_file(log), before)
    assert text.startswith("25 %")
    assert "10 of 40" in text and "step/s" in text and "left" in text
    assert "\n" not in text and "\r" not in text


def test_each_bar_replaces_the_one_before(log):
    before = time.time() - 1
    bars.redirect_bars(log)
    for _ in bars.bar(range(7)):
        pass
    for _ in bars.bar(range(3)):
        pass
    assert bars.last_bar(bars.progress_file(log), before).startswith("100 %")
    assert "3 of 3" in bars.last_bar(bars.progress_file(log), before)


def test_the_last_bar_of_a_long_file(log):
    bars.redirect_bars(log)
    path = bars.progress_file(log)
    path.write_text("".join(f"\r{i} █ of 20000" for i in range(20000)), encoding="utf-8")
    assert bars.last_bar(path, 0) == "19999 █ of 20000"


def test_the_progress_of_an_earlier_command_is_not_shown(log):
    bars.redirect_bars(log)
    with bars.bar(total=4) as shown:
        shown.update(1)
    assert bars.last_bar(bars.progress_file(log), time.time() + 1) == ""
    assert bars.last_bar(log.with_suffix(".none"), 0) == ""


def test_a_command_on_its_own_writes_no_file(log, monkeypatch):
    monkeypatch.delenv(bars.SHOWN)
    bars.redirect_bars(log)
    assert list(bars.bar(range(3))) == [0, 1, 2]
    assert not bars.progress_file(log).exists()
