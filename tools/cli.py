"""The `pointsman` command: finds the command module, reads its arguments, turns every failure into one line.

A command is one file, tools/commands/NAME.py, with HELP (an epilog with examples), `arguments(parser)` and
`run(args) -> exit code`; it is imported only when it is asked for, so that `pointsman --help` needs no extras.
"""

import argparse
import importlib
import os
import sys
import traceback

from . import faults
from .faults import Fault

COMMANDS = {
    "lab": "the whole story on this machine: servers, modem, device, a pulled cable, a power cut",
    "agent": "run the device agent here: register with any LwM2M 1.1 server, or bootstrap first",
    "serve": "run a server: configuration, gateway or platform",
    "key": "derive the key of one device or gateway from a server's secret",
    "group": "say on a platform which devices belong together and obey the same policies",
    "policy": "write, sign, show and push what a group of devices is to obey",
    "modem": "emulate an AT modem on a pseudo-terminal, with its SIM, network and faults",
    "diag": "ask a running agent how it goes: links, moves, bytes, the end of its log",
    "fleet": "emulate many members of a group, to try and to measure the delivery of policies",
    "bench": "measure, and print the figures beside a peer's",
}

EPILOG = """\
start here:
  pointsman lab --once                     the story once, with a timeline
  pointsman agent --server coap://HOST:5683 --endpoint meter-7 --insecure
  pointsman COMMAND --help                 each command shows its examples

exit codes:
%s

POINTSMAN_DEBUG=1 shows the traceback of an internal error; NO_COLOR=1 switches colours off.
""" % "\n".join("  %3d  %s" % row for row in faults.MEANINGS)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line with a remedy."""

    def __init__(self, **known):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **known)

    def error(self, message):
        raise Fault(self._named(message), "see %s --help" % self.prog, faults.USAGE)

    def parse_args(self, args=None, namespace=None):
        """As argparse's, but an unknown option is answered with the nearest known one."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [name for action in self._actions for name in action.option_strings]
            guess = faults.nearest(unknown[0], options)
            remedy = "did you mean %s?" % guess if guess else "see %s --help" % self.prog
            raise Fault(self._named("unknown argument " + unknown[0]), remedy, faults.USAGE)
        return found

    def _named(self, message):
        command = self.prog.partition(" ")[2]
        return "%s: %s" % (command, message) if command else message


def main(argv=None):
    """Run one command line (default: the process's own) and return the exit code."""
    try:
        return _command(sys.argv[1:] if argv is None else argv)
    except SystemExit as stop:  # argparse after --help and --version
        return stop.code or faults.OK
    except KeyboardInterrupt:
        return _say("interrupted", faults.INTERRUPTED)
    except BrokenPipeError:
        # Python flushes stdout once more at exit, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return faults.PIPE_CLOSED
    except Fault as fault:
        return _say(str(fault), fault.code)
    except Exception as error:
        return _internal(error)


def _command(argv):
    if not argv or argv[0].startswith("-"):
        _top().parse_args(argv)
        _top().print_help()
        return faults.USAGE
    name, rest = argv[0], argv[1:]
    if name == "help":
        return _command((rest[:1] or []) + ["--help"])
    if name not in COMMANDS:
        raise Fault("no command is called %s" % name, faults.did_you_mean(name, COMMANDS), faults.USAGE)
    module = _load(name)
    parser = Parser(prog="pointsman " + name, description=_sentence(COMMANDS[name]), epilog=module.HELP)
    module.arguments(parser)
    try:
        return module.run(parser.parse_args(rest)) or faults.OK
    finally:
        sys.stdout.flush()  # a closed pipe shows here, where it is still caught


def _load(name):
    try:
        return importlib.import_module(".commands." + name, __package__)
    except ModuleNotFoundError as missing:
        if missing.name.startswith(__package__):
            raise
        raise Fault("`pointsman %s` needs the Python package %s" % (name, missing.name),
                    "pip install 'pointsman[lab]'", faults.PROGRAM) from missing


def _top():
    width = max(len(name) for name in COMMANDS)
    table = "\n".join("  %-*s  %s" % (width, name, text) for name, text in COMMANDS.items())
    parser = Parser(prog="pointsman", usage="pointsman COMMAND [OPTION ...]", epilog=EPILOG,
                    description="A device agent that is registered with exactly one of two registrars at any time, "
                                "and everything to try it.\n\ncommands:\n" + table)
    parser.add_argument("--version", action="version", version="pointsman " + version())
    return parser


def version():
    """The installed version, or `0+checkout` when run from a checkout that is not installed."""
    from importlib import metadata

    try:
        return metadata.version("pointsman")
    except metadata.PackageNotFoundError:
        return "0+checkout"


def _sentence(text):
    return text[0].upper() + text[1:] + "."


def _say(text, code):
    print("pointsman: " + text, file=sys.stderr)
    return code


def _internal(error):
    # agent/ raises LocalError for a setting it refuses; it is imported late because most commands do not need it.
    from ..agent.errors import LocalError

    if isinstance(error, LocalError):
        return _say(str(error), faults.USAGE)
    if os.environ.get("POINTSMAN_DEBUG"):
        traceback.print_exc()
        return faults.FAILED
    at = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<frozen")][-1]
    what = " ".join(str(error).split())  # one line, whatever the message holds
    return _say("internal error: %s: %s (%s:%d); run it again with POINTSMAN_DEBUG=1 for the traceback and report it"
                % (type(error).__name__, what, os.path.basename(at.filename), at.lineno), faults.FAILED)
