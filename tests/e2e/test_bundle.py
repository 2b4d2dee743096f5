"""Joining files changes what they cost, never what they do."""

import sys
import types

from pointsman.tools.firmware.bundle import bundle

TABLES = "LIMIT = 3\n_own = 1\n\n\ndef find(x):\n    return x + LIMIT + _own\n"
USER = """from . import tables
from .tables import find as look

_own = 10


def path(find):
    return find + _own


def work():
    path = 5
    return tables.find(path) + look(1) + sum([path for path in (1, 2)])


class Thing:
    find = 7

    def both(self):
        return self.find, [find(x) for x in (1,)]


def find(x):
    return -x
"""
LAZY = "from .tables import LIMIT, find\nfrom . import user\n\n\ndef late():\n    return find(LIMIT) + user.path(1)\n"
ROOT = """from .user import Thing, work


def main():
    from .lazy import late
    return work(), Thing().both(), late()
"""
FILES = {"app/__init__.py": "", "app/tables.py": TABLES, "app/user.py": USER, "app/lazy.py": LAZY, "app/root.py": ROOT}


def run(files, tmp_path):
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    before = dict(sys.modules)
    sys.path.insert(0, str(tmp_path))
    try:
        return __import__("app.root", fromlist=["main"]).main()
    finally:
        sys.path.pop(0)
        for name in set(sys.modules) - set(before):
            del sys.modules[name]


def test_the_same_results_from_fewer_files(tmp_path):
    """Names that mean two things, that locals hide, that classes have; modules by name; what is loaded later."""
    joined = bundle(FILES, ["app/root.py"])
    assert sorted(joined) == ["app/__init__.py", "app/lazy.py", "app/root.py"]
    apart = run(FILES, tmp_path / "apart")
    assert run(joined, tmp_path / "joined") == apart == (17, (7, [-1]), 18)


def test_a_module_used_as_a_value_stays_a_file():
    files = dict(FILES, **{"app/root.py": "from . import tables, user\nKINDS = {1: tables}\nuser.work()\n"})
    assert "app/tables.py" in bundle(files, ["app/root.py"])


def test_a_variable_of_the_modules_name_is_no_value():
    root = "from . import at\n\n\ndef f():\n    return at.X + sum([at for at in (1,)])\n"
    files = {"a/root.py": root, "a/at.py": "X = 1\n"}
    assert sorted(bundle(files, ["a/root.py"])) == ["a/root.py"]
    space = types.ModuleType("space").__dict__
    exec(bundle(files, ["a/root.py"])["a/root.py"], space)
    assert space["f"]() == 2
