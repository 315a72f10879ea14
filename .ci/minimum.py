"""Print constraints that hold every dependency declared in pyproject.toml at the lowest version that it allows.

    python .ci/minimum.py > constraints.txt

Only lower bounds written as `name>=version` are taken; the tools of the extra `dev` stay free, as they are no part of
what people install.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_LOWEST = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,-]+\])?\s*>=\s*(?P<version>[\w.]+)[^;]*(?P<marker>;.*)?$")


def lowest(project: Path) -> Iterator[str]:
    """Give `name==version` for each requirement of the package and its extras for users, markers kept.

    Raises
    ------
    ValueError
        If a requirement has no lower bound: what was not tested must not be promised.
    """
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = [line for name, lines in table["optional-dependencies"].items() if name != "dev" for line in lines]
    for line in [*table["dependencies"], *extras]:
        if line.startswith(f"{table['name']}["):
            continue
        match = _LOWEST.match(line)
        if match is None:
            raise ValueError(f"pyproject.toml: {line!r} does not say which version is the lowest.")
        yield f"{match['name']}=={match['version']}{match['marker'] or ''}"


if __name__ == "__main__":
    print("\n".join(lowest(PROJECT)))
