"""The commands together, and how errors are told: in words, with exit code 1 and no traceback."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import microforge
from microforge.cli.commands.calibrate import calibrate_command
from microforge.cli.commands.demo import demo
from microforge.cli.commands.doctor import doctor
from microforge.cli.commands.evaluate import evaluate_command
from microforge.cli.commands.info import info, tasks
from microforge.cli.commands.merge import merge_command
from microforge.cli.commands.next_images import next_command
from microforge.cli.commands.predict import predict
from microforge.cli.commands.project import project_app
from microforge.cli.commands.runs.compare import compare_command
from microforge.cli.commands.runs.report import report_command
from microforge.cli.commands.schema import schema_command
from microforge.cli.commands.train import train_command
from microforge.cli.signals import STOPPED
from microforge.errors import MicroforgeError


class Commands(TyperGroup):
    """The group of all commands; tells errors in words."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; whatever it raises on purpose is printed, not traced."""
        debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except MicroforgeError as error:
            if debug:
                raise
            typer.echo(f"Error: {error}", err=True)
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if debug or not _is_surprise(error):
                raise
            typer.echo(f"Something unexpected went wrong: {type(error).__name__}: {error}", err=True)
            again = " ".join(sys.argv[1:])
            typer.echo(f"This is our mistake. What to report: the output of  microforge --debug {again}", err=True)
        raise typer.Exit(1)


def _is_surprise(error: Exception) -> bool:
    """Tell real surprises from what the command line library raises to end a program or to explain its use."""
    ours = ("typer", "click")
    return not any(kind.__module__.split(".")[0] in ours for kind in type(error).__mro__)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train U-Nets on microscopy images and apply them, without a screen.",
    epilog="Exit codes: 0 all done; 1 nothing done; 2 wrong use; 3 some files failed, the rest is done; "
    "130 stopped by Ctrl-C or a signal; what was done is kept.",
)
for command in (
    train_command,
    predict,
    merge_command,
    evaluate_command,
    calibrate_command,
    next_command,
    compare_command,
    report_command,
    schema_command,
    info,
    tasks,
    doctor,
    demo,
):
    # Functions of the engine have the plain names.
    app.command(command.__name__.removesuffix("_command"))(command)

app.add_typer(project_app, name="project")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"microforge {microforge.__version__}")
        raise typer.Exit


@app.callback()
def settings(
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train U-Nets on microscopy images and apply them, without a screen."""
