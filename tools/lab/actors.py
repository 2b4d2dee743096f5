"""The device agents: real child processes, started, killed and restarted; their log is shown, never believed."""

import asyncio
import collections
import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from ..faults import PROGRAM, Fault

ROOT = Path(__file__).resolve().parents[2]  # the folder that holds agent/, boards/ and firmware/
KEPT_LINES = 15  # of an agent's log, for the report when an act did not happen
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """Linux: a killed lab takes its agents with it. Elsewhere only an orderly end does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Agent:
    """One agent process: `command` is what to execute; told(event, **fields) gets what it logs."""

    def __init__(self, name, told):
        self.name = name
        self.command = None
        self.tail = collections.deque(maxlen=KEPT_LINES)
        self.starts = 0
        self._told = told
        self._process = None
        self._reader = None

    async def start(self):
        """Starts (or restarts) the process; Fault when the interpreter cannot be executed."""
        environment = dict(os.environ, PYTHONUNBUFFERED="1")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                # Not a session: its leader would take the modem's pty for its terminal, and die when that ends.
                process_group=0,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            raise Fault(
                "cannot start %s: %s" % (self.command[0], error.strerror), "is it installed?", PROGRAM
            ) from error
        self.starts += 1
        self._reader = asyncio.create_task(self._read(self._process))

    @property
    def alive(self):
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self):
        return self._process.returncode if self._process else None

    async def kill(self):
        """kill -9: what a power cut does to a process."""
        if self.alive:
            os.kill(self._process.pid, signal.SIGKILL)
        await self._ended()

    async def _ended(self):
        if self._process:
            await self._process.wait()
        if self._reader:
            await self._reader

    async def _read(self, process):
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than the stream's limit: not a line of ours
                continue
            if not line:
                return
            self._heard(line.decode("utf-8", "replace").strip())

    def _heard(self, text):
        if not text:
            return
        self.tail.append(text)
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            row = {"event": "output", "text": text}
        event = str(row.pop("event", "output"))
        row["part"] = row.pop("actor", None)
        row.pop("t", None)
        self._told(event, **{str(k): v for k, v in row.items() if v is not None})
