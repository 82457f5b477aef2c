"""Which account the portal speaks of: never a row that only holds the trouble of a refresh."""

import pytest

from sessions import queries
from tests.factories import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def keyed(settings):
    """A key, and no account named beside it."""
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False, "account": ""}


def test_a_first_refresh_that_failed_names_no_account(keyed):
    """Else every later call would ask for an account of the name "unknown", for ever."""
    make_account(name="unknown", rehearsal=False, refreshed_at=None, trouble="no answer came")
    assert queries.account_name() == ""
    assert queries.account().trouble == "no answer came"


def test_the_account_of_a_rehearsal_is_not_that_of_a_key(keyed):
    make_account()
    assert queries.account() is None
    assert queries.account_name() == ""


def test_a_refreshed_account_goes_before_one_that_never_was(keyed):
    """PostgreSQL sorts nulls first where SQLite sorts them last."""
    make_account(name="unknown", rehearsal=False, refreshed_at=None)
    make_account(name="acme", rehearsal=False)
    assert queries.account_name() == "acme"
