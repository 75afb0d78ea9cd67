"""Where pages listen, and what they answer."""

import re

import pytest

from vlmrm.errors import UserError
from vlmrm.web.server import address, is_private, listen


def test_a_port_in_use_is_told():
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(UserError, match=r"--port: \d+ is in use on 127.0.0.1; choose another"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_host_that_is_not_here_is_told():
    for host in ("192.0.2.1", "no such host", "a..b", "é" * 100, "[::1]"):
        with pytest.raises(
            UserError, match=re.escape(f"--host: '{host}' is not an address of this machine")
        ):
            listen(host, 0)


@pytest.mark.parametrize(
    ("host", "private"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_whether_others_can_connect(host, private):
    with listen(host, 0) as listener:
        assert is_private(listener) == private
        assert re.fullmatch(r"http://[^/]+:\d+/", address(listener))
        assert "0.0.0.0" not in address(listener)
