"""What a device runs: reads its configuration, picks its board and starts the agent.

usage: micropython|python firmware/main.py CONFIG.json

CONFIG.json: {"board": "sim", "options": {...}, "settings": {...}, "log": "json"}. `options` belong to the board,
`settings` are those of agent/settings.py, `log` is text or json (one object a line; default: what suits the board).
"""

import gc
import json
import sys

# Bytes to allocate between two collections. MicroPython alone would collect when the heap is full; by then garbage lies
# between all that stays, and a small heap is in pieces long before it is used up.
_COLLECT_EVERY = 2048
_SMALL = 512 * 1024  # bytes; a larger heap is not short of room, and collecting all the time would only cost time


def main(config_path):
    """Run until stopped and return the exit code: 0 stopped, 1 a bug, 2 a bad configuration, 3 a device is missing,
    5 the state is unreadable, 130 interrupted before there was anything to stop."""
    if hasattr(gc, "threshold") and gc.mem_free() + gc.mem_alloc() < _SMALL:
        gc.threshold(_COLLECT_EVERY)
    from agent.errors import LocalError
    from agent.log import sink

    try:
        config = load(config_path)
        run, board = parts(config)
        return run.main(board, config.get("settings", {}), sink(config.get("log", board.log)))
    except (ValueError, LocalError) as e:
        return complain(e, 2)
    except KeyboardInterrupt:
        return complain("interrupted", 130)
    except OSError as e:
        text = e.args[1] if len(e.args) > 1 else str(e)
        return complain(text, 5 if str(text).startswith("store:") else 3)


def load(path):
    """The configuration as a dict; ValueError says what is wrong with it."""
    try:
        with open(path) as file:
            config = json.load(file)
    except OSError as e:
        raise ValueError("%s cannot be read (errno %s); name a configuration file" % (path, e.errno))
    except ValueError:
        raise ValueError("%s is not JSON; see firmware/main.py for an example" % path)
    if not isinstance(config, dict) or not isinstance(config.get("board"), str):
        raise ValueError('%s names no board; {"board": "sim", "options": {}, "settings": {}}' % path)
    for name in ("options", "settings"):
        if not isinstance(config.get(name, {}), dict):
            raise ValueError("%s: %s is not an object" % (path, name))
    return config


def parts(config):
    """(agent.run, the board): imported only now, so that a bad configuration costs nothing."""
    name = config["board"]
    if not all(char.isalpha() or char.isdigit() or char == "_" for char in name):
        raise ValueError("board %r: there is none" % name)
    try:
        module = __import__("boards." + name, None, None, ("Board",))
    except ImportError as e:
        raise ValueError("board %s: it cannot be used here (%s)" % (name, e))
    from agent import run

    return run, module.Board(config.get("options", {}))


def complain(what, code):
    print("pointsman: %s" % what, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0] + "/.." if "/" in __file__ else "..")
    if len(sys.argv) != 2:
        sys.exit(complain("which configuration? main.py CONFIG.json", 2))
    sys.exit(main(sys.argv[1]))
