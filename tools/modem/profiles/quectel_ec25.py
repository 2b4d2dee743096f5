"""Quectel EC25-E, LTE Cat 4 (firmware texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, quectel_commands

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
    "operator": "Testnet",
    "technology": 7,  # E-UTRAN, TS 27.007 7.3
    "signal": 22,  # +CSQ
    "commands": {**basic_commands.COMMANDS, **quectel_commands.COMMANDS},
    # What it says by itself; a real one takes 13 s to "RDY".
    "booted": ["RDY"],
    "sim_ready": ["+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"],
    "sim_gone": ["+CPIN: NOT READY"],
    "context_lost": '+QIURC: "pdpdeact",%d',
    "datagram_waiting": '+QIURC: "recv",%d',
    # Times in ms. Real ones: boot 13000, SIM 3000, attach 2600 and more, dial 300 to 2400.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
