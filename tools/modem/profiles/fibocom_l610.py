"""Fibocom L610-EU, LTE Cat 1 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_fibocom

PROFILE = {
    "about": "Fibocom L610-EU, LTE Cat 1, sockets by AT+MIPOPEN",
    "identity": {
        "manufacturer": "Fibocom Wireless Inc.",
        "model": "L610-EU-00",
        "revision": "16000.1000.00.01.01.10",
        "imei": "862138050000014",
        "imsi": "001010123456711",
        "iccid": "8988211000000000711",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_fibocom.COMMANDS},
    "session": sockets_fibocom.SESSION,
    "restarts": (15,),
    "booted": ["RDY"],
    "sim_ready": ["+SIM READY"],
    "sim_gone": [("+MSMPD", "+SIM: Removed"), "+SIM DROP"],
    "sim_found": [("+MSMPD", "+SIM: Inserted")],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+MIPCALL: 0"],
    "datagram_waiting": sockets_fibocom.arrived,
    "socket_closed": ["+MIPSTAT: %(number)d,1"],
    # Real ones: boot 7000 to 15000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
