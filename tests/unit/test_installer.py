"""The installer of a Linux machine: the package as a file, and what the product's program says of it."""

import os

from test_boards import Folder, put

from boards import linux
from boards.installer import Installer

PROGRAM = """#!/bin/sh
case "$1" in
check) grep -q damaged "$2" && exit 1; grep -q other "$2" && exit 2; echo meter; echo 2.0; exit 0;;
install) grep -q restart "$2" && exit 3; grep -q bad "$2" && exit 1; exit 0;;
outcome) exit 0;;
esac
"""


def made(folder):
    put(folder + "/program", PROGRAM)
    os.system("chmod +x " + folder + "/program")
    return Installer(folder + "/program", folder + "/state", 1000)


def given(installer, *blocks):
    installer.begin(0)
    for block in blocks:
        installer.write(block)


def written(path, data):
    with open(path, "wb") as file:
        file.write(data)


def failure(call):
    try:
        call()
    except (ValueError, LookupError) as e:
        return isinstance(e, LookupError)
    raise AssertionError("was not refused")


def test_a_package_is_written_checked_and_named():
    with Folder() as folder:
        installer = made(folder)
        given(installer, b"one", b"two")
        with open(folder + "/state/firmware.package", "rb") as file:
            assert file.read() == b"onetwo"
        assert list(installer.finish()) == ["meter", "2.0"]
        given(installer, b"new")
        with open(folder + "/state/firmware.package", "rb") as file:
            assert file.read() == b"new"
        installer.abort()
        assert "firmware.package" not in os.listdir(folder + "/state")


def test_it_goes_on_after_a_power_cut():
    """One step before what the file is long, in whole blocks; more cuts cost no more."""
    image = b"0123456789abc" * 2770
    with Folder() as folder:
        assert made(folder).resume(512) == 0
        given(made(folder), image[:16000])
        assert made(folder).resume(512) == 0
        file = folder + "/state/firmware.package"
        given(made(folder), *[image[at : at + 500] for at in range(0, 33000, 500)])
        written(file, image[:30000] + bytes(3000))  # the end of it had not reached the medium
        for last in (25000, 36010):
            again = made(folder)
            assert again.resume(1000) == 24000
            for at in range(24000, last, 1000):
                again.write(image[at : at + 1000])
        with open(file, "rb") as package:
            assert package.read() == image
        again.begin(0)
        assert again.resume(512) == 0


def test_what_the_program_refuses():
    with Folder() as folder:
        installer = made(folder)
        given(installer, b"damaged")
        assert failure(installer.finish) is False
        given(installer, b"other")
        assert failure(installer.finish) is True


def test_installing_and_what_came_of_it():
    with Folder() as folder:
        installer = made(folder)
        for data, says in ((b"good", True), (b"bad", False), (b"restart", None)):
            given(installer, data)
            assert installer.install() is says
        assert installer.outcome() is True
        os.remove(folder + "/program")
        assert installer.outcome() is False and installer.install() is False


def test_a_board_has_one_where_its_options_name_one():
    with Folder() as folder:
        assert not hasattr(linux.Board({"dir": folder, "links": ["lo"]}), "installer")
        board = linux.Board({"dir": folder, "links": ["lo"], "installer": "/usr/lib/meter/firmware", "package_max": 5})
        assert board.installer.limit == 5
        assert failure(lambda: linux.Board({"dir": folder, "links": ["lo"], "installer": "a'b"})) is False
