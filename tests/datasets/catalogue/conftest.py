"""A publisher of small files on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toadstone.datasets.catalogue.entries import Original

ROWS = "".join(
    f"{20 + i}, Private, 7{i}, 9th, 9, Divorced, Sales, Wife, White, Male, 0, 0, 4, Cuba, {'>' if i % 2 else '<='}50K\n"
    for i in range(30)
)


FILES = {"adult.data": ROWS.encode(), "adult.test": ("|x\n" + ROWS.replace("50K", "50K.")).encode()}


class Publisher:
    """Serves some files; may cut one short. Counts what was asked for."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.cut: set[str] = set()
        self.asked: list[str] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/").partition("?")[0]
                publisher.asked.append(name)
                if name not in publisher.files:
                    self.send_error(404)
                    return
                content = publisher.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if name in publisher.cut else content)

            def log_message(self, *_: object) -> None:
                """Keep the test output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def original(self, *, checked: bool = True) -> Original:
        sums = tuple(f"sha256:{hashlib.sha256(content).hexdigest()}" for content in FILES.values())
        urls = tuple(f"{self.address}/{name}?download=1" for name in FILES)
        return Original(urls, sums if checked else (None, None), "parse_adult")


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    serving = Publisher()
    thread = threading.Thread(target=serving.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.server.shutdown()
    serving.server.server_close()
    thread.join()
