"""`make fuzz`: coverage-guided fuzzing of all that takes bytes from outside (tests/unit/fuzzed*.py, servers.py).

usage: run.py [--seconds 60] [--keep] [TARGET ...]

Each target runs in a process of its own for so long, and begins with its corpus: corpus/TARGET.hex, an input a line,
kept small, and replayed damaged under both Pythons by the unit tests. --keep adds what reached new code, up to a limit.
A finding is printed with the input as hexadecimal digits; put it into the corpus with the change that mends it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
LONGEST = 1500  # bytes of an input: a datagram
KEPT, KEPT_BYTES = 40, 3000  # of a target's corpus
RSS_MB = 700
ONE = "one-target"  # instead of all else: what this process gives to its children


def main():
    """The exit code: 0 when nothing was found, 1 else, 2 for a target that there is not."""
    _importable()
    if sys.argv[1:2] == [ONE]:
        return drive(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what reached new code")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    args, known = parser.parse_args(), names()
    wrong = [name for name in args.targets if name not in known]
    if wrong:
        print("fuzz: there is no target %s; there are %s" % (wrong[0], " ".join(sorted(known))))
        return 2
    found = [name for name in args.targets or sorted(known) if not survives(name, args.seconds, args.keep)]
    print("fuzz: " + ("%d of %d targets have findings: %s" % (len(found), len(args.targets or known), " ".join(found))
                      if found else "nothing found"))
    return bool(found)


def _importable():
    sys.path[:0] = [str(HERE), str(ROOT / "tests"), str(ROOT / "tests" / "unit")]
    import conftest  # noqa: F401  (makes the checkout importable, as it does for the tests)


def names():
    """{target: (function, its first inputs)}"""
    import fuzzed
    import fuzzed_agent
    import servers

    return {name: (function, module.seeds(name)) for module in (fuzzed, fuzzed_agent, servers)
            for name, function in fuzzed.targets(vars(module))}


def drive(name, options):
    """The target in this process, until libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["agent", "pointsman"]):
        function = names()[name][0]
    from agent.errors import LocalError, RemoteError

    def once(data):
        try:
            function(data)
        except (RemoteError, LocalError):
            pass

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


def survives(name, seconds, keep):
    """Whether the target takes all that is thrown at it for this long."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "corpus").mkdir()
        inputs = set(read(name)) | set(names()[name][1])
        for number, data in enumerate(sorted(inputs)):
            (place / "corpus" / str(number)).write_bytes(data)
        done = _libfuzzer(name, place, [str(place / "corpus"), f"-max_total_time={seconds}"])
        lines = done.stdout.splitlines()
        last = [line for line in lines if line.startswith("#") and " cov: " in line] or lines[-1:]
        print(f"{name}: {last[-1] if last else 'it said nothing'}", flush=True)
        findings = sorted(place.glob("finding-*"))
        if done.returncode:
            _tell(name, lines, findings)
        elif keep:
            _keep(name, place)
        return not done.returncode


def _libfuzzer(name, place, options):
    words = [sys.executable, __file__, ONE, name, *options, f"-max_len={LONGEST}", f"-rss_limit_mb={RSS_MB}",
             "-timeout=20", "-len_control=0", f"-artifact_prefix={place}/finding-"]  # fmt: skip
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "PYTHONHASHSEED": "0"})


def _tell(name, lines, findings):
    start = max((number for number, line in enumerate(lines) if "Uncaught Python exception" in line), default=-30)
    print("\n".join(lines[start:][:60]))
    for path in findings:
        print(f"{name}: input {path.read_bytes().hex()}")


def _keep(name, place):
    """Of all that reached new code a few of each length; what was kept before stays where there is room."""
    found = sorted((path.read_bytes() for path in (place / "corpus").iterdir()), key=lambda data: (len(data), data))
    inputs, size = [], 0
    for data in read(name) + found[:: len(found) // KEPT + 1]:
        if data and data not in inputs and len(inputs) < KEPT and size + len(data) <= KEPT_BYTES:
            inputs.append(data)
            size += len(data)
    (CORPUS / f"{name}.hex").write_text("".join(data.hex() + "\n" for data in inputs))


def read(name):
    """The inputs that are kept of a target."""
    path = CORPUS / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
