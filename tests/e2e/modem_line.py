"""The emulator's port written and read by hand, for tests: a command, and the text that comes back."""

import asyncio
import os
import re
import tty

from modem_device import until

from pointsman.tools.modem.emulator import Emulator

AT_ONCE = {"boot": 1, "sim": 1, "attach": 1, "dial": 1, "open": 1}
FINAL = re.compile(r"(?:^|\n)(OK|ERROR|\+CM[ES] ERROR: .*|NO CARRIER|CONNECT.*)\r\n")


class Line:
    """path: the port; `heard` is all that came since the last command."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.heard, self.reads = "", []

    def read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return self.heard
        self.reads.append(data)
        self.heard += data.decode("latin-1")
        return self.heard

    def write(self, data):
        os.write(self.fd, data)

    async def ask(self, command):
        """The lines of the answer, without echo and empty ones, the final result last."""
        self.read()
        self.heard = ""
        self.write(command.encode() + b"\r")
        await until(lambda: FINAL.search(self.read()), (command, self.heard))
        answer = self.heard[:FINAL.search(self.heard).end()].replace("\r", "\n")
        return [line for line in answer.split("\n") if line and line != command]

    async def until(self, text):
        await until(lambda: text in self.read(), (text, self.heard))

    def close(self):
        os.close(self.fd)


def scenario(steps, registered=True, **known):
    """Run `steps(emulator, line)` with a modem that answers at once; it has found its network."""

    async def run():
        emulator = Emulator(**{"ms": AT_ONCE, **known})
        await emulator.start()
        line = Line(emulator.path)
        try:
            if registered:
                await until(lambda: emulator.state.registered, "the network")
                await line.ask("ATE0")
            await steps(emulator, line)
        finally:
            line.close()
            await emulator.stop()

    asyncio.run(run())
