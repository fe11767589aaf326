"""The command line.

Exit codes: 0 success, 1 failure (or something could not be added), 2 bad use.
"""

import sys
from typing import NoReturn

import click

from agentctx.cli import (
    backup,
    care,
    evaluating,
    info,
    intake,
    learning,
    recall,
    serving,
    watching,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="agentctx")
def cli() -> None:
    """Screens, speech and sensors as one memory that gives an AI agent cited context."""


for _command in (
    intake.add,
    watching.watch,
    recall.search,
    recall.moments,
    recall.context,
    recall.timeline,
    recall.readings,
    recall.changes,
    serving.serve,
    learning.feedback,
    learning.learned,
    care.forget,
    care.expire,
    care.verify,
    care.repair,
    care.reindex,
    care.sync,
    backup.export,
    backup.import_,
    info.plugins,
    info.doctor,
    evaluating.evaluate,
    info.demo,
    info.keygen,
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Entry point: errors of agentctx become one line on standard error and exit code 1."""
    from agentctx.errors import AgentctxError, ConfigError, QueryError
    from agentctx.render import printable

    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(1)
    except (ConfigError, QueryError) as error:
        click.echo(f"agentctx: {printable(str(error))}", err=True)
        sys.exit(2)
    except AgentctxError as error:
        click.echo(f"agentctx: {printable(str(error))}", err=True)
        sys.exit(1)
    sys.exit(0)
