"""Which candidate is suggested, and how sure that is said to be."""

from sessions.models import Candidate
from workflows.phases.promotion import proposal


def candidate(number, loss):
    return Candidate(number=number, validation_loss=loss)


def test_the_lowest_validation_loss_is_suggested():
    body = proposal([candidate(1, 1.2), candidate(2, 0.9), candidate(3, 1.0)], 100)
    assert body["suggested"] == 2
    assert [each["number"] for each in body["ranking"]] == [2, 3, 1]
    assert "100 held-out rows" in body["rule"]
    assert "10.0% lower than candidate 3" in body["certainty"]


def test_a_small_lead_is_called_noise():
    assert proposal([candidate(1, 1.000), candidate(2, 1.001)], 10)["certainty"].startswith("Within noise")


def test_candidates_without_a_loss_come_last_and_equal_ones_by_number():
    body = proposal([candidate(1, None), candidate(3, 0.5), candidate(2, 0.5)], 10)
    assert [each["number"] for each in body["ranking"]] == [2, 3, 1]


def test_without_any_loss_nothing_is_claimed():
    assert "nothing speaks for it" in proposal([candidate(1, None)], 10)["certainty"]
