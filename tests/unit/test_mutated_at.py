"""Lines of real modems, damaged in thousands of ways: a parser may refuse them by RemoteError and in no other way.

The mutations come from a seeded xorshift, so both interpreters see the same ones.
"""

from agent.codec import (
    alphabet,
    at,
    at_address,
    at_bearer,
    at_clock,
    at_context,
    at_errors,
    at_ident,
    at_network,
    at_signal,
    at_sim,
    at_sms,
)
from agent.errors import RemoteError

ROUNDS = 20
INTERESTING = "\0\t\"',.:;/()+-#^%0123456789AFaf xX~\x7f"

LINES = (
    '+CREG: 2,1,"1A2B","00C3D4E5",7,0,15',
    "+CEREG: 1, 1F00, 20 ,79D903 ,7",
    '+C5GREG: 3,3,"00A1","0001F2",11,4,01020304,0,27',
    '+COPS: (2,"Telekom.de","TDG","26201",7),(3,"o2","o2","26203",0),,(0,1,2,3,4),(0,1,2)',
    '+COPS: 0,0,"00540065006C0065",7',
    "+CSQ: 17,99",
    "+CESQ: 99,99,255,255,20,80,60,70,50",
    '^HCSQ: "LTE",40,45,111,22',
    "^SMONI: 4G,6300,20,10,10,FDD,262,02,BF75,0345103,350,33,-94.5,-7,NOCONN",
    "+CPSI: LTE,Online,262-01,0x1A2B,1234567,100,EUTRAN-BAND3,1300,5,5,-94,-850,-545,15",
    "+CPIN: SIM PIN",
    "+CPINR: SIM PIN,3,3",
    "+UPINCNT: 3,3,10,10",
    "PIN1=3; PUK1=10; PIN2=3; PUK2=10",
    '+CRSM: 144,0,"98940200"',
    "+CIEV: simlocal,1",
    "#QSS: 0,2",
    "^ICCID: 989420021201214365F7",
    "262021234567890",
    "+CGSN: 4901542032375101",
    '+CGDCONT: (1-11, 101-103),"IPV4V6",,,(0)',
    '+CGDCONT: 1,"IP","iot.example","10.0.0.1",0,0',
    '+CGCONTRDP: 1,5,"iot","10.4.3.2.255.255.255.240","10.4.3.1","9.9.9.9","1.1.1.1"',
    '+CGPADDR: 1,"10.20.30.40","FE80:0:0:0:0:0:0:2"',
    '+CGEV: NW DEACT "IP","10.1.1.1",2',
    "+CGEV: ME PDN ACT 3,0",
    '+QIACT: 1,1,1,"10.0.0.9"',
    '^NDISSTATQRY: 0,,,"IPV4",1,,,"IPV6"',
    "^DHCP: 2010A0A,FCFFFFFF,1010A0A,1010A0A,04040808,09090909,43200000,43200000",
    '*E2IPCFG: (1,"10.0.0.9")(2,"10.0.0.1")(3,"9.9.9.9")',
    "%IPDPADDR: 2, 10.0.0.9, 10.0.0.1, 9.9.9.9, 1.1.1.1, 0.0.0.0, 0.0.0.0, 255.0.0.0, 255.255.0.0, fe80::1, ::, fd::9",
    '+UIPADDR: 1,"ccinet0","10.0.0.9","255.255.255.0","2001::1:200/64","FE80::200/64"',
    '+CNACT: 0,1,"10.0.0.9"',
    "+APP PDP: 0,DEACTIVE",
    '+QNETDEVSTATUS: 1,1,"IPV4V6",0',
    '+CCLK: "26/11/13,13:34:56+04"',
    '+CTZE: "+04",0,"2019/07/09,11:15:40"',
    '*PSUTTZ: 2026,11,13,12,34,56,"+4",1',
    "Manufacturer: SIMCOM INCORPORATED",
    "+CFUN: 1,0",
    '+CMGL: 2,0,"A, B",23',
    '+CMTI: "SM",3',
    '+CPMS: "SM",2,30,"ME",0,99,"SM",2,30',
    '+CSCA: "002B0034003900310037",145',
    "+CME ERROR: SIM not inserted",
    "MODEM ERROR: 5",
)
PDU = "0011000B919471325476F80000A70AE8329BFD4697D9EC37"

ONE = (  # parsers of a line
    at.registration, at.registration_fields, at.sim, at.signal, at.iccid, at.imsi, at.imei, at.text, at.cause, at.final,
    at.fields, at_network.system, at_network.rejection, at_network.operator, at_network.operators,
    at_network.name, at_signal.signal,
    at_sim.lock, at_sim.tries, at_sim.presence, at_sim.file_answer, at_sim.verifications, at_sim.numbered,
    at_address.address, at_address.prefix, at_address.little, at_context.addresses, at_context.parameters,
    at_context.event, at_bearer.event, at_bearer.dhcp, at_bearer.ericsson, at_bearer.icera, at_bearer.ublox,
    at_clock.clock, at_clock.zone, at_ident.name, at_ident.functionality, at_errors.equipment,
    at_errors.message, at_sms.arrived, at_sms.sent, at_sms.centre, at_sms.storages, alphabet.unhex,
)  # fmt: skip
MANY = (  # parsers of an answer's lines
    at_context.contexts, at_context.ranges, at_context.active, at_bearer.states, at_ident.information, at_ident.serial,
    at_sms.stored, at_sms.listed, at_sms.delivered, at_sim.tries,
)  # fmt: skip


class Chance:
    """xorshift32; `below(n)` as the engines want it."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x % n


def mutated(text, other, chance):
    """A copy of a text, damaged once to four times; `other` is what may be spliced in."""
    for _ in range(1 + chance.below(4)):
        kind, at = chance.below(6), chance.below(len(text) + 1)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + other[chance.below(len(other)):]
        elif kind == 2:
            text = text[:at] + text[at + 1 + chance.below(3):]
        elif kind == 3:
            text = text[:at] + INTERESTING[chance.below(len(INTERESTING))] + text[at:]
        elif kind == 4:
            text = text[:at] + text[chance.below(at + 1):at] + text[at:]
        else:
            text = text[:at] + INTERESTING[chance.below(len(INTERESTING))] + text[at + 1:]
    return text[:400]


def survives(parser, *args):
    """Whether a parser takes or properly refuses something; every other exception goes through."""
    try:
        parser(*args)
    except RemoteError as error:
        assert str(error).startswith("at"), error


def test_every_line_to_every_parser():
    for line in LINES:
        for parser in ONE:
            survives(parser, line)
        for parser in MANY:
            survives(parser, [line, PDU])


def test_damaged_lines():
    chance = Chance(20261113)
    for line in LINES:
        own = [parser for parser in ONE if _takes(parser, line)]
        many = [parser for parser in MANY if _takes(parser, [line])]
        for _ in range(ROUNDS):
            bad = mutated(line, LINES[chance.below(len(LINES))], chance)
            for parser in own:
                survives(parser, bad)
            for parser in many:
                survives(parser, [line, bad, PDU])
            survives(ONE[chance.below(len(ONE))], bad)
            survives(at.registration, bad, bool(chance.below(2)))


def _takes(parser, argument):
    try:
        parser(argument)
    except RemoteError:
        return False
    return True
