"""A real broker for a test: Eclipse Mosquitto (Debian's mosquitto and mosquitto-clients)."""

import signal
import socket
import subprocess
import time

from free_ports import free_port
from programs import found

PATIENCE_S = 60


class Mosquitto:
    """A broker on a free port of 127.0.0.1, its files in a folder; `lines` are added to its configuration."""

    def __init__(self, folder, *lines, port=None):
        self.folder, self.port, self.process = folder, port or free_port(), None
        self._program = found("mosquitto", "mosquitto")
        self._config = folder / "mosquitto.conf"
        # As root it would become somebody who may not read the test's folder.
        text = ["user root", "listener %d 127.0.0.1" % self.port, "persistence true",
                "persistence_location %s/" % folder, *(lines or ["allow_anonymous true"])]  # fmt: skip
        self._config.write_text("\n".join(text) + "\n")

    def start(self):
        """Until it takes connections."""
        with open(self.folder / "mosquitto.log", "ab") as log:
            self.process = subprocess.Popen([self._program, "-c", self._config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)  # fmt: skip
        end = time.monotonic() + PATIENCE_S
        while not _answers(self.port):
            said = (self.folder / "mosquitto.log").read_text("utf-8", "replace")
            assert time.monotonic() < end and self.process.poll() is None, said
            time.sleep(0.02)
        return self

    def end(self, how=signal.SIGTERM):
        """Saved (SIGTERM) or killed (SIGKILL)."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None

    def publish(self, topic, payload, *options):
        """By a publisher that is not ours either."""
        program = found("mosquitto_pub", "mosquitto-clients")
        subprocess.run([program, "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q", "1", "-s", *options],
                       input=payload, check=True, timeout=PATIENCE_S)  # fmt: skip


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
