"""Quectel EC25-E, LTE Cat 4 (firmware texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_quectel

PROFILE = {
    "about": "Quectel EC25-E, LTE Cat 4, sockets by AT+QIOPEN",
    "identity": {
        "manufacturer": "Quectel",
        "model": "EC25",
        "revision": "EC25EFAR06A01M4G",
        "imei": "867698040000017",
        "imsi": "001010123456789",  # test network 001-01
        "iccid": "8988211000000000016F",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_quectel.COMMANDS},
    "session": sockets_quectel.SESSION,
    # What it says by itself; a real one takes 13 s to "RDY".
    "booted": ["RDY"],
    "sim_ready": ["+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"],
    "sim_gone": [("+QSIMSTAT", "+QSIMSTAT: 1,0"), "+CPIN: NOT READY"],
    "sim_found": [("+QSIMSTAT", "+QSIMSTAT: 1,1")],
    "context_lost": ['+QIURC: "pdpdeact",%(cid)d'],
    "datagram_waiting": sockets_quectel.arrived,
    "socket_closed": ['+QIURC: "closed",%(number)d'],
    "power_down": ["POWERED DOWN"],
    # Real ones: boot 13000, SIM 3000, attach 2600 and more, dial 300 to 2400.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
