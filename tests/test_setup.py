"""The scripts that set everything up: what they choose, what they say, and that they go on without a screen."""

import http.server
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CI = ROOT / ".ci"
posix = pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="The scripts are for bash.")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


torch_script, minimum = load("install_torch"), load("minimum")
THIS = f"cp{sys.version_info[0]}{sys.version_info[1]}"
LINUX = f"manylinux_2_28_{platform.machine()}"


def wheel(version: str, python: str = THIS, system: str = LINUX) -> str:
    return f"torch-{version}%2Bcpu-{python}-{python}-{system}.whl"


class Index(http.server.BaseHTTPRequestHandler):
    """A page of an index, as PyTorch's: names of wheels with a plus that is escaped."""

    names: Sequence[str] = ()
    patience: threading.Event | None = None

    def do_GET(self) -> None:
        if self.patience is not None:
            self.patience.wait(60)
        page = "".join(f'<a href="/whl/{name}#sha256=00">{name}</a>' for name in self.names)
        self._answer(page.encode())

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "191794682")
        self.end_headers()

    def _answer(self, page: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves names of wheels and gives the address of the index."""
    servers: list[http.server.ThreadingHTTPServer] = []
    held = threading.Event()

    def start(*names: str, answers: bool = True) -> str:
        handler = type("Page", (Index,), {"names": names, "patience": None if answers else held})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/whl/cpu"

    yield start
    held.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux without constraints, an NVIDIA card or an installed torch."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    monkeypatch.setattr(torch_script.platform, "system", lambda: "Linux")
    monkeypatch.setattr(torch_script, "has_nvidia_card", lambda: False)
    monkeypatch.setattr(torch_script, "installed", lambda: "")


@pytest.mark.usefixtures("bare")
class TestTorch:
    def test_the_index_that_answers_is_taken_and_the_size_is_told(self, serve: Serve) -> None:
        index = serve(wheel("2.13.0"), wheel("2.9.1"))
        assert torch_script.choose(index, "torch>=2.4") == (
            index,
            f"the build for processors from {index}, 192 MB.",
        )

    def test_the_newest_that_fits_this_computer_counts(self, serve: Serve) -> None:
        others = [wheel("2.14.0", "cp38"), wheel("2.15.0", system="win_amd64"), wheel("2.16.0", f"{THIS}t")]
        index = serve(wheel("2.9.1"), wheel("2.13.0"), *others)
        assert "torch-2.13.0" in torch_script.find_wheel(index, "torch>=2.4")
        assert "torch-2.9.1" in torch_script.find_wheel(index, "torch==2.9.1")

    def test_without_a_build_that_fits_pip_chooses(self, serve: Serve) -> None:
        index, reason = torch_script.choose(serve(wheel("2.3.0")), "torch>=2.4")
        assert index == ""
        assert "as pip chooses" in reason
        assert "3 GB" in reason

    def test_an_index_that_does_not_answer_in_time_is_not_waited_for(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch_script, "PATIENCE", 0.2)
        assert torch_script.choose(serve(wheel("2.13.0"), answers=False), "torch>=2.4")[0] == ""

    def test_nobody_at_the_address_is_no_error(self) -> None:
        assert torch_script.choose("http://127.0.0.1:9/whl/cpu", "torch>=2.4")[0] == ""

    def test_an_installed_torch_stays(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(torch_script, "installed", lambda: "2.6.0")
        monkeypatch.setattr(torch_script, "install", lambda *_: pytest.fail("it was replaced"))
        assert torch_script.main([]) == 0
        assert "2.6.0 is installed and stays" in capsys.readouterr().out

    def test_a_constraint_in_the_environment_wins(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIP_CONSTRAINT", "constraints.txt")
        index, reason = torch_script.choose(serve(wheel("2.13.0")), "torch>=2.4")
        assert index == ""
        assert "constraint" in reason

    def test_a_constraint_in_the_configuration_wins(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        configuration = tmp_path / "pip.conf"
        configuration.write_text("[global]\nconstraint = constraints.txt\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
        assert torch_script.choose(serve(wheel("2.13.0")), "torch>=2.4")[0] == ""

    def test_with_a_card_from_nvidia_pip_chooses(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch_script, "has_nvidia_card", lambda: True)
        index, reason = torch_script.choose(serve(wheel("2.13.0")), "torch>=2.4")
        assert index == ""
        assert "NVIDIA" in reason

    @pytest.mark.parametrize("system", ["Darwin", "Windows"])
    def test_elsewhere_pip_chooses(self, serve: Serve, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
        monkeypatch.setattr(torch_script.platform, "system", lambda: system)
        assert torch_script.choose(serve(wheel("2.13.0")), "torch>=2.4")[0] == ""

    def test_where_the_index_fails_after_all_pip_chooses(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[str] = []

        def install(_: str, index: str) -> int:
            tried.append(index)
            return int(bool(index))

        monkeypatch.setattr(torch_script, "install", install)
        index = serve(wheel("2.13.0"))
        assert torch_script.main(["torch>=2.4", "--index", index]) == 0
        assert tried == [index, ""]


def test_the_requirement_is_that_of_the_project() -> None:
    assert torch_script.declared(ROOT / "pyproject.toml").startswith("torch>=")


def test_every_dependency_has_a_lowest_version() -> None:
    held = list(minimum.lowest(ROOT / "pyproject.toml"))
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {line.partition("==")[0] for line in held}
    assert {"numpy", "torch", "napari", "PyQt6"} <= names
    assert len(held) == len(table["dependencies"]) + len(table["optional-dependencies"]["gui"]) + 1


def test_a_dependency_without_a_lowest_version_is_told(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        '[project]\nname = "a"\ndependencies = ["b>=1.2; python_version<\'3.12\'", "c>=1,<2", "d"]\n'
        "[project.optional-dependencies]\n"
    )
    held = minimum.lowest(project)
    assert [next(held), next(held)] == ["b==1.2; python_version<'3.12'", "c==1"]
    with pytest.raises(ValueError, match="'d'"):
        next(held)


def bash(script: str, *arguments: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with nothing but `path` to find commands in."""
    command = [str(shutil.which("bash")), str(CI / script), *arguments]
    return subprocess.run(
        command,
        env={"PATH": str(path), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def commands(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that makes a folder of commands: some of this computer, and others by their script."""

    def make(*real: str, **scripts: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in real:
            (folder / name).symlink_to(str(shutil.which(name)))
        for name, text in scripts.items():
            path = folder / name.replace("_", "-")
            path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
            path.chmod(0o755)
        return folder

    return make


@posix
class TestPackages:
    nobody = "echo 1000"
    nothing_installed = "exit 1"

    def test_without_rights_it_lists_and_goes_on(self, commands: Callable[..., Path]) -> None:
        path = commands(id=self.nobody, dpkg_query=self.nothing_installed, apt_get="exit 9")
        said = bash("packages", "window", path=path)
        assert said.returncode == 0
        assert "apt-get install" in said.stdout
        assert "xvfb" in said.stdout
        assert "skipped" in said.stdout

    def test_sudo_that_would_ask_is_not_called_without_a_terminal(self, commands: Callable[..., Path]) -> None:
        path = commands(id=self.nobody, dpkg_query=self.nothing_installed, apt_get="exit 9", sudo="exit 1")
        said = bash("packages", "window", path=path)
        assert said.returncode == 0
        assert "no terminal" in said.stdout

    def test_sudo_that_asks_nothing_installs(self, commands: Callable[..., Path], tmp_path: Path) -> None:
        log = tmp_path / "log"
        sudo = '[ "$1" = --non-interactive ] && shift; "$@"'
        path = commands(
            "grep", "env", id=self.nobody, dpkg_query=self.nothing_installed, apt_get=f'echo "$@" >> {log}', sudo=sudo
        )
        assert bash("packages", "window", path=path).returncode == 0
        assert "install -y --no-install-recommends libgl1" in log.read_text()

    def test_what_is_installed_is_left_alone(self, commands: Callable[..., Path]) -> None:
        path = commands("grep", id="echo 0", dpkg_query="echo installed", apt_get="exit 9")
        said = bash("packages", "window", path=path)
        assert (said.returncode, said.stdout) == (0, "")

    def test_an_apt_that_fails_is_told_and_not_fatal(self, commands: Callable[..., Path]) -> None:
        path = commands("grep", "env", id="echo 0", dpkg_query=self.nothing_installed, apt_get="exit 100")
        said = bash("packages", "window", path=path)
        assert said.returncode == 0
        assert "could not install" in said.stdout

    def test_with_a_screen_no_virtual_one_is_needed(self, commands: Callable[..., Path]) -> None:
        path = commands(id=self.nobody, dpkg_query=self.nothing_installed, apt_get="exit 9")
        assert "xvfb" not in bash("packages", "window", path=path, DISPLAY=":0").stdout

    def test_without_the_modules_for_environments_it_stops(self, commands: Callable[..., Path]) -> None:
        python = 'case "$2" in *ensurepip*) exit 1;; *) echo python3.11-venv;; esac'
        path = commands(id=self.nobody, dpkg_query=self.nothing_installed, apt_get="exit 9", python3=python)
        said = bash("packages", "python", path=path)
        assert said.returncode == 1
        assert "python3.11-venv" in said.stdout

    def test_elsewhere_it_uses_words(self, commands: Callable[..., Path]) -> None:
        said = bash("packages", "window", path=commands(uname="echo Linux"))
        assert said.returncode == 0
        assert "There is no screen" in said.stdout
        assert "apt-get" not in said.stdout

    def test_on_a_mac_nothing_is_needed(self, commands: Callable[..., Path]) -> None:
        said = bash("packages", "window", path=commands(uname="echo Darwin"))
        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def pytest_without_a_screen(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a copy of what decides which can run; `gui` holds a conftest.py that cannot be loaded."""
    gui = folder / "tests" / "gui" / "room"
    gui.mkdir(parents=True)
    (folder / ".ci").mkdir()
    shutil.copy(CI / "window.py", folder / ".ci")
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["tests"]\naddopts = "-ra -p no:napari -p no:pytest-qt"\n'
    )
    (gui / "conftest.py").write_text("raise ImportError('libEGL.so.1')\n")
    (gui / "test_dock.py").write_text("import nothing_of_this_name\n")
    (folder / "tests" / "test_show.py").write_text("from qtpy.QtWidgets import QWidget\n\ndef test(qtbot): ...\n")
    (folder / "tests" / "test_sum.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux may have no screen.")
class TestNoScreen:
    def test_tests_of_the_window_are_skipped_with_the_reason(self, tmp_path: Path) -> None:
        ran = pytest_without_a_screen(tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "1 passed, 2 skipped" in ran.stdout
        assert "There is no screen" in ran.stdout
        assert ".ci/packages window" in ran.stdout

    def test_so_is_one_that_is_asked_for_by_name(self, tmp_path: Path) -> None:
        ran = pytest_without_a_screen(tmp_path, "tests/test_sum.py", "tests/gui/room/test_dock.py")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "1 passed, 1 skipped" in ran.stdout

    def test_a_qt_that_aborts_does_not_end_the_tests(self, tmp_path: Path) -> None:
        ran = pytest_without_a_screen(tmp_path, QT_QPA_PLATFORM="no-such-platform")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "1 passed, 2 skipped" in ran.stdout
        assert "no-such-platform" in ran.stdout


def test_the_workflow_sees_more_than_one_world() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert {step["uses"].partition("/")[0] for step in steps if "uses" in step} == {"actions"}
    assert "self-hosted" in workflow["jobs"]["gpu"]["runs-on"]
