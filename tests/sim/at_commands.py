"""What the model modem does for each AT command: functions of (modem, echo, mark, rest), mark being "", "?" or "=".

Command forms: Quectel EC2x AT Commands Manual, EC2x TCP(IP) Application Note.
"""

SOCKETS = 4
IDENTITY = {
    "+CGMI": "Quectel",
    "+CGMM": "EC25",
    "+CGMR": "EC25EFAR06A01M4G",
    "+CGSN": "867698040000001",
    "+CIMI": "262010000000001",
    "+QCCID": "+QCCID: 89490200001000000016",
    "+CCID": "+CCID: 89490200001000000016",
    "+ICCID": "+ICCID: 89490200001000000016",
    "I": "Quectel\r\nEC25\r\nRevision: EC25EFAR06A01M4G",
}
OF_SIM = ("+CIMI", "+QCCID", "+CCID", "+ICCID")


class Socket:
    def __init__(self, host, port, local_port, direct):
        self.host, self.port, self.local_port, self.direct = host, port, local_port, direct
        self.buffer = []


def _echo_off(modem, echo, mark, rest):
    modem.echo = False
    modem.ok(echo)


def _pin(modem, echo, mark, rest):
    if not modem.sim:
        return modem.error(echo, 10)
    if mark == "?":
        return modem.ok(echo, "+CPIN: " + ("SIM PIN" if modem.locked else "READY"))
    if not modem.locked:
        return modem.error(echo, 3)
    if modem.enter(rest.strip('"')):
        return modem.ok(echo)
    modem.error(echo, 16)


def _tries(modem, echo, mark, rest):
    modem.ok(echo, '+QPINC: "SC",%d,10' % modem.tries)


def _functional(modem, echo, mark, rest):
    if mark == "?":
        return modem.ok(echo, "+CFUN: %d" % modem.functional)
    modem.ok(echo, None, 300)
    if rest.endswith(",1"):
        modem.resets.spend(modem.world.now)
        return modem.power_on()
    modem.functional = rest.startswith("1")
    if modem.functional:
        modem.search()
    else:
        modem.registered = False
        modem.close_context()


def _registration(name):
    def serve(modem, echo, mark, rest):
        if mark == "=":
            modem.urc_registration[name] = rest != "0"
            return modem.ok(echo)
        mode = 1 if modem.urc_registration.get(name) else 0
        modem.ok(echo, "%s: %d,%d" % (name, mode, modem.registration))

    return serve


def _signal(modem, echo, mark, rest):
    modem.ok(echo, "+CSQ: %s,99" % (20 if modem.registered else 99))


def _attach(modem, echo, mark, rest):
    modem.ok(echo, "+CGATT: %d" % modem.registered if mark == "?" else None)


def _activate(modem, echo, mark, rest):
    if mark == "?":
        return modem.ok(echo, '+QIACT: 1,1,1,"10.64.0.2"' if modem.context else None)
    modem.dials.spend(modem.world.now)
    if not modem.registered or modem.world.now < modem.refuses_until:
        modem.refuse_dial()
        return modem.error(echo, 30, 500)
    modem.context, modem.dead_bearer, modem.dialled_at = True, False, modem.world.now
    modem.ok(echo, None, modem.chance.between(200, 1200))


def _context(modem, echo, mark, rest):
    given = rest.replace('"', "").split(",")
    if len(given) > 2:
        modem.apn = given[2]
        return modem.ok(echo)
    modem.ok(echo, '+QICSGP: 1,"%s","","",0' % modem.apn)


def _report_sim(modem, echo, mark, rest):
    modem.urc_sim = rest == "1"
    modem.ok(echo)


def _deactivate(modem, echo, mark, rest):
    modem.close_context()
    modem.ok(echo, None, 200)


def _open(modem, echo, mark, rest):
    given = rest.replace('"', "").split(",")
    number = int(given[1])
    modem.ok(echo)
    error = 0
    if not modem.context:
        error = 561  # open PDP context failed
    elif number in modem.sockets:
        error = 562  # operation not allowed: identifier in use
    elif not 0 <= number < SOCKETS:
        error = 552
    else:
        modem.local_port += 1  # a new port each time: NAT rebinding for the servers
        direct = len(given) > 6 and given[6] == "1"
        modem.sockets[number] = Socket(given[3], int(given[4]), modem.local_port, direct)
    modem.say("\r\n+QIOPEN: %d,%d\r\n" % (number, error), modem.chance.between(30, 300))


def _close(modem, echo, mark, rest):
    modem.sockets.pop(int(rest.split(",")[0]), None)
    modem.ok(echo, None, 20)


def _send(modem, echo, mark, rest):
    given = rest.replace('"', "").split(",")
    number, length = int(given[0]), int(given[1])
    if number not in modem.sockets or not 0 < length <= 1460:
        return modem.finish(echo + "\r\nERROR\r\n", 5)
    host, port = (given[2], int(given[3])) if len(given) > 3 else (None, None)
    modem.payload_for, modem.payload = (number, length, host, port), b""
    modem.prompted_at = modem.world.now
    modem.say(echo + "\r\n> ", 5)


def _read(modem, echo, mark, rest):
    socket = modem.sockets.get(int(rest.split(",")[0]))
    if socket is None:
        return modem.finish(echo + "\r\nERROR\r\n", 5)
    if not socket.buffer:
        return modem.ok(echo, "+QIRD: 0")
    data = socket.buffer.pop(0)
    head = "%s\r\n+QIRD: %d\r\n" % (echo, len(data))
    modem.finish(head.encode() + data + b"\r\n\r\nOK\r\n", 10)


COMMANDS = {
    "E0": _echo_off,
    "+CPIN": _pin,
    "+QPINC": _tries,
    "+CFUN": _functional,
    "+CREG": _registration("+CREG"),
    "+CGREG": _registration("+CGREG"),
    "+CEREG": _registration("+CEREG"),
    "+CSQ": _signal,
    "+CGATT": _attach,
    "+QSIMSTAT": _report_sim,
    "+QICSGP": _context,
    "+QIACT": _activate,
    "+QIDEACT": _deactivate,
    "+QIOPEN": _open,
    "+QICLOSE": _close,
    "+QISEND": _send,
    "+QIRD": _read,
}
