"""What is in a folder but is no ordinary file: it is named with its reason, never passed over, never waited for."""

import os
import socket
from pathlib import Path

import pytest
import tifffile

from microforge.errors import ImageReadError
from microforge.io.files import find_images
from microforge.io.images import read_image, read_labels
from support.noise import noise

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and sockets are made as POSIX does")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    # Their names may be 107 bytes long at most.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def a_link_to_nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/missing_drive/x.tif")


def a_circle(path: Path) -> None:
    path.symlink_to(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


SPECIAL = {
    a_pipe: "This is a pipe",
    a_socket: "This is a socket",
    a_link_to_nowhere: r"The file it points to is not there \(/nowhere/missing_drive/x\.tif\): is the drive connected",
    a_circle: "The file it points to is not there",
    a_device: "This is a device",
}


@posix
@pytest.mark.parametrize("make", SPECIAL, ids=lambda make: make.__name__)
def test_what_is_no_file_is_found_in_its_folder_and_named_when_read(tmp_path: Path, make: object) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9))
    make(tmp_path / "b.tif")  # type: ignore[operator]
    assert [path.name for path in find_images([tmp_path])] == ["a.tif", "b.tif"]
    assert [path.name for path in find_images([tmp_path / "b.tif"])] == ["b.tif"]
    assert [path.name for path in find_images([str(tmp_path / "*.tif")])] == ["a.tif", "b.tif"]
    for read in (read_image, read_labels):
        with pytest.raises(ImageReadError, match=rf"b\.tif: {SPECIAL[make]}"):  # type: ignore[index]
            read(tmp_path / "b.tif")


@posix
def test_two_links_to_the_same_missing_file_are_both_missed(tmp_path: Path) -> None:
    a_link_to_nowhere(tmp_path / "a.tif")
    a_link_to_nowhere(tmp_path / "b.tif")
    assert [path.name for path in find_images([tmp_path])] == ["a.tif", "b.tif"]


@posix
def test_two_links_to_one_file_give_it_once(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9))
    (tmp_path / "b.tif").symlink_to(tmp_path / "a.tif")
    assert [path.name for path in find_images([tmp_path])] == ["a.tif"]


def test_folders_with_the_name_of_an_image_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    tifffile.imwrite(tmp_path / "b.tif", noise(9, 9))
    assert [path.name for path in find_images([tmp_path])] == ["b.tif"]


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="names are Unicode there")
def test_names_that_are_no_utf_8_are_read_and_can_be_told(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/x_\xff.tif"))
    tifffile.imwrite(path, noise(9, 9))
    assert read_image(path).data.shape == (9, 9)
    path.write_bytes(b"II*\0")
    with pytest.raises(ImageReadError) as caught:
        read_image(path)
    assert r"x_\xff.tif: The file is damaged" in str(caught.value).encode().decode()
