"""The agent's modem engine on a serial port: dials, sends one datagram, says what came back. Both interpreters.

usage: python|micropython modem_pty.py ROOT PATH HOST PORT TEXT
Prints "answer TEXT" when the peer's datagram came, else what state it was left in.
"""

import sys
import time

sys.path.insert(0, sys.argv[1])

from agent.engine.modem import Modem  # noqa: E402


def now():
    return int(time.time() * 1000)


def open_port(path):
    """A raw, non-blocking-enough serial port: reads return at once with what is there."""
    import termios

    port = open(path, "r+b", buffering=0)
    if hasattr(termios, "setraw"):  # MicroPython
        termios.setraw(port.fileno())
    else:
        import tty

        tty.setraw(port.fileno())
    attributes = termios.tcgetattr(port.fileno())
    attributes[6][6] = attributes[6][5] = 0  # VMIN and VTIME: MicroPython's setraw waits for every byte asked for
    termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
    return port


def main(path, host, number, text):
    port, modem, said = open_port(path), Modem("auto", "iot"), False
    modem.target("connected", now())
    end = now() + 90000
    while now() < end:
        data = port.read(512)
        if data:
            modem.receive(data, now())
        modem.poll(now())
        if modem.state == "connected" and not said:
            said = modem.send(host, number, text.encode(), now())
        for item in modem.take():
            if item[0] == "serial":
                port.write(item[1])
            elif item[0] == "datagram":
                return "answer " + item[3].decode()
        time.sleep(0.002)
    return "left in state %s (%s)" % (modem.state, modem.reason)


print(main(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]))
