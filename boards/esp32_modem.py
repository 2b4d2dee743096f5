"""The modem of an ESP32: its UART, its power pins, and PPP by MicroPython's own `network.PPP`.

Written from MicroPython's documentation and source (ports/esp32, 1.29); nothing of it has been on a chip yet.

For a data call the UART is lent to network.PPP: bytes go between the two in C, and nothing of them is seen here. It
cannot be a channel of the modem's multiplexer instead: PPP writes from the thread of the IP stack, where a stream that
is written in Python ends in a crash (no MicroPython thread state there; network_ppp.c, mpthreadport.c). So the setting
`cmux` must be off, and while a call lasts the modem hears commands only while the call is suspended: every `ppp_look_s`
session.py asks for that, for about three seconds (agent/engine/modem_aside.py).
"""

import io

_EAGAIN, _NO_DEVICE, _ENOSYS = 11, 19, 38
_QUEUE_MAX = 16384  # what a port that takes nothing may keep us holding
_AT_ONCE = 256
_BUFFER = 4096  # bytes, each way: write() waits when the driver's is full
_POLL, _READABLE, _EINVAL = 3, 1, 22  # of MicroPython's stream protocol
_LONGEST_MS = 60000  # for a pulse
_TIMER = 1  # 0 may be what UART.IRQ_RXIDLE, and so PPP, has
# Of lwIP (netif/ppp/ppp.h), as status() tells them below 0.
_CAUSES = {-6: "no agreement, or the connection is lost", -7: "authentication refused", -8: "no agreement",
           -9: "the modem does not answer", -12: "loop"}  # fmt: skip


class Gate(io.IOBase):
    """What to wait on for a UART: never readable while that is lent. `uart`: the Uart; None: never at all."""

    def __init__(self, uart=None):
        self._uart = uart

    def ioctl(self, request, flags):
        """Of MicroPython's stream protocol; there is no file behind it."""
        if request != _POLL:
            return -_EINVAL
        return flags & _READABLE if self._uart and self._uart.ready() else 0


class Uart:
    """The serial port, in the shape of tty.py. `uart` is the machine.UART."""

    def __init__(self, number, baud, pins):
        """pins: tx, rx and perhaps rts, cts. Raises OSError when there is no such UART."""
        import machine

        self._baud, self._queue, self._lent = baud, b"", False
        flow = {"flow": machine.UART.RTS | machine.UART.CTS} if "rts" in pins and "cts" in pins else {}
        try:
            self.uart = machine.UART(
                number, baudrate=baud, rxbuf=_BUFFER, txbuf=_BUFFER, timeout=0, **dict(pins, **flow)
            )
        except (OSError, ValueError) as e:
            raise OSError(_NO_DEVICE, "serial port: UART %d cannot be used (%s); see option modem" % (number, e))
        self.stream = Gate(self)

    def ready(self):
        """Whether read() would give something."""
        return not self._lent and self.uart.any() > 0

    def lend(self, lent):
        """Somebody else reads and writes `uart` from now on, or no more."""
        self._lent, self._queue = lent, b""

    def baud(self, baud):
        """Another speed from now on; 0 is the one that it was opened with. One that is not possible is left out."""
        if not self._lent:
            try:
                self.uart.init(baudrate=baud or self._baud)
            except (OSError, ValueError):
                pass

    def read(self):
        """What has arrived, maybe b""."""
        if not self.ready():
            return b""
        return self.uart.read(min(self.uart.any(), _AT_ONCE)) or b""

    def write(self, data):
        """Send all of it, as fast as the port takes it (the rest with the next call)."""
        if self._lent or len(self._queue) + len(data) > _QUEUE_MAX:
            raise OSError(_EAGAIN, "serial port: %s" % ("a data call has it" if self._lent else "it takes no data"))
        self._queue += data
        if self._queue:
            self._queue = self._queue[self.uart.write(self._queue) or 0 :]

    @property
    def waiting(self):
        """Bytes that the port has not taken yet; write(b"") tries again."""
        return len(self._queue)

    def close(self):
        self.uart.deinit()


class Ppp:
    """One data call, after the agent has dialled: a port as agent/session.py wants it. over(): called at its end."""

    packets = False

    def __init__(self, uart, user, secret, auth, over):
        """Raises OSError when PPP cannot be started; the port is the agent's again then."""
        import network

        if not hasattr(network, "PPP"):
            raise OSError(_ENOSYS, "session: this firmware has no network.PPP; set session to sockets")
        self._uart, self._over, self._stopped = uart, over, False
        self.stream = Gate()  # all goes by uart
        try:
            self.nic = network.PPP(uart.uart)
            uart.lend(True)
            self.nic.connect(**_security(network.PPP, user, secret, auth))
        except (OSError, ValueError, RuntimeError) as e:
            uart.lend(False)
            raise OSError(_NO_DEVICE, "session: PPP cannot be started (%s)" % e)

    def read(self):
        return b""

    def write(self, data):
        """Nothing comes this way."""

    def ended(self):
        """Why it has ended, or None."""
        state = self.nic.status()
        if state < 0:
            return "ppp: " + _CAUSES.get(state, "error %d" % -state)
        return None if state else "ppp: hung up"

    def stop(self):
        """Hang up politely: the modem is told, and ended() says when it has agreed."""
        self.nic.disconnect()

    def suspend(self):
        """Take the port back for AT commands while the call is held (after "+++", before "ATO")."""
        self.nic.config(stream=None)
        self._uart.lend(False)

    def resume(self):
        """The modem carries data again."""
        self._uart.lend(True)
        self.nic.config(stream=self._uart.uart)

    def kill(self):
        """The port is the agent's at once, whatever PPP thinks; it is never used again."""
        self.suspend()
        try:
            self.nic.active(False)  # disconnect() would leave an interface in error as it is
        except OSError:
            pass  # its finaliser tries again
        self._over()


def _security(ppp, user, secret, auth):
    if not user and not secret:
        return {}
    return {"security": ppp.SEC_CHAP if auth == "chap" else ppp.SEC_PAP, "user": user, "key": secret}


class Power:
    """The modem's power key, reset line and supply, those that are wired. active: the level that pulls."""

    def __init__(self, pins, active):
        import machine

        self._active, self._held = active, None
        self._pins = {name: machine.Pin(pins[name], machine.Pin.OUT, value=1 - active) for name in pins
                      if name != "supply"}  # fmt: skip
        self._supply = machine.Pin(pins["supply"], machine.Pin.OUT, value=1) if "supply" in pins else None
        self._timer = machine.Timer(_TIMER) if self._pins else None

    def pulse(self, what, ms):
        """on, off (the key, else the supply) or reset. It goes on by itself; what is not wired is left out."""
        import machine

        pin = self._pins.get("reset" if what == "reset" else "key")
        if pin:
            self._release()
            pin.value(self._active)
            self._held = pin
            period = max(1, min(ms, _LONGEST_MS))
            self._timer.init(mode=machine.Timer.ONE_SHOT, period=period, callback=self._release)
        elif self._supply and what != "reset":
            self._supply.value(1 if what == "on" else 0)

    def _release(self, _=None):
        if self._held:
            self._held.value(1 - self._active)
            self._held = None
