"""Many chat completions at once: requests per second and CPU per request of the asking process.

Targets: at the same concurrency against the same server in one run, twice the requests of the official SDK's
async client at half its CPU per request or less. The server is a process of its own that answers each
question, as long as a Banking77 prompt with its 77 labels, after 5 ms with one fixed completion: it is the
clients that are measured. The ways take turns for several rounds; the medians count. Ours does all of its
duties meanwhile: manifest, log line, and the kept exchange with hidden secrets.

Run with `make bench`, or `PYTHONPATH=. python benchmarks/completions.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fireworks import AsyncFireworks, DefaultAioHttpClient

from benchmarks.results import keep
from workflows.fireworks.client import Fireworks
from workflows.fireworks.inference import PATH, addresses, chat_body
from workflows.fireworks.many import complete_many
from workflows.fireworks.wire import Exchange

AT_ONCE = 64
ROUNDS = 7
QUESTIONS = 2000
QUESTIONS_SLOW = 300  # for plain httpx, which takes ten times as long for each
PAUSE = 0.005  # seconds that the server takes
MODEL = "accounts/fireworks/models/qwen3-8b"
LABELS = ", ".join(f"label_of_intent_{number}" for number in range(77))
MESSAGES: Any = [
    {"role": "system", "content": f"Name the intent of the bank customer's message. One of: {LABELS}."},
    {"role": "user", "content": "I still have not received my new card, I ordered over a week ago."},
]
COMPLETION = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "card_arrival"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 500, "completion_tokens": 4, "total_tokens": 504},
}


def main() -> None:
    logging.basicConfig(level=logging.INFO, filename=os.devnull)  # as the worker logs
    serving = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, text=True) as server:
        try:
            base = f"http://127.0.0.1:{server.stdout.readline().strip()}"  # type: ignore[union-attr]
            numbers = compared(base)
        finally:
            server.terminate()
    keep("completions", numbers)


def compared(base: str) -> dict[str, Any]:
    ways: dict[str, Callable[[str, int], None]] = {
        "ours": ours,
        "sdk": lambda base, count: asyncio.run(sdk(base, count)),
        "sdk_on_aiohttp": lambda base, count: asyncio.run(sdk(base, count, DefaultAioHttpClient())),
        "plain_httpx": lambda base, count: asyncio.run(plain(base, count)),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way(base, AT_ONCE)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            count = QUESTIONS_SLOW if name == "plain_httpx" else QUESTIONS
            found[name].append(measured(way, base, count))
    numbers: dict[str, Any] = {"at_once": AT_ONCE, "rounds": ROUNDS, "questions_a_round": QUESTIONS}
    for name, rounds in found.items():
        numbers[f"{name}_requests_per_second"] = round(statistics.median(speed for speed, _ in rounds))
        numbers[f"{name}_cpu_us_per_request"] = round(statistics.median(cpu for _, cpu in rounds))
    pairs = list(zip(found["ours"], found["sdk"], strict=True))
    return numbers | {
        "times_the_sdks_requests": round(statistics.median(our[0] / sdk[0] for our, sdk in pairs), 2),
        "times_the_sdks_requests_worst_round": round(min(our[0] / sdk[0] for our, sdk in pairs), 2),
        "share_of_the_sdks_cpu": round(statistics.median(our[1] / sdk[1] for our, sdk in pairs), 2),
        "share_of_the_sdks_cpu_worst_round": round(max(our[1] / sdk[1] for our, sdk in pairs), 2),
    }


def measured(way: Callable[[str, int], None], base: str, count: int) -> tuple[float, float]:
    """(requests per second, microseconds of CPU per request)."""
    begun, used = time.perf_counter(), time.process_time()
    way(base, count)
    used, took = time.process_time() - used, time.perf_counter() - begun
    return count / took, 1e6 * used / count


def ours(base: str, count: int) -> None:
    seen: list[Exchange] = []
    with Fireworks(base, "any", "acme", observe=seen.append, asks=bool) as fireworks:
        questions = ((str(number), chat_body(MESSAGES, max_tokens=16)) for number in range(count))
        for _, answer in complete_many(fireworks, questions, addresses(MODEL), AT_ONCE):
            if isinstance(answer, Exception):
                raise answer
    assert len(seen) == count


async def sdk(base: str, count: int, http: httpx.AsyncClient | None = None) -> None:
    async with AsyncFireworks(base_url=base, api_key="any", http_client=http) as client:

        async def ask() -> None:
            answer = await client.chat.completions.create(
                model=MODEL, messages=MESSAGES, max_tokens=16, temperature=0.0
            )
            assert answer.choices[0].message.content

        await many(ask, count)


async def plain(base: str, count: int) -> None:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=base, limits=limits, headers={"Authorization": "Bearer any"}
    ) as http:

        async def ask() -> None:
            answer = await http.post(PATH, json={"model": MODEL, **chat_body(MESSAGES, max_tokens=16)})
            assert answer.json()["choices"][0]["message"]["content"]

        await many(ask, count)


async def many(ask: Callable[[], Awaitable[None]], count: int) -> None:
    """`count` calls, so many at once."""
    numbers = iter(range(count))

    async def some() -> None:
        for _ in numbers:
            await ask()

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


class Serving(asyncio.Protocol):
    """Just enough of HTTP/1.1, so that the server is not what is measured."""

    CONTENT = json.dumps(COMPLETION).encode()
    HEAD = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(CONTENT)}\r\n\r\n"
    ANSWER = HEAD.encode() + CONTENT

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.came = transport, b""

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, end, rest = self.came.partition(b"\r\n\r\n")
        if not end:
            return
        length = next(
            int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
        )
        if len(rest) >= length:
            self.came = rest[length:]
            asyncio.get_running_loop().call_later(PAUSE, self.transport.write, self.ANSWER)  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Serving, "127.0.0.1", 0, backlog=4 * AT_ONCE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve()) if "--serve" in sys.argv else main()
