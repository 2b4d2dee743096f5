"""Nordic nRF9151, LTE-M and NB-IoT, Serial Modem 2.0
(texts as such a module gives them; identities are from test ranges)."""

from .. import sockets_nordic

PROFILE = {
    "about": "Nordic nRF9151, LTE-M and NB-IoT, Serial Modem 2.0, sockets by AT#XSOCKET",
    "identity": {
        "manufacturer": "Nordic Semiconductor ASA",
        "model": "nRF9151-LACA",
        "revision": "mfw_nrf91x1_2.0.2",
        "imei": "352656100000013",
        "imsi": "001010123456712",
        "iccid": "8988211000000000712",
    },
    "commands": sockets_nordic.known(sockets_nordic.COMMANDS),
    "session": sockets_nordic.SESSION,
    "context": 0,
    "lacks": ("D", "O", "H", "+CMGF", "+CPMS", "+CMGR", "+CMGL", "+CMGD", "+CSMS"),
    "acknowledges": True,
    "escapes": False,
    "connect": "CONNECT",
    "mux": {"parameters": 2, "n1": 127},
    "attached": True,
    "booted": ["Ready"],
    "sim_ready": [("%XSIM", "%XSIM: 1")],
    "sim_gone": [("%XSIM", "%%XSIM: 0")],
    "context_lost": [("+CGEREP", "+CGEV: ME PDN DEACT %(cid)d")],
    "datagram_waiting": sockets_nordic.arrived,
    "socket_closed": ["#XAPOLL: %(number)d,32"],
    # Real ones: attach 2600 and more, minutes for the first.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
