"""Requests that no browser would send."""

import socket


def noise(rng):
    return bytes(rng.choices(range(256), k=rng.choice((0, 1, 9, 99, 999))))


def digits(rng):
    return str(rng.choice((0, 7, 29, 30, -1, 2**31, 2**64, "9" * 5000, "٣", "%00", "1e3", "0x1")))


def requests(rng, count, host, target, body, method):
    """Random requests to a page.

    Args:
        rng: Generator.
        count: Number of requests.
        host: The page's own host, as bytes.
        target: Makes a target that the page may know, as text.
        body: Makes a body, as bytes.
        method: The method that the page expects, as bytes.
    """
    elsewhere = ("//evil.example/", "*", "http://evil.example/", "/static/../page.py")
    elsewhere += ("/static/%2e%2e/page.py", "/static/" + "a" * 5000, "/?" + "a=%&" * 500)
    for _ in range(count):
        content = body()
        verb = rng.choice(
            (
                *[method] * 9,
                b"GET",
                b"GET",
                b"POST",
                b"PUT",
                b"HEAD",
                b"OPTIONS",
                b"TRACE",
                method.lower(),
                noise(rng)[:9],
            )
        )
        headers = {b"Host": host, b"Content-Type": b"application/json"}
        headers[b"Content-Length"] = str(len(content)).encode()
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            name, values = rng.choice(
                (
                    (b"Host", (b"evil.example", b"", b"[::1", b"[::1]:1", b"\xff", b"a" * 5000)),
                    (b"Origin", (b"null", b"http://evil.example", b"http://[", b"\xff")),
                    (b"Content-Type", (b"text/plain", b"application/json; charset=x", b"\xff")),
                    (b"Content-Length", (b"-1", b"0", b"9" * 30, b"x", b"1e3", b"1024", b"1025")),
                    (b"Transfer-Encoding", (b"chunked", b"gzip", b"chunked, chunked", b"x")),
                    (b"Content-Encoding", (b"gzip", b"x")),
                    (b"Cookie", (b"=" * 999, b"a=\xff;;;", b"session=" + b"a" * 9999)),
                    (b"Range", (b"bytes=0-0", b"bytes=9-1", b"x=" + b"1" * 99)),
                    (b"If-Modified-Since", (b"Fri, 99 Foo 0000 99:99:99 GMT", b"\xff")),
                    (b"If-None-Match", (b'"', b"*", b'W/"' + b"a" * 999)),
                    (b"Expect", (b"100-continue", b"x")),
                    (b"Connection", (b"close", b"upgrade", b"x")),
                    (b"X-Forwarded-Host", (b"evil.example",)),
                    (b"X-" + noise(rng).hex().encode(), (noise(rng).hex().encode(),)),
                    (noise(rng)[:20], (noise(rng),)),
                )
            )
            headers[name] = rng.choice(values)
        known = [path.encode() for path in (*[target()] * 30, *elsewhere)]
        where = rng.choice((*known, b"/" + noise(rng), noise(rng)))
        lines = [verb + b" " + where + b" HTTP/" + rng.choice((*[b"1.1"] * 9, b"1.0", b"9", b""))]
        lines += [name + b": " + value for name, value in headers.items()]
        yield b"\r\n".join(lines) + b"\r\n\r\n" + content


def replies(place, request):
    """What comes back until the server closes the connection."""
    with socket.create_connection(place, timeout=60) as browser:
        received = b""
        try:
            browser.sendall(request)
            browser.shutdown(socket.SHUT_WR)
            while part := browser.recv(2**16):
                received += part
        except TimeoutError:
            raise
        except OSError:
            pass  # it hung up on too large a request
        return received
