"""What must hold before anything is started. Each failure is one line with its remedy."""

from __future__ import annotations

import errno
import fcntl
import socket
from pathlib import Path
from typing import Any, TextIO

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory

from fwportal.supervisor.errors import StartError


def only_one(data: Path) -> TextIO:
    """Locks the data folder as long as the returned file is open; the kernel unlocks it on any death."""
    file = (data / "up.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StartError(
            f"The portal already runs on the data folder {data}. End that one with Ctrl-C, "
            "or set FWPORTAL_DATA (and PORT) to run a second."
        ) from error
    return file


def port_free(port: int, user: str, web_port: int) -> None:
    """Binds as the servers do, so that a port in TIME_WAIT counts as free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else "cannot be used"
            other = web_port + 100 if web_port < 65000 else 8000
            raise StartError(
                f"Port {port} (for {user}) {reason}. Stop the program that uses it, "
                f"or choose another with `make run PORT={other}`."
            ) from error


def migrate(database: dict[str, Any]) -> None:
    """Brings the database to the newest form. Raises StartError when it cannot be reached or does not fit."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except InconsistentMigrationHistory as error:
        raise StartError(
            f"The database {where(database)} does not fit this version: {first_line(error)} "
            "Use the version that made it, or another FWPORTAL_DATA or DATABASE_URL."
        ) from error
    except DatabaseError as error:
        raise StartError(
            f"The database {where(database)} cannot be used: {first_line(error)} {remedy()}"
        ) from error
    finally:
        connection.close()


def where(database: dict[str, Any]) -> str:
    if connection.vendor == "sqlite":
        return str(database["NAME"])
    return f"{database['NAME']} at {database['HOST'] or 'localhost'}:{database['PORT'] or 5432}"


def remedy() -> str:
    if connection.vendor == "sqlite":
        return "Check that the file and its folder can be written, or set FWPORTAL_DATA to another folder."
    return "Start PostgreSQL, correct DATABASE_URL, or unset DATABASE_URL and the portal uses SQLite."


def first_line(error: Exception) -> str:
    line = str(error).strip().split("\n")[0].strip()
    return line if line.endswith(".") else f"{line}."
