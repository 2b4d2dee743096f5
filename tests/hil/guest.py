"""One virtual Raspberry Pi: QEMU's command line, its QMP, the guest's console. Always TCG: a /dev/kvm may be there and
not work.
"""

import base64
import collections
import json
import queue
import socket
import subprocess
import threading
import time

from needs import QEMU, find

MEMORY_MB = 384
LIMIT_S = 240  # under TCG, on a busy machine
KEPT_LINES = 4000
_MACHINE = (
    "-machine", "virt,accel=tcg", "-cpu", "cortex-a53", "-nodefaults", "-no-user-config", "-display", "none",
    "-no-reboot", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-device", "virtio-rng-pci",
    "-netdev", "user,id=net0,ipv6=off", "-device", "virtio-net-pci,netdev=net0,id=nic0,romfile=",
    "-device", "qemu-xhci,id=xhci",
)  # fmt: skip
_MODEM = {"driver": "usb-serial", "chardev": "line", "id": "modem"}  # an FTDI, as many sticks and boards have it


class Guest:
    """A running machine. kernel, initrd, disk: files; line: the modem's Unix socket, or None; words: for the kernel's
    command line; cable: whether it is plugged in at power-on."""

    def __init__(self, kernel, initrd, disk, scratch, line=None, words="", cable=True):
        self.lines = collections.deque(maxlen=KEPT_LINES)
        self._answers = queue.SimpleQueue()
        self._asked = threading.Lock()
        control = scratch / "qmp"
        command = [find(QEMU), *_MACHINE, "-m", str(MEMORY_MB), "-kernel", str(kernel), "-initrd", str(initrd),
                   "-append", "console=ttyAMA0 quiet loglevel=1 panic=-1 mitigations=off " + words,
                   "-drive", "file=%s,format=raw,if=none,id=disk" % disk, "-device", "virtio-blk-pci,drive=disk",
                   "-qmp", "unix:%s,server=on,wait=off" % control, "-S"]  # fmt: skip
        if line:
            command += ["-chardev", "socket,id=line,path=%s,reconnect=1" % line]
            command += ["-device", ",".join([_MODEM["driver"]] + ["%s=%s" % (k, _MODEM[k]) for k in ("chardev", "id")])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        self._qmp = _Qmp(control, self._process)
        self.cable(cable)
        self._qmp.do("cont")

    @property
    def running(self):
        return self._process.poll() is None

    def cable(self, plugged):
        """The network cable; -> when (Unix s)."""
        at = time.time()
        self._qmp.do("set_link", name="nic0", up=plugged)
        return at

    def modem(self, plugged):
        """The modem's USB plug. Returns when the guest has let go of it."""
        if plugged:
            self._qmp.do("device_add", **_MODEM)
        else:
            self._qmp.do("device_del", id="modem")
            self._qmp.until("DEVICE_DELETED")

    def ask(self, line, limit=LIMIT_S):
        """Have the guest's shell do a line; -> (exit code, [what was printed meanwhile])."""
        with self._asked:
            before = len(self.lines)
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            try:
                code = self._answers.get(timeout=limit)
            except queue.Empty:
                raise AssertionError("no end of %r within %d s:\n%s" % (line, limit, self.tail())) from None
            return code, list(self.lines)[before:]

    def write(self, path, text):
        """A small file in the guest; the console takes lines of up to 4 kB."""
        code, told = self.ask("echo %s | base64 -d >%s" % (base64.b64encode(text.encode()).decode(), path))
        assert code == 0, told

    def tail(self, count=30):
        return "\n".join(list(self.lines)[-count:])

    def cut(self):
        """Take its power away, as it stands."""
        self._process.kill()
        self._process.wait()
        self._qmp.close()

    def _read(self):
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").strip()
            if line.startswith("@done "):
                self._answers.put(int(line.split()[1]))
            elif line:
                self.lines.append(line)


class _Qmp:
    """QEMU's control socket: commands and their answers, events in between."""

    def __init__(self, path, process):
        deadline = time.monotonic() + LIMIT_S
        self._sock = socket.socket(socket.AF_UNIX)
        while self._sock.connect_ex(str(path)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("QEMU has not started; its last word is in the guest's lines")
            time.sleep(0.02)
        self._sock.settimeout(LIMIT_S)
        self._file = self._sock.makefile("rb")
        self._events = []
        self._file.readline()  # its greeting
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self._sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._file.readline())
            if "event" in answer:
                self._events.append(answer["event"])
            elif "error" in answer:
                raise AssertionError("%s: %s" % (command, answer["error"]["desc"]))
            else:
                return answer["return"]

    def until(self, event):
        while event not in self._events:
            self._events.append(json.loads(self._file.readline()).get("event"))
        self._events.clear()

    def close(self):
        self._file.close()
        self._sock.close()
