"""`microforge report`: the page of a training, one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from microforge.cli.options import make_folder


def report_command(
    run: Annotated[Path, typer.Argument(help="Folder of a training, such as NAME.run, or the model in it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write; default: report.html in the folder.")
    ] = None,
) -> None:
    """Write a page that tells how a model was trained and how good it is: for a supplement, and to do it again.

    One file that needs no network. Trainings write it by themselves when they end.
    """
    from microforge.training.history.report import write_report

    if output is not None:
        make_folder(output.absolute().parent)
    written = write_report(run if run.is_dir() else run.parent, output)
    typer.echo(f"Report: {written}", err=True)
