"""Install PyTorch before everything else, as the build that suits this computer, and say how large it is.

    python .ci/install_torch.py [REQUIREMENT] [--index URL] [--say]

An installed torch stays, and constraints of pip (PIP_CONSTRAINT) decide where there are any. On Linux without an NVIDIA
card the build for processors is taken from PyTorch's own index if that answers within three seconds: pip's default
brings several gigabytes of CUDA that would never be used. Everywhere else pip's default is right.
"""

import argparse
import http.client
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import urllib.parse
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

INDEX = "https://download.pytorch.org/whl/cpu"
#: Seconds in which the index must have answered.
PATIENCE = 3.0
ROOT = Path(__file__).resolve().parents[1]
_NVIDIA = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"))
_LINK = re.compile(r"""href=["']([^"'#]+\.whl)""")


def main(arguments: list[str]) -> int:
    """Install what is asked for; give the exit code."""
    parser = argparse.ArgumentParser(description="Install the build of PyTorch that suits this computer.")
    parser.add_argument("requirement", nargs="?", default=declared(ROOT / "pyproject.toml"))
    parser.add_argument("--index", default=INDEX, help="where builds for processors are")
    parser.add_argument("--say", action="store_true", help="say what would be done, and do nothing")
    asked = parser.parse_args(arguments)
    present = installed()
    if present:
        print(f"PyTorch {present} is installed and stays.")
        return 0
    index, reason = choose(asked.index, asked.requirement)
    print(f"Installing {asked.requirement}: {reason}", flush=True)
    if asked.say:
        return 0
    code = install(asked.requirement, index)
    if code and index:
        print("That failed; now as pip chooses.", flush=True)
        code = install(asked.requirement, "")
    return code


def declared(project: Path) -> str:
    """Give the requirement on torch that pyproject.toml declares."""
    lines = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    return next(line for line in lines if re.match(r"torch\b", line))


def installed() -> str:
    """Give the version of torch in this environment; empty where there is none."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def choose(index: str, requirement: str) -> tuple[str, str]:
    """Give the index to take torch from, empty for pip's own choice, and a sentence with the reason and the size."""
    if is_constrained():
        return "", "a constraint of pip decides. A build for processors is about 0.2 GB, with CUDA about 3 GB."
    if platform.system() != "Linux":
        return "", "pip's build, about 0.1 to 0.2 GB."
    if has_nvidia_card():
        return "", "an NVIDIA card was found: the build with CUDA, about 3 GB."
    wheel = find_wheel(index, requirement)
    if wheel:
        return index, f"the build for processors from {index}, {size_of(wheel)}."
    return (
        "",
        f"no build for processors could be found at {index}, so as pip chooses: about 3 GB where CUDA is included.",
    )


def is_constrained() -> bool:
    """Tell whether a constraint is set, by the environment or by pip's configuration."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    set_there = re.search(r"^(:env:|global|install|user|site)\.constraint=(?!'')", answer, re.MULTILINE)
    return bool(os.environ.get("PIP_CONSTRAINT") or set_there)


def has_nvidia_card() -> bool:
    """Tell whether this computer has an NVIDIA card whose driver is there."""
    if any(path.exists() for path in _NVIDIA):
        return True
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU" in answer.stdout


def find_wheel(index: str, requirement: str) -> str:
    """Give the address of the newest fitting build for this Python and processor; empty without answer in time."""
    page = f"{index.rstrip('/')}/torch/"
    links = [urllib.parse.urljoin(page, link) for link in _LINK.findall(ask(page))]
    fitting = [link for link in links if fits(urllib.parse.unquote(link.rpartition("/")[2]), requirement)]
    return max(fitting, key=lambda link: _numbers(urllib.parse.unquote(link)), default="")


def fits(name: str, requirement: str) -> bool:
    """Tell whether a wheel of this name suits the requirement, this Python and this processor."""
    parts = name.removesuffix(".whl").split("-")
    if len(parts) != 5 or parts[0] != "torch":
        return False
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if parts[2:4] != [tag, tag] or not parts[4].endswith(f"_{platform.machine()}") or "linux" not in parts[4]:
        return False
    wanted = re.fullmatch(r"torch\s*(==|>=)\s*([\d.]+).*", requirement)
    if wanted is None:
        return True
    sign, lowest = wanted[1], _numbers(f"-{wanted[2]}")
    return _numbers(name) == lowest if sign == "==" else _numbers(name) >= lowest


def _numbers(name: str) -> tuple[int, ...]:
    """Give the version in the name of a wheel as three numbers."""
    match = re.search(r"-(\d+(?:\.\d+)*)", name.rpartition("/")[2])
    numbers = [int(part) for part in match[1].split(".")] if match else []
    return tuple([*numbers, 0, 0, 0][:3])


def ask(address: str, method: str = "GET") -> str:
    """Give what an address answers in time: its text, or for HEAD its size in bytes; empty without."""
    answer: list[str] = []

    def fetch() -> None:
        request = urllib.request.Request(address, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as page:
                answer.append(page.headers.get("Content-Length", "") if method == "HEAD" else page.read().decode())
        except (OSError, ValueError, http.client.HTTPException):
            return

    # The limit of urllib is one for each packet, and looking up a name has none at all.
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answer[0] if answer else ""


def size_of(wheel: str) -> str:
    """Say the size of a file to download."""
    length = ask(wheel, "HEAD")
    return f"{int(length) / 1e6:.0f} MB" if length.isdigit() else "about 200 MB"


def install(requirement: str, index: str) -> int:
    """Run pip; give its exit code."""
    place = ["--index-url", index] if index else []
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    return subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *place, requirement], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
