"""The server over HTTP and websockets, without a browser: addresses, limits, strangers, a loop that runs already."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import panel as pn
import psutil
import pytest
from bokeh.document import Document
from bokeh.server.session import ServerSession
from bokeh.util.token import generate_jwt_token, generate_session_id
from panel.io.state import set_curdoc
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

import mfexplore as mf
from benchmarks import load
from mfexplore.app import server as app
from mfexplore.app import thumbnails
from mfexplore.app.component import Workbench
from mfexplore.app.line import NOT_HERE
from mfexplore.core.catalogue import places
from mfexplore.study.warmup import is_warm, warm
from mfexplore.workbench.messages import Reset


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    if not is_warm("curie_weiss"):
        warm("curie_weiss")


@pytest.fixture
def served() -> Iterator[Any]:
    """Runs a test with a server that is in its loop; the test gets the server's address."""
    made: list[Any] = []

    def run(test: Any, **options: Any) -> None:
        async def within() -> None:
            server = app.make_server(0, "localhost", warm=False, **options)
            made.append(server)
            server.start()
            await test(f"http://localhost:{server.port}{options.get('prefix', '')}")

        asyncio.run(within())

    yield run
    for server in made:
        server.kernels.stop()


async def get(address: str, follow: bool = True) -> HTTPResponse:
    request = HTTPRequest(address, follow_redirects=follow, request_timeout=120)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


@pytest.mark.parametrize("prefix", ["", "/on/a/hub"])
def test_every_spelling_of_an_address_leads_somewhere(served: Any, prefix: str) -> None:
    async def test(address: str) -> None:
        gallery = await get(f"{address}/")
        assert b'href="curie_weiss"' in gallery.body
        if prefix:
            assert (await get(address)).effective_url == f"{address}/"
        slashes = await get(f"{address}/curie_weiss//?field=0.1", follow=False)  # as browsers read it, not Python
        assert slashes.headers["Location"] == "../../curie_weiss?field=0.1"
        for spelling in ("Curie-Weiss", "CURIE_WEISS", "curie-weiss.html"):
            found = await get(f"{address}/{spelling}")
            assert found.code == 200, spelling
            assert found.effective_url.startswith(f"{address}/curie_weiss"), spelling
            assert b"Curie-Weiss" in found.body
        doubled = await get(f"{address}//curie_weiss", follow=False)  # for Python's urljoin two slashes are one
        assert doubled.headers["Location"] == "../curie_weiss"
        for spelling in ("%63urie_weiss", "here/curie_weiss"):
            found = await get(f"{address}/{spelling}", follow=False)
            assert urljoin(f"{address}/{spelling}", found.headers["Location"]) == f"{address}/curie_weiss", spelling
        for below in ("curie_weiss/index.html", "nothing/at/all"):  # their page has its styles
            body = (await get(f"{address}/{below}")).body
            base = re.search(rb'<base href="([./]+)">', body)
            assert base is not None, below
            assert urljoin(f"{address}/{below}", base[1].decode()) == f"{address}/", below
        assert b"Did you mean" in (await get(f"{address}/curie_wiess")).body
        for nowhere in (
            "nothing/at/all",
            "curie_wiess",
            "%00",
            "figures/x-y-0.json",
            "x" * 3000,
            "..%2f..%2fetc/passwd",
        ):
            assert (await get(f"{address}/{nowhere}")).code == 404, nowhere

    served(test, prefix=prefix)


def test_a_card_has_a_picture_before_the_new_one_is_made(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "folder", lambda: tmp_path)
    monkeypatch.setattr(thumbnails, "kept_folders", tuple)
    monkeypatch.setattr(thumbnails, "STEPS", 3)

    async def test(address: str) -> None:
        answer = await get(f"{address}/thumbnail/curie_weiss.png")
        assert answer.code == 202
        assert answer.body == (thumbnails.SHIPPED / "curie_weiss.webp").read_bytes()
        assert answer.headers["Content-Type"] == "image/webp"
        end = time.monotonic() + 60
        while answer.code == 202:
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
            answer = await get(f"{address}/thumbnail/curie_weiss.png?shown")
            assert answer.code == 200 or not answer.body, "it need not travel again"
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.body == thumbnails.stored("curie_weiss")

    served(test)


def test_the_package_has_a_picture_of_every_system() -> None:
    missing = {key for key in places() if thumbnails.former(key) is None}
    assert not missing, "python -m mfexplore.app.thumbnails makes them"
    assert {file.stem for file in thumbnails.SHIPPED.iterdir()} <= set(places())


QUERIES = (
    "temperature=" + "9" * 4000, "seed=" + "9" * 4000, "x=temperature&y=temperature", "field=nan&coupling=inf",
    "&".join(f"u{k}=1" for k in range(2000)), "%ff=%fe", "temperature[]=1&temperature=0.5", "theme=dark&colour=",
    "x_window=1&y_window=2,1", "<script>alert(1)</script>=1",
)  # fmt: skip


def test_hostile_links_open_the_page(served: Any) -> None:
    async def test(address: str) -> None:
        for query in QUERIES:
            found = await get(f"{address}/curie_weiss?{query}")
            assert found.code == 200 or (found.code == 400 and len(query) > 5000), query[:80]
            assert b"<script>alert" not in found.body

    served(test)


def test_strangers_stay_outside_and_disturb_nobody(served: Any) -> None:
    async def test(address: str) -> None:
        page = (await get(f"{address}/curie_weiss")).body.decode()
        token = json.loads("{" + page[page.index('"token"') :].partition(",")[0].rstrip("}") + "}")["token"]
        socket = f"{address}/curie_weiss/ws".replace("http", "ws", 1)
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(
                HTTPRequest(socket, headers={"Origin": "http://elsewhere.example"}), subprotocols=["bokeh", token]
            )
        elsewhere = generate_jwt_token(generate_session_id(secret_key=b"theirs", signed=True), b"theirs", signed=True)
        for strange in ("nonsense", token[:-9], "eyJzZXNzaW9uX2lkIjogIngifQ", elsewhere):
            request = HTTPRequest(socket, headers={"Origin": address})
            try:
                stranger = await websocket_connect(request, subprotocols=["bokeh", strange])
                await asyncio.wait_for(stranger.read_message(), 10)
                stranger.close()
            except (HTTPClientError, TimeoutError):
                pass
        line = f"{address}/line/nonsense".replace("http", "ws", 1)
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(HTTPRequest(line, headers={"Origin": "http://elsewhere.example"}))
        guessed = await websocket_connect(HTTPRequest(line, headers={"Origin": address}))
        assert await guessed.read_message() is None, "who does not know the secret of a page has no line to it"
        assert guessed.close_code == NOT_HERE
        wire = await load.LineWire.open(address, "curie_weiss")
        for nonsense in ("{", "[]", '"hello"', json.dumps({"type": 7}), json.dumps({"type": "control", "name": {}})):
            await wire.line.write_message(nonsense)
        await wire.line.write_message(b"\xff\x00", binary=True)
        await wire.say({"type": "hello", "seq": 1, "theme": "light"})
        assert (await anext(wire.heard()))["type"]
        wire.close()
        seen = load.Seen()
        await load.crowd(address, people=1, seconds=0.5, keys=("curie_weiss",), rate=10.0, seen=seen)
        assert seen.errors == []
        assert seen.answers

    served(test)


def test_who_has_no_password_stays_outside(served: Any) -> None:
    async def test(address: str) -> None:
        for place in ("/curie_weiss", "/curie_weiss?temperature=0.5"):
            found = await get(f"{address}{place}", follow=False)
            assert found.code == 302, place
            assert "/login" in found.headers["Location"]
        assert (await get(f"{address}/health")).code == 200, "whoever watches the server has no password"

    served(test, basic_auth="secret", cookie_secret="s" * 32)


def test_health_and_the_limit_on_people(served: Any) -> None:
    async def test(address: str) -> None:
        wire = await load.LineWire.open(address, "curie_weiss")
        await wire.say({"type": "hello", "seq": 1, "theme": "light"})
        async for message in wire.heard():
            if message["type"] == "state":
                break
        health = json.loads((await get(f"{address}/health")).body)
        assert (health["people"], health["limit"], health["opened"]) == (1, 1, 1)
        assert b"Come again" in (await get(f"{address}/curie_weiss")).body
        wire.close()
        for _ in range(200):
            await asyncio.sleep(0.1)
            if json.loads((await get(f"{address}/health")).body)["people"] == 0:
                break
        else:
            raise AssertionError("who went away is still counted")

    served(test, people=1)


def test_a_browser_that_vanishes_disturbs_nobody_and_is_no_news(
    served: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(address: str) -> None:
        gone = await load.LineWire.open(address, "curie_weiss")
        await gone.say({"type": "hello", "seq": 1, "theme": "light"})
        async for message in gone.heard():
            if message["type"] == "sentence":
                break
        await gone.say({"type": "play", "seq": 2, "on": True})  # and reads nothing of it
        seen = load.Seen()
        await load.crowd(address, people=2, seconds=0.5, keys=("curie_weiss",), rate=10.0, seen=seen)
        assert seen.errors == []
        assert len(seen.answers) >= 2 * load.FEWEST_MOVES
        for connection in (gone.line, gone.session):
            stream: Any = connection.protocol.stream  # type: ignore[union-attr]
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()  # without a word of goodbye
        for _ in range(200):
            await asyncio.sleep(0.1)
            if json.loads((await get(f"{address}/health")).body)["people"] == 0:
                break
        else:
            raise AssertionError("who vanished is still counted")

    app.keep_the_log_readable()
    monkeypatch.setattr(app, "KEPT_MS", 500)
    served(test)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_in_a_running_loop_serve_returns_at_once_with_the_address() -> None:
    async def test() -> None:
        where = mf.serve(port=0, show=False, warm=False)
        assert where.startswith("http://localhost:")
        assert mf.serve(port=0, show=False, warm=False) == where, "asked again, it is the same server"
        assert (await get(f"{where}curie_weiss")).code == 200
        for server in app._serving.values():
            server.kernels.stop()
            server.stop()
        app._serving.clear()

    asyncio.run(test())


def test_a_sweep_is_laid_over_the_diagram_of_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = mf.sweep(
        "curie_weiss", {"temperature": [0.5, 1.0], "field": [0.1, 0.4]}, samples=1, progress=False, size=50
    )

    async def test() -> None:
        bench = Workbench(mf.system("curie_weiss")(), measured=sweep)
        monkeypatch.setattr(bench._view, "_send_msg", lambda message: None)
        bench._view._handle_msg({"type": "hello", "theme": "light"})
        for _ in range(200):
            await asyncio.sleep(0.05)
            if bench._desk is not None:
                break
        desk: Any = bench._desk
        assert len(desk.panel("diagram").drawing.layers["measured"].columns["x"]) == 4
        bench.close()

    asyncio.run(test())


def test_controls_can_be_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        bench = Workbench(mf.system("curie_weiss")(temperature=0.5), view={"colour": "energy"})
        monkeypatch.setattr(bench._view, "_send_msg", lambda message: None)
        slider = pn.widgets.FloatSlider.from_param(bench.controls.param.temperature)
        slider.value = 0.6  # before anybody looks
        bench._view._handle_msg({"type": "hello", "theme": "light"})
        for _ in range(200):
            await asyncio.sleep(0.05)
            if bench._desk is not None and bench.model.temperature == 0.6:
                break
        desk = bench._desk
        assert desk is not None
        assert desk.session.current.model.temperature == bench.model.temperature == 0.6
        desk.hear(Reset())
        assert bench.controls.temperature == slider.value == type(bench.model)().temperature
        with pytest.raises(ValueError, match="temperature"):
            bench.controls.temperature = -3
        bench.controls.seed = 7
        await asyncio.sleep(0.05)
        assert desk.session.current.seed == 7
        bench.close()

    asyncio.run(test())


def test_a_component_may_be_built_and_hear_in_threads_without_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Bokeh does since 3.10: documents are made, messages handled and sessions ended in any thread."""
    threads: set[int] = set()
    said: list[dict[str, Any]] = []

    def hand_over(message: dict[str, Any]) -> None:
        threads.add(threading.get_ident())
        said.extend(json.loads(message["text"]))

    async def test() -> None:
        document = Document()
        session = ServerSession(generate_session_id(), document, io_loop=IOLoop.current())

        def build() -> Workbench:
            with set_curdoc(document):
                return Workbench(mf.system("curie_weiss")())

        bench = await asyncio.to_thread(build)
        monkeypatch.setattr(bench._view, "_send_msg", hand_over)
        ended: list[str] = []
        bench.tell_lives(lambda: None, lambda: ended.append("once"))

        def hear(*messages: dict[str, Any]) -> None:
            with set_curdoc(document):
                for message in messages:
                    bench._view._handle_msg(message)

        slid = [{"type": "control", "name": "temperature", "value": 0.5 + 0.1 * k, "seq": k + 2} for k in range(3)]
        await asyncio.to_thread(hear, {"type": "hello", "theme": "light", "seq": 1}, *slid[:2])
        for _ in range(200):
            await asyncio.sleep(0.05)
            if any(message["type"] == "sentence" for message in said):
                break
        await asyncio.to_thread(hear, slid[2])
        for _ in range(100):
            await asyncio.sleep(0.05)
            if {"type": "ack", "seq": 4} in said:
                break
        assert bench.model.temperature == pytest.approx(0.7), "in the order in which they were said"
        assert threads == {threading.get_ident()}, "what is told is told in the loop's own thread"
        await asyncio.gather(*(asyncio.to_thread(bench.close) for _ in range(4)))
        assert ended == ["once"]
        session.destroy()

    asyncio.run(test())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="several processes serve where there is fork")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_that_serves_survives_the_one_that_was_asked_to(end: signal.Signals) -> None:
    with load.serving("--num-procs", "2") as server:
        family = [psutil.Process(pid) for pid in server._family()]
        assert len(family) == 3
        server.process.send_signal(end)
        assert not psutil.wait_procs(family, timeout=60)[1]
