"""SIMCom SIM7000G, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_simcom70

PROFILE = {
    "about": "SIMCom SIM7000G, LTE-M and NB-IoT, sockets by AT+CAOPEN in its older form",
    "identity": {
        "manufacturer": "SIMCOM_Ltd",
        "model": "SIMCOM_SIM7000G",
        "revision": "1529B11SIM7000G",
        "imei": "869057030000012",
        "imsi": "001010123456705",
        "iccid": "8988211000000000705",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_simcom70.COMMANDS, **sockets_simcom70.OLD},
    "technology": 7,
    "session": sockets_simcom70.SESSION,
    "booted": ["RDY"],
    "sim_ready": ["+CPIN: READY", "SMS Ready"],
    "sim_gone": ["+CPIN: NOT READY"],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+APP PDP: DEACTIVE"],
    "datagram_waiting": ["+CADATAIND: %(number)d"],
    "socket_closed": ["+CASTATE: %(number)d,0"],
    "power_down": ["NORMAL POWER DOWN"],
    # Real ones: boot 10000, attach up to minutes.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
