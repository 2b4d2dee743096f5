"""Quectel BG95-M3, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_quectel

PROFILE = {
    "about": "Quectel BG95-M3, LTE-M and NB-IoT, sockets by AT+QIOPEN",
    "identity": {
        "manufacturer": "Quectel",
        "model": "BG95-M3",
        "revision": "BG95M3LAR02A04",
        "imei": "864345040000014",
        "imsi": "001010123456703",
        "iccid": "8988211000000000703",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_quectel.COMMANDS},
    "technology": 8,
    "session": sockets_quectel.SESSION,
    "booted": ["RDY", "APP RDY"],
    "sim_ready": ["+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"],
    "sim_gone": [("+QSIMSTAT", "+QSIMSTAT: 1,0"), "+CPIN: NOT READY"],
    "sim_found": [("+QSIMSTAT", "+QSIMSTAT: 1,1")],
    "context_lost": ['+QIURC: "pdpdeact",%(cid)d'],
    "datagram_waiting": sockets_quectel.arrived,
    "socket_closed": ['+QIURC: "closed",%(number)d'],
    "power_down": ["POWERED DOWN"],
    # Real ones: boot 5000, attach up to minutes.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
