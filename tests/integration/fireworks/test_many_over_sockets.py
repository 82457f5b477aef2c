"""Many completions at once over real sockets: what surely was unsent is repeated, what may be paid is not."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workflows.fireworks import errors, inference
from workflows.fireworks.client import Fireworks
from workflows.fireworks.many import complete_many
from workflows.fireworks.retrying import Retries
from workflows.fireworks.wire import Exchange, Timeouts

KEY = "fw_canary_0123456789abcdef"
FORMS = inference.addresses("m")
Script = Callable[["Handler", str], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's script says, and counts."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.script(self, body["messages"][0]["content"])

    def answer(self, status: int, body: object, **headers: str) -> None:
        content = json.dumps(body).encode()
        if headers.get("content_encoding") == "gzip":
            content = gzip.compress(content)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Nothing: the test looks at `asked`."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], dict[str, object]]] = []
        self.script: Script = lambda handler, text: handler.answer(200, said(text))


def said(text: str) -> dict[str, object]:
    return {"model": "m", "choices": [{"message": {"content": f"re {text}"}, "finish_reason": "stop"}]}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


async def wait(waits: list[float], seconds: float) -> None:
    waits.append(seconds)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def seen() -> list[Exchange]:
    return []


@pytest.fixture
def fireworks(server: Server, waits: list[float], seen: list[Exchange]) -> Iterator[Fireworks]:
    retries = Retries(sleep_among=partial(wait, waits), jitter=lambda: 1.0)
    address = f"http://127.0.0.1:{server.server_port}"
    options = {"retries": retries, "observe": seen.append, "asks": lambda _model: True, "owns": bool}
    with Fireworks(address, KEY, "acme", **options) as client:
        yield client


def asked(*texts: object) -> Iterator[tuple[str, dict[str, object]]]:
    for text in texts:
        yield str(text), inference.chat_body([{"role": "user", "content": str(text)}], max_tokens=4)


def test_every_question_gets_its_own_answer_over_few_connections(server, fireworks, seen):
    outcomes = dict(complete_many(fireworks, asked(*range(200)), FORMS, at_once=8))
    assert {key: outcome.text for key, outcome in outcomes.items()} == {str(n): f"re {n}" for n in range(200)}
    path, headers, body = server.asked[0]
    assert (path, headers["Authorization"]) == (inference.PATH, f"Bearer {KEY}")
    assert (headers["User-Agent"], headers["Content-Type"]) == ("fwportal", "application/json")
    assert body["context_length_exceeded_behavior"] == "error"
    assert [each.status for each in seen] == [200] * 200
    assert KEY not in repr(seen)


def test_what_is_sent_is_what_one_call_alone_sends(server, fireworks):
    (question,) = asked("Größe")
    inference.complete(fireworks, question[1], FORMS)
    list(complete_many(fireworks, [question], FORMS))
    alone, among = server.asked
    assert (alone[0], alone[2]) == (among[0], among[2])
    names = ("Authorization", "User-Agent", "Accept", "Content-Type", "Content-Length", "Host")
    assert [alone[1][name] for name in names] == [among[1][name] for name in names]


def test_a_cut_connection_is_lost_and_not_bought_again(server, fireworks, waits):
    server.script = lambda handler, text: handler.cut()
    ((_, outcome),) = complete_many(fireworks, asked("one"), FORMS)
    assert isinstance(outcome, errors.Temporary)
    assert not isinstance(outcome, errors.Unreachable)
    assert (len(server.asked), waits) == (1, [])


def test_an_answer_that_takes_too_long_is_lost_and_not_bought_again(server, fireworks):
    arrived, late = threading.Event(), threading.Event()

    def never(handler, _text):
        arrived.set()
        late.wait(60)
        handler.cut()

    server.script = never
    limits = Timeouts(connect=5.0, read=0.05, write=5.0, pool=5.0)
    steps = fireworks.steps("POST", inference.PATH, body=dict(asked("one"))["one"], timeouts=limits)

    async def ask():
        async with fireworks.among(1) as among:
            return await among(steps)

    with pytest.raises(errors.Temporary, match="no answer came"):
        asyncio.run(ask())
    assert arrived.wait(60), "it was sent before it was given up"
    late.set()
    assert len(server.asked) == 1


def test_nobody_there_is_asked_again_and_told_as_unreachable(waits):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        retries = Retries(sleep_among=partial(wait, waits), jitter=lambda: 1.0)
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Fireworks(nobody, KEY, "acme", retries=retries, asks=lambda model: True) as client:
            ((_, outcome),) = complete_many(client, asked("one"), FORMS)
    assert isinstance(outcome, errors.Unreachable)
    assert waits == [0.5, 1.0, 2.0]


def test_a_refusal_for_now_is_asked_again_after_the_wait_it_asks_for(server, fireworks, waits):
    def busy_first(handler, text):
        if len(server.asked) == 1:
            handler.answer(429, {"error": {"message": "slow down"}}, retry_after="7")
        else:
            handler.answer(200, said(text), content_encoding="gzip")

    server.script = busy_first
    ((_, outcome),) = complete_many(fireworks, asked("one"), FORMS)
    assert (outcome.text, waits) == ("re one", [7.0])


def test_all_forms_of_address_are_tried(server, fireworks):
    forms = inference.addresses("accounts/acme/models/m", "accounts/acme/deployments/d")

    def by_header(handler, text):
        if "fireworks-deployment" in handler.headers:
            handler.answer(200, said(text))
        else:
            handler.answer(404, {"error": {"message": f"no model {KEY}"}})

    server.script = by_header
    (known,) = dict(complete_many(fireworks, asked("one"), forms)).values()
    (unknown,) = dict(complete_many(fireworks, asked("two"), forms[:2])).values()
    assert known.address == str(forms[3])
    assert isinstance(unknown, errors.NotFound)
    assert KEY not in str(unknown)


def test_a_caller_that_stops_leaves_nothing_under_way(server, fireworks, seen):
    together, late = threading.Barrier(3, timeout=60), threading.Event()

    def answer_one(handler, text):
        together.wait()  # none is answered before all three are under way
        if text == "0":
            handler.answer(200, said(text))
        else:
            late.wait(60)
            handler.cut()

    server.script = answer_one
    answers = complete_many(fireworks, asked(*range(9)), FORMS, at_once=3)
    assert next(answers)[0] == "0"
    answers.close()
    late.set()
    assert sorted(each.status for each in seen) == [0, 0, 200]


def test_no_call_outside_the_manifest_leaves(server, fireworks):
    async def ask():
        async with fireworks.among(1) as among:
            return await among(fireworks.steps("POST", "/inference/v1/embeddings", body={}))

    with pytest.raises(errors.CallForbidden):
        asyncio.run(ask())
    assert server.asked == []
