"""`microforge merge`: bring the parts of a folder run together."""

import json
from pathlib import Path
from typing import Annotated

import typer

from microforge.cli.options import JsonOption


def merge_command(
    output: Annotated[Path, typer.Argument(help="The --output of the parts.")],
    as_json: JsonOption = False,
) -> None:
    """Bring together what machines have made with `microforge predict ... --part K/N`.

    Results and tables are then as if one machine had made all of them. An interruption does no harm: the same command
    goes on.
    """
    from microforge.inference.folder.parts.merging import merge_parts

    merged = merge_parts(output)
    for path, why in merged.left:
        typer.echo(f"LEFT IN ITS PART {path}: {why}", err=True)
    failed = f", {merged.failed} failed" if merged.failed else ""
    typer.echo(f"{merged.parts} parts: {merged.done} images done{failed}. Results: {output}", err=True)
    if as_json:
        left = [{"path": path, "reason": why} for path, why in merged.left]
        values = {"parts": merged.parts, "done": merged.done, "failed": merged.failed, "left": left}
        typer.echo(json.dumps(values | {"output": str(output)}))
    if merged.failed or merged.left:
        raise typer.Exit(3)
