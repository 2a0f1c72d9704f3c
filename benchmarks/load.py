"""A class opens the app: python -m benchmarks.load [--people 40] [--seconds 40] [--cycles 200].

People arrive two per second, each opens the page of one of eight systems, moves a slider about once a second, and a
third of them let the simulation play. They speak the real protocol to a real server, over websockets of their own, and
count what a browser would have to wait for: a page is usable when it has its state and its first numbers, and a slider
is answered when the numbers of its new place are there. Nothing but this machine is spoken to.

The people are cheap (what they receive is looked through for our messages, not decoded), but they share the processor
with the server: where few cores are free, look at the server's CPU time first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.harness import RESULTS, machine
from mfexplore.core.catalogue import system

SYSTEMS = (
    "curie_weiss", "hopfield", "kuramoto", "contact_process", "ising_lattice", "may_leonard", "random_energy",
    "rosenzweig_porter",
)  # fmt: skip
PER_SECOND = 2.0  # people who arrive
BETWEEN_MOVES = 1.0  # seconds, on average
PLAYING = 3  # every third person plays
FEWEST_MOVES = 2  # however late the page was usable
LOADED = 2  # times that each page is opened before, for each process of the server: whatever is loaded once, is
OPENED = 3  # times that each page is opened to see what that costs, up to its first numbers
TRIES = 60  # to reach the process that a page belongs to, as in static/line.js
SAME = 2.0  # seconds after which no sentence comes any more: it says what it said before
PATIENCE = 120.0  # seconds after which a person counts what is awaited as an error
MOST_PEOPLE, MOST_SECONDS = 200, 600.0


# -- the wire ------------------------------------------------------------------------------------------------------


class Wire(Protocol):
    """A page's connection: what a browser does to open it, to say a message and to hear one."""

    async def say(self, message: dict[str, Any]) -> None: ...

    def heard(self) -> AsyncIterator[dict[str, Any]]:
        """Our messages, as they arrive, until the server closes the connection."""

    def close(self) -> None: ...


class LineWire:
    """What a page's script does on our own server: the page, its session, and then a line of its own to the desk."""

    def __init__(self, session: WebSocketClientConnection, line: WebSocketClientConnection) -> None:
        self.session, self.line = session, line

    @classmethod
    async def open(cls, address: str, key: str) -> LineWire:
        """What the browser does: the page, its token, the websocket, the document, the line."""
        page = await AsyncHTTPClient().fetch(f"{address}/{key}", request_timeout=PATIENCE)
        token = re.search(r'"token"\s*:\s*"([^"]+)"', page.body.decode())
        if token is None:
            raise ConnectionError(f"{key} was answered with a page that holds no session")
        socket = address.replace("http", "ws", 1)
        origin = {"Origin": address}
        request = HTTPRequest(f"{socket}/{key}/ws", headers=origin)
        session = await websocket_connect(request, subprotocols=["bokeh", token[1]], max_message_size=2**28)
        await session.read_message()
        for piece in ({"msgid": f"{random.getrandbits(64):x}", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            await session.write_message(json.dumps(piece))
        secret = None
        while secret is None:
            piece = await session.read_message()
            if piece is None:
                raise ConnectionError("the server closed the connection")
            secret = re.search(r'"line"\s*,\s*"([^"]+)"', str(piece))
        for _ in range(TRIES):  # a server of several processes
            request = HTTPRequest(f"{socket}/line/{secret[1]}", headers=origin)
            line = await websocket_connect(request, max_message_size=2**28)
            if await line.read_message() is not None:
                return cls(session, line)
            await asyncio.sleep(0.05)  # the one that is busy accepts less often
        raise ConnectionError("no line to the page")

    async def say(self, message: dict[str, Any]) -> None:
        await self.line.write_message(json.dumps(message))

    async def heard(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            frame = await self.line.read_message()
            if not isinstance(frame, bytes):
                raise ConnectionError("the server closed the connection")
            for message in json.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")])["messages"]:
                yield message

    def close(self) -> None:
        self.line.close()
        self.session.close()


# -- people --------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What all people together have seen; seconds."""

    usable: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    frames: int = 0
    errors: list[str] = field(default_factory=list)


class Person:
    """Opens one page and plays with it; `pause`: seconds between two moves of a slider, on average. only_looks: goes
    as soon as the page has its first numbers.
    """

    def __init__(
        self, address: str, key: str, plays: bool, seed: int, seen: Seen, pause: float = BETWEEN_MOVES,
        only_looks: bool = False,
    ) -> None:  # fmt: skip
        self.address, self.key, self.plays, self.seen, self.pause = address, key, plays, seen, pause
        self.only_looks = only_looks
        self.rng = random.Random(seed)
        self.news = asyncio.Condition()
        self.told: dict[str, int] = {}  # how many messages of each kind have come
        self.acknowledged = 0
        self.said = self.stated = 0.0  # when the sentence of the present place came, and its state; 0: not yet
        self.seq = 0

    async def visit(self, until: float) -> None:
        """Come, move a slider until the time is over, and go."""
        start = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                wire = await LineWire.open(self.address, self.key)
        except Exception as error:
            self.seen.errors.append(f"{self.key} did not open: {error!r}")
            return
        listening = asyncio.create_task(self._listen(wire))
        try:
            await self._say(wire, {"type": "hello"})
            await self._until(lambda: self.told.get("state", 0) and self.told.get("sentence", 0), listening)
            self.seen.usable.append(time.perf_counter() - start)
            if self.only_looks:
                return
            if self.plays:
                await self._say(wire, {"type": "play", "on": True})
            moves = 0
            while moves < FEWEST_MOVES or time.perf_counter() < until:
                await asyncio.sleep(self.rng.expovariate(1 / self.pause))
                await self._move(wire, listening)
                moves += 1
        except Exception as error:
            self.seen.errors.append(f"{self.key}: {error!r}")
        finally:
            listening.cancel()
            wire.close()

    async def _move(self, wire: Wire, listening: asyncio.Task[None]) -> None:
        """One step of a slider, and its answer: acknowledged, and then the numbers of the new place."""
        name, low, high = slider(self.key)
        start = time.perf_counter()
        seq = await self._say(wire, {"type": "control", "name": name, "value": self.rng.uniform(low, high)})
        await self._until(lambda: self.acknowledged >= seq and (self.said or self.stated), listening)
        with suppress(TimeoutError):  # where the sentence is the same as before, the state says that all is done
            async with asyncio.timeout(SAME):
                await self._until(lambda: self.said, listening)
        self.seen.answers.append((self.said or self.stated) - start)

    async def _say(self, wire: Wire, message: dict[str, Any]) -> int:
        self.seq += 1
        await wire.say(message | {"seq": self.seq})
        return self.seq

    async def _listen(self, wire: Wire) -> None:
        try:
            async for message in wire.heard():
                kind = str(message.get("type"))
                async with self.news:
                    self.told[kind] = self.told.get(kind, 0) + 1
                    if kind == "ack":
                        self.acknowledged = max(self.acknowledged, int(message.get("seq") or 0))
                        self.said = self.stated = 0.0
                    self.said = self.said or time.perf_counter() * (kind == "sentence")
                    self.stated = self.stated or time.perf_counter() * (kind == "state")
                    self.seen.frames += kind == "run"
                    if kind == "notice" and message.get("kind") == "error":
                        self.seen.errors.append(f"{self.key} says: {message.get('text')}")
                    self.news.notify_all()
        finally:
            async with self.news:
                self.news.notify_all()

    async def _until(self, happened: Any, listening: asyncio.Task[None]) -> None:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(lambda: happened() or listening.done())
        if not happened():
            listening.result()


def slider(key: str) -> tuple[str, float, float]:
    """The control that is moved: the first number of the theory, in the middle of its range."""
    kind = system(key)
    name = kind.axis_names()[0]
    low, high = kind.control(name).bounds
    return name, low + 0.2 * (high - low), low + 0.8 * (high - low)


async def crowd(address: str, people: int, seconds: float, keys: tuple[str, ...], rate: float, seen: Seen) -> None:
    """All of them: one after the other comes, each stays until the end."""
    until = time.perf_counter() + people / rate + seconds
    visits = []
    for k in range(people):
        person = Person(address, keys[k % len(keys)], k % PLAYING == PLAYING - 1, k, seen)
        visits.append(asyncio.create_task(person.visit(until)))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*visits)


async def opened_and_closed(address: str, times: int, keys: tuple[str, ...], seen: Seen) -> None:
    """One page after the other is opened, used once, and closed."""
    for k in range(times):
        await Person(address, keys[k % len(keys)], False, k, seen, pause=0.1).visit(0.0)


async def cost_of_opening(server: Server, keys: tuple[str, ...], seen: Seen) -> float:
    """The server's CPU seconds for a page up to its first numbers, on average; what comes after it is not looked at."""
    spent = 0.0
    for k in range(OPENED * len(keys)):
        before = server.cpu()
        await Person(server.address, keys[k % len(keys)], False, k, seen, only_looks=True).visit(0.0)
        spent += server.cpu() - before
        await asyncio.sleep(SAME)  # what it began in the background ends
    return spent / (OPENED * len(keys))


# -- the server ----------------------------------------------------------------------------------------------------


class Server:
    """A server of our own on this machine, in processes of its own."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address

    def _family(self) -> Iterator[int]:
        """The process and its children (it may have forked)."""
        ahead = [self.process.pid]
        while ahead:
            pid = ahead.pop()
            yield pid
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                ahead += [int(child) for child in task.read_text().split()]

    def processes(self) -> int:
        return sum(1 for _ in self._family())

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        ticks = 0
        for pid in self._family():
            values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(values[11]) + int(values[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident MiB: with the pages of libraries that are files, which all processes share (LLVM's are 70 MiB)."""
        return self._mebibytes("Rss")

    def own(self) -> float:
        """MiB that are no file's and nobody shares: what another process of the same would take as well."""
        return self._mebibytes("Private_Dirty")

    def _mebibytes(self, *kinds: str) -> float:
        kib = 0
        for pid in self._family():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kib += sum(int(found) for kind in kinds for found in re.findall(rf"^{kind}:\s+(\d+)", rollup, re.M))
        return kib / 1024


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """A server on a free port, until the end of the context."""
    command = [sys.executable, "-m", "mfexplore.cli", "serve", "--port", "0", "--no-browser", "--no-warm", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"http://\S+?:\d+", line)
            if found:
                threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would hold the server
                yield Server(process, found[0])
                return
        raise ConnectionError("the server did not start")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


# -- the test ------------------------------------------------------------------------------------------------------


def percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"p50": np.nan, "p95": np.nan, "worst": np.nan}
    return {name: round(float(np.percentile(seconds, p)), 4) for name, p in (("p50", 50), ("p95", 95), ("worst", 100))}


@asynccontextmanager
async def measured(server: Server, found: dict[str, Any], name: str) -> AsyncIterator[None]:
    """The server's CPU seconds during the context."""
    before = server.cpu()
    yield
    found[name] = round(server.cpu() - before, 3)


async def study(
    server: Server, people: int, seconds: float, cycles: int, keys: tuple[str, ...], console: Console
) -> dict[str, Any]:
    """Everything that is measured, as plain numbers; the console is told how far it is."""
    found: dict[str, Any] = {"people": people, "seconds": seconds, "systems": list(keys)}
    alone = Seen()
    console.print("one after the other ...")
    await opened_and_closed(server.address, 1, keys, alone)
    found |= {"memory_first_person": round(server.memory(), 1), "own_memory_first_person": round(server.own(), 1)}
    await opened_and_closed(server.address, LOADED * server.processes() * len(keys), keys, alone)
    await asyncio.sleep(8)  # until the sessions are forgotten
    found["memory_all_systems"] = round(server.memory(), 1)
    found["cpu_per_open"] = round(await cost_of_opening(server, keys, alone), 3)
    async with measured(server, found, "cpu_alone"):
        await opened_and_closed(server.address, len(keys), keys, alone)
    found["cpu_per_open_and_move"] = round(found.pop("cpu_alone") / len(keys), 3)
    seen = Seen()
    console.print(f"{people} people ...")
    start = time.perf_counter()
    async with measured(server, found, "cpu"):
        crowded = asyncio.create_task(crowd(server.address, people, seconds, keys, PER_SECOND, seen))
        await asyncio.sleep(people / PER_SECOND + 0.8 * seconds)
        found["memory_each_further"] = round((server.memory() - found["memory_all_systems"]) / people, 2)
        await crowded
    found["cpu_per_second"] = round(found["cpu"] / (time.perf_counter() - start), 2)
    found |= {"usable": percentiles(seen.usable), "answer": percentiles(seen.answers), "moves": len(seen.answers)}
    found["frames_per_second"] = round(seen.frames / seconds, 1)
    if cycles:
        console.print(f"{cycles} times opened and closed ...")
        await opened_and_closed(server.address, cycles, keys, seen)
        await asyncio.sleep(8)
        found[f"memory_after_{cycles}_cycles"] = round(server.memory(), 1)
    found["errors"] = len(seen.errors) + len(alone.errors)
    found["first_errors"] = (alone.errors + seen.errors)[:5]
    return found


def main(console: Console, given: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=40.0, help="that the last who comes stays")
    parser.add_argument("--cycles", type=int, default=200, help="pages opened and closed at the end")
    parser.add_argument("--option", action="append", default=[], help="of the server, e.g. --option=--num-procs=2")
    parser.add_argument("--save", default="", help="name of the record in benchmarks/results")
    arguments = parser.parse_args(given)
    people, seconds = min(arguments.people, MOST_PEOPLE), min(arguments.seconds, MOST_SECONDS)
    with serving(*arguments.option) as server:
        found = asyncio.run(study(server, people, seconds, arguments.cycles, SYSTEMS, Console(stderr=True)))
    console.print_json(json.dumps(found))
    if arguments.save:
        record = {"machine": machine(), "load": found}
        (RESULTS / f"{arguments.save}.json").write_text(json.dumps(record, indent=2) + "\n")
    return 1 if found["errors"] else 0


if __name__ == "__main__":
    sys.exit(main(Console(), sys.argv[1:]))
