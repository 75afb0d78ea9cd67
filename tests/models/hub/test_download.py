"""Downloads by the hub's own client, interrupted and damaged."""

import errno
import fcntl
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import huggingface_hub
import pytest

from tests.models.fetching import CUT, REPOSITORY, WEIGHTS, refused, sha256
from tests.processes import FORK
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.folder import read_model_provenance
from vlmrm.models.hub.download import partial_downloads


def test_a_download_that_breaks_off_continues_by_itself(hub, settings, folder, capfd):
    class Once(dict):
        def get(self, name, default):
            return self.pop(name, default)

    hub.faults.cut = Once({WEIGHTS: CUT})
    fetch_pretrained("tiny", settings, folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [None, f"bytes={CUT}-"]
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_the_second_try_asks_for_the_remaining_bytes_only(hub, settings, folder, published):
    hub.faults.cut[WEIGHTS] = CUT
    message = refused(settings, folder)
    assert f"{WEIGHTS} stopped after 6.6 MB of 14.3 MB (peer closed connection" in message
    assert message.endswith("run again to resume")
    hub.faults.clear()
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [f"bytes={CUT}-"]
    assert read_model_provenance(folder)["sha256"] == sha256(published[WEIGHTS])


def test_a_part_of_another_version_is_not_continued(hub, settings, folder, published):
    hub.faults.cut[WEIGHTS] = CUT
    refused(settings, folder)
    hub.faults.clear()
    hub.requests.clear()
    other = published[WEIGHTS][:-1] + bytes([published[WEIGHTS][-1] ^ 1])
    commit = hub.add(REPOSITORY, {**published, WEIGHTS: other})
    fetch_pretrained("tiny", settings.model_copy(update={"revision": commit}), folder)
    assert [r.range for r in hub.asked_for(WEIGHTS)] == [None]
    assert (folder / WEIGHTS).read_bytes() == other


def test_what_other_programs_have_downloaded_is_used(
    hub, settings, published, folder, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    options = {"revision": settings.revision, "endpoint": hub.url, "cache_dir": cache}
    cached = Path(huggingface_hub.hf_hub_download(REPOSITORY, WEIGHTS, **options)).resolve()
    hub.requests.clear()
    fetch_pretrained("tiny", settings, folder)
    assert not hub.asked_for(WEIGHTS)
    assert (folder / WEIGHTS).samefile(cached)  # a second name of one file takes no space
    # A damaged one is downloaded.
    (folder / WEIGHTS).unlink()
    cached.write_bytes(b"damaged")
    fetch_pretrained("tiny", settings, folder)
    assert len(hub.asked_for(WEIGHTS)) == 1
    assert (folder / WEIGHTS).read_bytes() == published[WEIGHTS]


def test_damage_on_the_way_is_seen(hub, settings, folder, published):
    hub.faults.garbled.add(WEIGHTS)
    message = refused(settings, folder)
    assert f"{WEIGHTS} is damaged" in message
    assert f"not {sha256(published[WEIGHTS])[:12]}" in message
    hub.faults.clear()
    fetch_pretrained("tiny", settings, folder)


def test_too_little_space_is_told_before_the_download(hub, settings, folder, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**6))
        message = refused(settings, folder)
    assert "MB of disk space, but " in message
    assert f"{folder.parent} has 1.0 MB; free some" in message
    assert not hub.asked_for(WEIGHTS)
    fetch_pretrained("tiny", settings, folder)
    assert "MB to download, " in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, as on Linux")
def test_a_disk_that_fills_up_on_the_way(hub, settings, folder, published):
    # The kernel's own full disk, in the place of what arrives.
    part = folder.parent / ".tiny.download" / f"{sha256(published[WEIGHTS])[:16]}-{WEIGHTS}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    assert "the disk is full; free some space and run again" in refused(settings, folder)
    assert hub.asked_for(WEIGHTS)
    part.unlink()
    fetch_pretrained("tiny", settings, folder)


def hold_lock(folder, held):
    with partial_downloads("models.tiny", folder):
        held.set()
        threading.Event().wait()


def test_a_killed_download_leaves_no_lock(settings, folder):
    held = FORK.Event()
    process = FORK.Process(target=hold_lock, args=(folder, held))
    process.start()
    held.wait()
    assert "another process is downloading it" in refused(settings, folder)
    process.kill()
    process.join()
    fetch_pretrained("tiny", settings, folder)


def test_two_downloads_of_one_model_at_once_are_refused(settings, folder):
    with partial_downloads("models.tiny", folder):
        assert "another process is downloading it" in refused(settings, folder)
    fetch_pretrained("tiny", settings, folder)


def test_file_systems_without_locks_will_do(settings, folder, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    fetch_pretrained("tiny", settings, folder)
