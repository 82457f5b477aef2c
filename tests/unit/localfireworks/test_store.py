"""The database: guarded writes, order, transactions, and speed-relevant reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from localfireworks.errors import ApiError
from localfireworks.store import Resource, Store


def row(id_: str, created: float = 1.0, state: str = "READY") -> Resource:
    return Resource("things", "a", id_, state, {"k": id_}, created, created)


@pytest.fixture
def store(tmp_path: Path):
    made = Store(tmp_path / "db.sqlite3")
    yield made
    made.close()


def test_a_row_comes_back_as_it_was(store: Store) -> None:
    made = row("x")
    made.private["secret"] = [1, None]
    store.insert(made)
    assert store.get("accounts/a/things/x") == made
    with pytest.raises(ApiError, match="already exists"):
        store.insert(row("x"))


def test_a_save_needs_the_state_it_was_read_in(store: Store) -> None:
    first, second = store.insert(row("x")), row("x")
    first.state = "GONE"
    assert store.save(first, was="READY") is True
    second.state = "READY"
    assert store.save(second, was="READY") is False
    assert [found.state for found in store.in_states("things", ("GONE", "READY"))] == ["GONE"]


def test_pages_come_by_id_or_by_time_without_deleted_rows(store: Store) -> None:
    for id_, created in (("b", 1.0), ("a", 2.0), ("c", 3.0)):
        store.insert(row(id_, created))
    gone = row("d", 0.0)
    gone.deleted = 9.0
    store.insert(gone)
    assert [r.id for r in store.page("things", "a")] == ["a", "b", "c"]
    assert [r.id for r in store.page("things", "a", order="createTime", deleted=True)] == ["d", "b", "a", "c"]
    assert [r.id for r in store.page("things", "a", limit=1, offset=1)] == ["b"]
    assert (store.count("things", "a"), store.count("things", "a", deleted=True)) == (3, 4)


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    store.insert(row("y"))
    with pytest.raises(ApiError), store.transaction():
        store.insert(store.insert(row("x")))
    assert store.get("accounts/a/things/x") is None
    with store.transaction():
        store.insert(row("x"))
    assert store.get("accounts/a/things/x") is not None


def test_facts_are_kept_across_openings(tmp_path: Path) -> None:
    first = Store(tmp_path / "db")
    first.keep_fact("k", "v")
    first.close()
    second = Store(tmp_path / "db")
    assert (second.fact("k"), second.fact("none")) == ("v", None)
    second.close()
