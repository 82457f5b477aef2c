"""The database: one SQLite file, one table of resources for every collection.

A resource keeps what the API shows (`body`) apart from what only the server knows (`private`), both as
JSON. New collections need no new table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from localfireworks.errors import already_exists
from localfireworks.names import resource_name

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
  name TEXT PRIMARY KEY, collection TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL,
  state TEXT NOT NULL, body TEXT NOT NULL, private TEXT NOT NULL,
  created REAL NOT NULL, updated REAL NOT NULL, deleted REAL);
CREATE INDEX IF NOT EXISTS resource_by_id ON resource (collection, account, id);
CREATE INDEX IF NOT EXISTS resource_by_time ON resource (collection, account, created);
CREATE INDEX IF NOT EXISTS resource_by_state ON resource (collection, state);
CREATE INDEX IF NOT EXISTS resource_live ON resource (collection, account, deleted);
CREATE TABLE IF NOT EXISTS usage (
  hour INTEGER NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL, subject TEXT NOT NULL,
  amounts TEXT NOT NULL, PRIMARY KEY (hour, kind, model, subject)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
ORDERS = {
    "name": "id",
    "name desc": "id DESC",
    "createTime": "created, id",
    "createTime desc": "created DESC, id",
    "updateTime": "updated, id",
    "updateTime desc": "updated DESC, id",
}
COLUMNS = "name, collection, account, id, state, body, private, created, updated, deleted"


@dataclass(slots=True)
class Resource:
    """One row. Times in seconds since 1970; `deleted` is set while a deletion can still be undone."""

    collection: str
    account: str
    id: str
    state: str
    body: dict[str, Any]
    created: float
    updated: float
    private: dict[str, Any] = field(default_factory=dict)
    deleted: float | None = None

    @property
    def name(self) -> str:
        return resource_name(self.account, self.collection, self.id)


Shown = Callable[[Resource], dict[str, Any]]  # a row as the API shows it, as far as the row alone says


@dataclass(frozen=True, slots=True)
class Entry:
    """A row in memory, to be read only, and as it is shown."""

    row: Resource
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The rows of one collection in memory, by name; `moving` names those that something works on now, and
    `orders` keeps all rows in the orders that were asked for since the last write."""

    shown: Shown
    entries: dict[str, Entry] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)
    orders: dict[str, list[Entry]] = field(default_factory=dict)

    def put(self, row: Resource) -> None:
        self.entries[row.name] = Entry(row, self.shown(row))
        self.orders.clear()
        (self.moving.add if row.private.get("running") else self.moving.discard)(row.name)

    def drop(self, name: str) -> None:
        self.entries.pop(name, None)
        self.orders.clear()
        self.moving.discard(name)


UsageKey = tuple[int, str, str, str]  # hour, kind, model, subject


class Store:
    """All reads and writes. Used from the event loop's thread only.

    A collection that was filtered or sorted once stays in memory as it is shown (about 5 KB a row) and is
    kept in step by the writes: reading and rendering 10,000 rows takes longer than an answer may.
    """

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside, or none of them."""
        with ExitStack() as undo:
            undo.callback(self._shelves.clear)  # they may show what was rolled back
            with self._db:  # commits, or rolls back when something is raised
                self._db.execute("BEGIN IMMEDIATE")
                yield
            undo.pop_all()

    def insert(self, resource: Resource) -> Resource:
        """Add a row; ALREADY_EXISTS when the name is taken (also by a deleted row that is still kept)."""
        row = _row(resource)
        try:
            self._db.execute(f"INSERT INTO resource ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise already_exists(resource.name) from error
        self._put(row)
        return resource

    def save(self, resource: Resource, *, was: str) -> bool:
        """Write the row if its state is still `was`; whether it was."""
        row = _row(resource)
        name, _, _, _, state, body, private, _, updated, deleted = row
        done = self._db.execute(
            "UPDATE resource SET state=?, body=?, private=?, updated=?, deleted=? WHERE name=? AND state=?",
            (state, body, private, updated, deleted, name, was),
        )
        if done.rowcount == 1:
            self._put(row)
        return done.rowcount == 1

    def delete(self, name: str) -> None:
        self._db.execute("DELETE FROM resource WHERE name=?", (name,))
        for shelf in self._shelves.values():
            shelf.drop(name)

    def shelf(self, collection: str, account: str, shown: Shown) -> Shelf:
        """All rows of a collection, also deleted ones, from memory; in no order."""
        key = (collection, account)
        if key not in self._shelves:
            self._shelves[key] = Shelf(shown)
            for row in self.page(collection, account, deleted=True):
                self._shelves[key].put(row)
        return self._shelves[key]

    def _put(self, row: tuple[Any, ...]) -> None:
        """Keep the shelf in step; the row is read back from its JSON, so nobody else holds its parts."""
        shelf = self._shelves.get((row[1], row[2]))
        if shelf is not None:
            shelf.put(_resource(row))

    def get(self, name: str) -> Resource | None:
        rows = self._select("WHERE name=?", (name,))
        return rows[0] if rows else None

    def count(self, collection: str, account: str, *, deleted: bool = False) -> int:
        kept = "" if deleted else "AND deleted IS NULL"
        row = self._db.execute(
            f"SELECT count(*) FROM resource WHERE collection=? AND account=? {kept}",  # noqa: S608
            (collection, account),
        ).fetchone()
        return int(row[0])

    def page(
        self,
        collection: str,
        account: str,
        *,
        order: str = "name",
        deleted: bool = False,
        limit: int = -1,
        offset: int = 0,
    ) -> list[Resource]:
        """Rows of one collection in one of the ORDERS."""
        kept = "" if deleted else "AND deleted IS NULL"
        return self._select(
            f"WHERE collection=? AND account=? {kept} ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?",
            (collection, account, limit, offset),
        )

    def in_states(self, collection: str, states: Iterable[str]) -> list[Resource]:
        """Rows in any of the states, oldest first."""
        wanted = tuple(states)
        marks = ",".join("?" * len(wanted))
        return self._select(
            f"WHERE collection=? AND state IN ({marks}) ORDER BY created, id", (collection, *wanted)
        )

    def fact(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM fact WHERE key=?", (key,)).fetchone()
        return str(row[0]) if row else None

    def keep_fact(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (key, value))

    def facts(self, prefix: str) -> dict[str, str]:
        """All facts whose key begins with the prefix, by key."""
        rows = self._db.execute(
            "SELECT key, value FROM fact WHERE key >= ? AND key < ? ORDER BY key",
            (prefix, prefix + "\U0010ffff"),
        )
        return {str(key): str(value) for key, value in rows}

    def drop_fact(self, key: str) -> bool:
        """Whether there was such a fact."""
        return self._db.execute("DELETE FROM fact WHERE key=?", (key,)).rowcount == 1

    def usage(self, start: float, end: float) -> list[tuple[int, str, str, str, dict[str, Any]]]:
        """Hour (seconds since 1970), kind, model, subject and amounts of what was used in a range of time."""
        rows = self._db.execute(
            "SELECT hour, kind, model, subject, amounts FROM usage WHERE hour >= ? AND hour < ?"
            " ORDER BY hour, kind, model, subject",
            (start, end),
        )
        return [(*row[:4], orjson.loads(row[4])) for row in rows]

    def usage_of(self, key: UsageKey) -> dict[str, Any]:
        """The amounts of one hour, kind, model and subject; empty when nothing was used."""
        row = self._db.execute(
            "SELECT amounts FROM usage WHERE hour=? AND kind=? AND model=? AND subject=?", key
        ).fetchone()
        return dict(orjson.loads(row[0])) if row else {}

    def keep_usage(self, key: UsageKey, amounts: dict[str, Any]) -> None:
        self._db.execute("INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?)", (*key, _dump(amounts)))

    def _select(self, where: str, values: tuple[Any, ...]) -> list[Resource]:
        found = self._db.execute(f"SELECT {COLUMNS} FROM resource {where}", values)  # noqa: S608
        return [_resource(row) for row in found]


def _dump(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()


def _row(resource: Resource) -> tuple[Any, ...]:
    return (
        resource.name,
        resource.collection,
        resource.account,
        resource.id,
        resource.state,
        _dump(resource.body),
        _dump(resource.private),
        resource.created,
        resource.updated,
        resource.deleted,
    )


def _resource(row: tuple[Any, ...]) -> Resource:
    _, collection, account, id_, state, body, private, created, updated, deleted = row
    return Resource(
        collection,
        account,
        id_,
        state,
        orjson.loads(body),
        created,
        updated,
        orjson.loads(private),
        deleted,
    )
