"""The loop of `up`: start, watch, restart, and end everything in order."""

from __future__ import annotations

import http.client
import signal
import time
from types import FrameType

from fwportal.supervisor.child import DELAYS, Child
from fwportal.supervisor.screen import Screen

TICK = 0.1
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Children are added in start order. Signals only set a flag that the loop looks at."""

    def __init__(self, screen: Screen, logs: str) -> None:
        self.screen, self.logs = screen, logs
        self.children: list[Child] = []
        self.asked_to_end = 0

    def listen(self) -> None:
        for number in ENDING:
            signal.signal(number, self._ask_to_end)

    def _ask_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self.asked_to_end += 1

    def start(self, *children: Child) -> None:
        for child in children:
            child.start()
            self.children.append(child)

    def watch(self, port: int) -> None:
        """Returns when the person ends it. Prints the address once the first page answers."""
        announced = False
        while not self.asked_to_end:
            self.heal()
            if not announced and page_answers(port):
                announced = True
                self.screen.good("portal", f"Open http://127.0.0.1:{port}   (Ctrl-C ends everything)")
            time.sleep(TICK)

    def heal(self) -> None:
        now = time.monotonic()
        for child in self.children:
            status = child.died()
            if status is not None:
                self._mourn(child, status, child.plan_restart(now))
            elif child.due_at is not None and now >= child.due_at:
                child.start()

    def _mourn(self, child: Child, status: int, delay: float) -> None:
        how = f"was killed (signal {-status})" if status < 0 else f"ended (exit {status})"
        name = child.part.name
        if child.quick_deaths < len(DELAYS):
            self.screen.note(name, f"{how}; starting it again")
        else:
            self.screen.bad(
                name,
                f"{how} {child.quick_deaths} times in a row; next try in {delay:.0f} s. "
                f"Last line of {self.logs}/{name}.log: {child.last_words()}",
            )

    def end(self, order: tuple[tuple[str, ...], ...]) -> None:
        """Ends the named groups one after the other, each within its grace; a second Ctrl-C cuts it short."""
        already = self.asked_to_end
        by_name = {child.part.name: child for child in self.children}
        for names in order:
            group = [by_name[name] for name in names if name in by_name]
            for child in group:
                child.terminate()
            for child in group:
                impatient = self.asked_to_end > already
                child.end(time.monotonic() + (0 if impatient else child.part.grace))


def page_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
