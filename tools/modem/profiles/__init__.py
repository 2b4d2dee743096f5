"""One file a modem: PROFILE is data; the profile's name is the file's, with hyphens. It replaces rows of DEFAULTS.

A row of lines holds what the modem says by itself. A line may have fields: %(cid)d of a context, %(number)d of a
socket, %(length)d of a datagram, %(present)d of the SIM. A line ("+CGEREP", line) is only said while that session
setting is on. Instead of lines, `datagram_waiting` may be a function(modem, relay).
The commands of a maker's sockets are in tools/modem/sockets_MAKER.py.
"""

from .. import basic_commands

DEFAULTS = {
    "about": "",
    "identity": {},  # manufacturer, model, revision, imei, imsi, iccid
    "operator": "Testnet",
    "technology": 7,  # E-UTRAN, TS 27.007 7.3
    "signal": 22,  # +CSQ
    "commands": basic_commands.COMMANDS,
    "lacks": (),  # what it does not know of what all others do
    "session": {},  # what the maker's own settings are after a restart: {"+QISDE": 1}
    "functionality": (0, 1, 4),  # what +CFUN takes
    "restarts": (),  # what +CFUN takes and restarts upon, besides +CFUN=1,1
    "prompt": "\r\n> ",  # what asks for data
    "prompt_ms": 0,  # what comes sooner after the prompt is lost
    "prompt_escape": True,  # ESC gives up
    "context": 1,  # of a data call that names none
    "attached": False,  # whether an attach brings that up
    "contexts": {},  # {cid: apn} that are there from the start
    "booted": ["RDY"],
    "sim_ready": ["+CPIN: READY"],
    "sim_gone": ["+CPIN: NOT READY"],
    "sim_found": [],  # put in; sim_ready follows once it has been read
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d")],
    "detached": [("+CGEREP", "+CGEV: NW DETACH")],
    "datagram_waiting": [],
    "socket_closed": [],
    "power_down": [],
    "connect": "CONNECT 150000000",
    "acknowledges": False,  # messages are stored nowhere and want +CNMA (Nordic)
    "escapes": True,  # +++ leads out of data mode
    "ppp": {},  # of data calls: auth (None, "pap", "chap"), user, secret, own, dns, mru
    "mux": {},  # of AT+CMUX: parameters, n1, channels, leaves, broken_above (lines.py)
    # Times in ms; real ones are far longer, and are said in the profiles. mux: no +CMUX so soon after +CFUN=1.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20, "message": 20, "mux": 0},
}
