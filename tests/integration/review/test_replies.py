"""What was read once is not changed by a reply."""

import pytest

from sessions.replies import Kind
from tests.integration.workflows.house import chat


@pytest.mark.parametrize(
    "words",
    [
        "Use the evaluation dataset accounts/rehearsal/datasets/other.",
        "Use the dataset accounts/rehearsal/datasets/other and 3 epochs.",
    ],
)
def test_data_that_was_read_already_is_not_changed_at_the_plan(house, words):
    """It would be priced and trained on the old rows, or never come to a plan."""
    house.dataset("other", chat(12, "shape"))
    session = house.start()
    house.drive(session)
    before = session.specification_json
    outcome = house.reply(session, words)
    assert outcome.kind == Kind.AGAIN, outcome
    assert "new session" in outcome.text
    assert session.specification_json == before
    assert house.gate(session).plan.revision == 1


def test_the_same_data_named_again_is_no_change_of_it(house):
    session = house.start()
    house.drive(session)
    assert house.reply(session, f"Use 3 epochs on {session.value('dataset')}.").kind == Kind.DECIDED
    house.drive(session)
    assert house.gate(session).plan.revision == 2
