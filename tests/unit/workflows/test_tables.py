"""Tables for other programs."""

from sessions.models import Candidate
from workflows.tables import curves


def test_every_point_of_a_curve_is_a_row():
    candidate = Candidate(number=3, curve=[{"step": 1, "train_loss": 2.5}, {"step": 1, "eval_loss": 1.5}])
    assert curves([candidate]).splitlines()[1:] == ["3,1,,2.5,,,", "3,1,,,1.5,,"]


def test_without_candidates_there_is_only_the_head():
    assert curves([]) == "candidate,step,epoch,train_loss,eval_loss,lr,tokens\n"
