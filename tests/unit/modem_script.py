"""A scripted modem in virtual time for the tests of the modem engine."""

from agent.engine.modem import Modem

IDENTITY = {"AT+CGMI": "Quectel", "AT+CGMM": "EC25", "AT+CGMR": "EC25EFAR06A01M4G", "AT+CGSN": "867698041234560",
            "AT+CIMI": "262021234567890", "AT+QCCID": "+QCCID: 8949022021101234567F"}  # fmt: skip

CLOSE_DOWN = b"~\xff}#\xc0!}%}!} }$=\xc7~" + bytes(
    [0xF9, 0x03, 0x3F, 0x01, 0x1C, 0xF9, 0xF9, 0x03, 0xEF, 0x05, 0xC3, 0x01, 0xF2, 0xF9])  # fmt: skip


class Script:
    """Answers commands from a table; what is not in it is answered OK. Holds a little state of its own."""

    def __init__(self, family="auto", apn="iot", pin="", memory=None):
        self.modem = Modem(family, apn, pin=pin, memory=memory)
        self.memory, self.durable = memory, True
        self.now = 0
        self.sent, self.states, self.datagrams = [], [], []
        self.count = {}  # command: how often it was sent
        self.mute = self.active = False
        self.mode, self.speed, self.baud = "", 0, 0  # "data" or "mux"; what the port runs at, and the modem
        self.powered = []  # (what, ms) that the board was asked for
        self.heard_at = 0
        self.answers = {
            "AT+CPIN?": "+CPIN: READY", "AT+CFUN?": "+CFUN: 1", "AT+CEREG?": "+CEREG: 1,1", "AT+CSQ": "+CSQ: 18,99",
            "AT+QICSGP=1": '+QICSGP: 1,"other","","",0',
        }  # fmt: skip
        for command in IDENTITY:
            self.answers[command] = IDENTITY[command]
        self.inbox = {}  # socket: [datagram]
        self.open = {}  # socket: (host, port)
        self.delivered = []  # (host, port, data) the modem sent
        self.prompted = None

    def run(self, ms=0):
        """Let the modem and the engine talk; then pass time up to `ms`, deadline by deadline."""
        self.pump()
        end = self.now + ms
        while self.modem.deadline() is not None and self.modem.deadline() <= end:
            self.now = max(self.now, self.modem.deadline())
            self.modem.poll(self.now)
            self.pump()
        self.now = end

    def pump(self):
        items = self.modem.take()
        while items:
            for item in items:
                if item[0] == "serial":
                    self.hear(item[1])
                elif item[0] == "state":
                    self.states.append(item[1])
                elif item[0] == "keep":
                    self.memory = item[1]
                    self.memory["kept"] = self.durable
                elif item[0] == "baud":
                    self.speed = item[1]
                elif item[0] == "power":
                    self.powered.append(item[1:])
                elif item[0] == "datagram":
                    self.datagrams.append(item[1:])
            items = self.modem.take()

    def hear(self, data):
        if self.elsewhere(data):
            return
        if self.prompted is not None:
            number, self.prompted = self.prompted, None
            self.delivered.append(self.open[number] + (data,))
            return self.say("\r\nSEND OK\r\n")
        for command in data.replace(b"\x1b", b"").decode().split("\r")[:-1]:
            if len(self.sent) < 60:
                self.sent.append(command)
            self.count[command] = self.count.get(command, 0) + 1
            if not self.mute:
                self.reply(command)

    def elsewhere(self, data):
        """Whether it does not take what it hears for commands."""
        quiet, self.heard_at = self.now - self.heard_at >= 1000, self.now
        if self.speed != self.baud or data == CLOSE_DOWN and self.mode != "mux":
            return True
        if self.mode == "mux" and data == CLOSE_DOWN or self.mode == "data" and data == b"+++" and quiet:
            self.mode = "escaped" if self.mode == "data" else ""
            return True
        return self.mode in ("mux", "data")

    def reply(self, command):
        if command in self.answers:
            answer = self.answers[command]
            if answer is None:
                return
            text = answer if answer.endswith("\n") else "\r\n%s\r\n\r\nOK\r\n" % answer
            if answer[:3] in ("ERR", "+CM"):
                text = "\r\n%s\r\n" % answer
            return self.say(text)
        name, _, value = command.partition("=")
        special = getattr(self, "do_" + name[3:].rstrip("?").lower(), None)
        if special is None:
            return self.say("\r\nOK\r\n")
        special(value.replace('"', "").split(","))

    def do_qiact(self, args):
        if args == [""]:
            return self.say('\r\n+QIACT: 1,1,1,"10.0.0.1"\r\n\r\nOK\r\n' if self.active else "\r\nOK\r\n")
        self.active = True
        self.say("\r\nOK\r\n")

    def do_qideact(self, args):
        self.active, self.open = False, {}
        self.say("\r\nOK\r\n")

    def do_qiopen(self, args):
        number = int(args[1])
        if not self.active or number in self.open:
            return self.say("\r\nERROR\r\n")
        self.open[number] = (args[3], int(args[4]))
        self.say("\r\nOK\r\n\r\n+QIOPEN: %d,0\r\n" % number)

    def do_qiclose(self, args):
        self.open.pop(int(args[0]), None)
        self.say("\r\nOK\r\n")

    def do_qisend(self, args):
        if int(args[0]) not in self.open:
            return self.say("\r\nERROR\r\n")
        self.prompted = int(args[0])
        self.say("\r\n> ")

    def do_qird(self, args):
        waiting = self.inbox.get(int(args[0]), [])
        if not waiting:
            return self.say("\r\n+QIRD: 0\r\n\r\nOK\r\n")
        data = waiting.pop(0)
        self.say(b"\r\n+QIRD: %d\r\n" % len(data) + data + b"\r\n\r\nOK\r\n")

    def say(self, text):
        self.modem.receive(text if isinstance(text, bytes) else text.encode(), self.now)

    def urc(self, line):
        self.say("\r\n" + line + "\r\n")
        self.pump()

    def incoming(self, number, data):
        self.inbox.setdefault(number, []).append(data)
        self.urc('+QIURC: "recv",%d' % number)


def connected(**known):
    """A script whose modem is connected."""
    script = Script(**known)
    script.modem.target("connected", 0)
    script.run()
    assert script.modem.state == "connected", script.states
    return script
