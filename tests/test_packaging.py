"""What is installed: quick to import, and complete in a wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "napari", "scipy", "skimage", "qtpy", "pydantic", "typer")


def loaded_after(code: str) -> set[str]:
    """Give the top-level modules that are loaded after running code in a new process."""
    ask = f"import sys\n{code}\nprint('LOADED', *{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(answer.stdout.rpartition("LOADED")[2].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after("import microforge") & set(HEAVY)


def test_every_public_name_can_be_imported() -> None:
    names = loaded_after("import microforge\nfor name in microforge.__all__: getattr(microforge, name)")
    assert "torch" in names
    assert "napari" not in names


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["predict", "--help"], ["tasks"], ["--version"]]
)
def test_help_and_tasks_do_not_load_torch(arguments: list[str]) -> None:
    run = "from microforge.cli import main\ntry: main()\nexcept SystemExit: pass"
    code = f"sys.argv = ['microforge', *{arguments}]\n{run}"
    assert not loaded_after(code) & {"torch", "napari"}


def test_help_loads_nothing_that_only_pictures_or_their_analysis_need() -> None:
    code = "sys.argv = ['microforge', '--help']\nfrom microforge.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert not loaded_after(code) & {"scipy", "skimage", "PIL", "zarr"}


def test_the_program_runs_as_a_module() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "microforge", "--version"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("microforge ")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_manifest_types_and_entry_points(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        text = archive.read(entry_points).decode()
    assert {"microforge/napari.yaml", "microforge/py.typed", "microforge/gui/dock.py"} <= names
    assert "microforge = microforge.cli:main" in text
    assert "napari-microforge = microforge:napari.yaml" in text
    assert not [name for name in names if name.startswith(("tests", "sample_data", "benchmarks"))]


@pytest.mark.slow
def test_npe2_finds_the_manifest_in_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import microforge\n"
        f"assert microforge.__file__.startswith({str(tmp_path)!r}), microforge.__file__\n"
        "from npe2 import PluginManifest\n"
        "from importlib.metadata import PathDistribution\n"
        "found = PluginManifest.from_distribution('napari-microforge')\n"
        "print(found.name, len(found.contributions.widgets))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["napari-microforge", "1"]


def test_the_top_level_manifest_is_the_packages_own() -> None:
    assert (ROOT / "napari.yaml").resolve() == ROOT / "src" / "microforge" / "napari.yaml"
