"""SIMCom SIM7600E-H, LTE Cat 4 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_simcom

PROFILE = {
    "about": "SIMCom SIM7600E-H, LTE Cat 4, sockets by AT+CIPOPEN",
    "identity": {
        "manufacturer": "SIMCOM INCORPORATED",
        "model": "SIMCOM_SIM7600E-H",
        "revision": "+CGMR: LE20B03SIM7600M22",
        "imei": "861477030000012",
        "imsi": "001010123456701",
        "iccid": "8988211000000000701",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_simcom.COMMANDS, "+UIMHOTSWAPON": basic_commands.accept},
    "session": sockets_simcom.SESSION,
    "functionality": (0, 1, 4, 5, 7),
    "restarts": (6,),
    "net_state": "+NETOPEN: %d,0",
    "booted": ["RDY"],
    "sim_ready": ["+CPIN: READY", "SMS DONE", "PB DONE"],
    "sim_gone": ["+SIMCARD: NOT AVAILABLE", "+CPIN: SIM REMOVED"],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"],
    "datagram_waiting": sockets_simcom.arrived,
    "socket_closed": ["+IPCLOSE: %(number)d,1"],
    "power_down": ["NORMAL POWER DOWN"],
    # Real ones: boot 16000, "PB DONE" 20000 later, attach 2600 and more.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
