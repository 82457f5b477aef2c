"""The options of `python -m localfireworks`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from localfireworks.errors import ApiError
from localfireworks.faults import Fault, read_faults
from localfireworks.names import ID
from localfireworks.settings import JOB_COMMAND, Settings

DESCRIPTION = """\
Local Fireworks: a server with the REST API of Fireworks AI that really fine-tunes and serves
small stand-in models. For rehearsals and for testing Fireworks clients; nothing leaves this
machine and nothing costs money. Any non-empty API key is accepted."""
EPILOG = """\
then, for example:
  curl -H "Authorization: Bearer any" http://127.0.0.1:8001/v1/accounts/rehearsal/datasets
  FIREWORKS_API_KEY=any FIREWORKS_BASE_URL=http://127.0.0.1:8001 python your_client.py
and open http://127.0.0.1:8001/ to see what it holds. What was chosen where the real service is not
documented: docs/local-fireworks.md."""


def named_folder(text: str) -> tuple[str, Path]:
    """`ID=PATH` as an id and a folder."""
    id_, _, path = text.partition("=")
    if not ID.fullmatch(id_) or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not ID=PATH, such as my-qwen3=/models/qwen3")
    return id_, Path(path).resolve()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "localfireworks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server(made.add_argument_group("the server"))
    _add_work(made.add_argument_group("jobs and models"))
    _add_tests(made.add_argument_group("for tests of clients"))
    return made


def _add_server(made: argparse._ArgumentGroup) -> None:
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    made.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name to answer to, beside localhost, IP addresses and --host (may be repeated)",
    )
    made.add_argument("--port", type=int, default=8001, help="port to listen on (default: %(default)s)")
    made.add_argument("--data", type=Path, required=True, help="folder for the database and all files")
    made.add_argument("--account", default="rehearsal", help="account id (default: %(default)s)")
    made.add_argument("--no-samples", action="store_true", help="start without the sample datasets")
    made.add_argument("--log-level", default="warning", help="of the web server (default: %(default)s)")


def _add_work(made: argparse._ArgumentGroup) -> None:
    made.add_argument(
        "--token-budget",
        type=int,
        default=200_000,
        help="most tokens a job trains on, drawn evenly from its data; 0 for no limit (default: %(default)s)",
    )
    made.add_argument(
        "--jobs", type=int, default=2, help="jobs that train at the same time (default: %(default)s)"
    )
    made.add_argument(
        "--batch-hours",
        type=float,
        default=24.0,
        metavar="HOURS",
        help="time after which an unfinished batch inference job is EXPIRED (default: %(default)s)",
    )
    made.add_argument(
        "--model",
        type=named_folder,
        action="append",
        default=[],
        metavar="ID=PATH",
        help="a Hugging Face Qwen3 folder to offer as accounts/fireworks/models/ID (may be repeated)",
    )
    made.add_argument(
        "--compute",
        choices=("float32", "bfloat16"),
        default="float32",
        help="precision of matrix products in jobs and answers; sums stay float32 (default: %(default)s)",
    )
    made.add_argument(
        "--unconfined-evaluators",
        action="store_true",
        help="run the code of evaluators even where this machine cannot take network and files from it: "
        "it then has both as the user of this server",
    )
    made.add_argument(
        "--job-command",
        type=shlex.split,
        default=JOB_COMMAND,
        metavar="COMMAND",
        help="program that does a job, given its folder as last argument (default: the training engine)",
    )


def _add_tests(made: argparse._ArgumentGroup) -> None:
    made.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="JSON file of fault switches to begin with (default: those of the last time)",
    )
    made.add_argument(
        "--judge-bias",
        type=float,
        default=0.0,
        metavar="SCORE",
        help="what the stand-in judge adds to the first answer's score of 0 to 6 (default: %(default)s)",
    )
    made.add_argument(
        "--judge-noise",
        type=float,
        default=0.0,
        metavar="DEVIATION",
        help="standard deviation of the stand-in judge's error (default: %(default)s)",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from the command line; leaves with one line when a value makes no sense."""
    if options.jobs < 1 or options.token_budget < 0:
        parser().error("--jobs must be at least 1 and --token-budget at least 0")
    return Settings(
        options.data.resolve(),
        account=options.account,
        token_budget=options.token_budget,
        jobs=options.jobs,
        batch_hours=options.batch_hours,
        job_command=tuple(options.job_command),
        samples=not options.no_samples,
        hosts=(options.host, *options.allow_host),
        compute=options.compute,
        unconfined_evaluators=options.unconfined_evaluators,
    )


def faults_of(options: argparse.Namespace) -> list[Fault]:
    """The switches of `--faults`; leaves with one line when the file cannot be read."""
    try:
        return read_faults(options.faults) if options.faults else []
    except ApiError as error:
        parser().error(str(error))
