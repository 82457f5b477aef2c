"""The session page in Chromium: live, over lost connections, by keyboard, at 360 px, without a script."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from fwportal.asgi import application
from fwportal.middleware import owner
from sessions.actions import gates
from sessions.actions.events import change, note
from sessions.actions.gates import Verdict
from sessions.models import Gate, TuningSession
from sessions.states import Decision, GateKind, Phase, Status
from tests.factories import (
    NOON,
    QWEN,
    make_account,
    make_base_model,
    make_candidate,
    make_gate,
    make_session,
    set_phase,
)
from tests.ports import free_port

# The web shares this process: a request that is cut off leaves Django's body file to the collector.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE = 90_000  # ms; only a failing test waits so long


@dataclass
class Web:
    """The portal's web in a thread of this process, so that it sees the test's database."""

    port: int
    server: uvicorn.Server | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        config = uvicorn.Config(
            application,
            host="127.0.0.1",
            port=self.port,
            log_level="error",
            lifespan="off",
            timeout_graceful_shutdown=0,
            ws="none",
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.01)

    def stop(self) -> None:
        if self.server and self.thread:
            self.server.should_exit = True
            self.thread.join(20)
            self.server = self.thread = None

    def address(self, session: TuningSession, query: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/s/{session.public_id}/{query}"


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    found = Web(free_port())
    found.start()
    yield found
    found.stop()
    gc.collect()  # what was cut off ends here, not in a test that knows nothing of it


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    found = context.new_page()
    found.set_default_timeout(PATIENCE)
    yield found
    context.close()


@pytest.fixture
def gate(transactional_db: None) -> Gate:
    make_account()
    make_base_model(QWEN)
    session = make_session()
    set_phase(session, Phase.PLANNING)
    return make_gate(session)


def shown(page: Page) -> list[int]:
    found: list[int] = page.eval_on_selector_all(
        "#events [data-seq]", "rows => rows.map(row => +row.dataset.seq)"
    )
    return found


def listening(page: Page, address: str) -> None:
    """Open a page and wait until its stream has said something."""
    with page.expect_request(lambda request: "/part/" in request.url):
        page.goto(address)


def test_no_line_is_lost_or_doubled_over_a_restart_and_a_reload(
    page: Page, web: Web, transactional_db: None
) -> None:
    session = make_session(status=Status.RUNNING)
    listening(page, web.address(session, "?tab=events"))
    note(session, "k", "line 2")
    page.wait_for_selector("#event-2")
    web.stop()
    for number in (3, 4):
        note(session, "k", f"line {number}")
    expect(page.locator("[data-live-lost]")).to_be_visible(timeout=PATIENCE)
    web.start()
    page.wait_for_selector("#event-4")
    expect(page.locator("[data-live-lost]")).to_be_hidden(timeout=PATIENCE)
    assert shown(page) == [4, 3, 2, 1]
    listening(page, web.address(session, "?tab=events"))
    note(session, "k", "line 5")
    page.wait_for_selector("#event-5")
    assert shown(page) == [5, 4, 3, 2, 1]


def test_the_end_is_shown_without_a_reload(page: Page, web: Web, transactional_db: None) -> None:
    session = make_session(status=Status.RUNNING)
    listening(page, web.address(session))
    change(session, "ended", "over", to={"status": Status.CANCELLED, "ended_at": NOON, "wake_at": None})
    expect(page).to_have_title("Cancelled · Support replies · fwportal", timeout=PATIENCE)
    expect(page.locator("text=Nothing of this session runs any more.")).to_be_visible(timeout=PATIENCE)


def test_what_is_being_typed_survives_a_refresh_and_a_decision_elsewhere(
    page: Page, web: Web, gate: Gate
) -> None:
    listening(page, web.address(gate.session))
    page.fill("#reply", "Use fewer ranks")
    note(gate.session, "k", "something else")
    page.wait_for_selector("#event-2")
    expect(page.locator("#reply")).to_have_value("Use fewer ranks")
    assert page.locator("[data-gate-moved]").is_hidden()
    gates.decide(gate, owner(), Verdict(Decision.REJECTED), NOON)
    expect(page.locator("[data-gate-moved]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#reply")).to_have_value("Use fewer ranks")
    page.press("#reply", "Enter")
    expect(page.locator("#outcome")).to_contain_text("Already rejected by owner", timeout=PATIENCE)


def test_a_reply_that_is_not_understood_is_kept(page: Page, web: Web, gate: Gate) -> None:
    listening(page, web.address(gate.session))
    page.fill("#reply", "hmm, dear")
    with page.expect_request(lambda request: "/part/focus/" in request.url):
        page.press("#reply", "Enter")
    expect(page.locator("#outcome")).to_contain_text("Not understood")
    note(gate.session, "k", "more")
    page.wait_for_selector("#event-2")
    expect(page.locator("#reply")).to_have_value("hmm, dear")


def test_an_open_fold_stays_open_while_numbers_move(page: Page, web: Web, transactional_db: None) -> None:
    session = make_session(status=Status.RUNNING)
    curve = [{"step": step, "train_loss": 1.0} for step in (1, 2)]
    candidate = make_candidate(session, state="active", percent=10, launched_at=NOON, curve=curve)
    listening(page, web.address(session, "?tab=training"))
    page.click("#curve-1 summary")
    candidate.percent = 77
    candidate.save()
    note(session, "k", "progress")
    expect(page.locator("#part-panel progress")).to_have_attribute("value", "77", timeout=PATIENCE)
    expect(page.locator("#curve-1")).to_have_attribute("open", "")


def tab_to(page: Page, fits: str) -> None:
    """Press Tab until the focused element fits; the keyboard alone must reach it."""
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({fits!r})"):
            return
    raise AssertionError(f"the keyboard does not reach {fits}")


def plan(gate: Gate) -> None:
    assert gate.kind == GateKind.PLAN


def promotion(gate: Gate) -> None:
    for number in (1, 2):
        make_candidate(gate.session, number, state="done", validation_loss=1.0 + number / 10)
    Gate.objects.filter(pk=gate.pk).update(kind=GateKind.PROMOTION, plan=None, body={"suggested": 1})


def trouble(gate: Gate) -> None:
    Gate.objects.filter(pk=gate.pk).update(kind=GateKind.TROUBLE, plan=None, body={"text": "Try again?"})


def test_a_refresh_leaves_the_keyboard_where_it_was(page: Page, web: Web, gate: Gate) -> None:
    trouble(gate)
    listening(page, web.address(gate.session))
    tab_to(page, "button[value=approve]")
    for words in ("Three jobs", "Two jobs"):
        Gate.objects.filter(pk=gate.pk).update(body={"text": words})
        note(gate.session, "k", "something else")
        page.wait_for_selector(f"text={words}")
    expect(page.locator("button[value=approve]")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector(".page-messages")
    gate.refresh_from_db()
    assert gate.decision == Decision.APPROVED


@pytest.mark.parametrize("made", [plan, promotion, trouble])
@pytest.mark.parametrize(("button", "decision"), [("approve", "approved"), ("reject", "rejected")])
def test_every_gate_is_decided_by_keyboard(
    page: Page, web: Web, gate: Gate, made: Callable[[Gate], None], button: str, decision: str
) -> None:
    made(gate)
    page.goto(web.address(gate.session))
    if button == "reject":
        tab_to(page, "#gate-reject > summary")
        page.keyboard.press("Enter")
    tab_to(page, f"button[value={button}]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".page-messages")
    gate.refresh_from_db()
    assert gate.decision == decision


def test_questions_are_answered_by_keyboard_with_the_search(
    page: Page, web: Web, transactional_db: None
) -> None:
    make_account()
    names = [f"accounts/fireworks/models/model-{number}" for number in range(12)]
    for name in names:
        make_base_model(name)
    options = [{"value": name, "label": name.rsplit("/", 1)[-1]} for name in names]
    body = {"questions": [{"field": "base_models", "text": "Which?", "options": options}]}
    gate = make_gate(make_session(), GateKind.QUESTIONS, body=body)
    page.goto(web.address(gate.session))
    tab_to(page, "input[type=search]")
    page.keyboard.type("model-7")
    page.keyboard.press("Enter")
    expect(page.locator("#q-base_models li:visible")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    tab_to(page, "button[value=answer]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".page-messages")
    gate.refresh_from_db()
    assert gate.session.specification.value("base_models") == (names[7],)


def test_without_a_script_the_page_is_whole_and_decides(browser: Browser, web: Web, gate: Gate) -> None:
    bare = browser.new_context(java_script_enabled=False).new_page()
    bare.goto(web.address(gate.session, "?tab=plan"))
    assert bare.locator("text=Resolved values, and where each comes from").is_visible()
    bare.click("button[value=approve]")
    expect(bare.locator(".page-messages")).to_contain_text("Approved.")
    gate.refresh_from_db()
    assert gate.decision == Decision.APPROVED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_never_scrolls_sideways(browser: Browser, web: Web, gate: Gate, scheme: str) -> None:
    make_candidate(gate.session, state="active", launched_at=NOON, job="accounts/rehearsal/jobs/" + "x" * 60)
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
    narrow = context.new_page()
    wide = []
    for tab in ("plan", "data", "training", "scoreboard", "cost", "events"):
        narrow.goto(web.address(gate.session, f"?tab={tab}"))
        if narrow.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(tab)
    context.close()
    assert wide == []
