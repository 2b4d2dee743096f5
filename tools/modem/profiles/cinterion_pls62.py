"""Cinterion PLS62-W, LTE Cat 1 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_cinterion

PROFILE = {
    "about": "Cinterion PLS62-W, LTE Cat 1, sockets by AT^SISO, context by AT^SICA",
    "identity": {
        "manufacturer": "Cinterion",
        "model": "PLS62-W",
        "revision": "REVISION 02.000",
        "imei": "351535110000019",
        "imsi": "001010123456709",
        "iccid": "8988211000000000709",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_cinterion.COMMANDS},
    "session": sockets_cinterion.SESSION,
    "on_demand": False,
    "booted": ["^SYSSTART"],
    "sim_ready": [("^SCKS", "^SCKS: 1"), "+CIEV: prov,0,fallb3gpp"],
    "sim_gone": [("^SCKS", "^SCKS: 0")],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d")],
    "datagram_waiting": ["^SISR: %(number)d,1"],
    "socket_closed": ['^SIS: %(number)d,0,48,"Remote peer has closed the connection"'],
    "power_down": ["^SHUTDOWN"],
    "mux": {"n1": 97, "channels": 3},
    # Real ones: boot 10000 and more.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
