"""Final results that only some makers have: which texts end an answer, and which are taken for an echo.

ITU-T V.250 5.7.1 knows a handful; at.final knows those and what several makers share. A family's file takes the rest
from here into its REFUSALS and SUCCESSES; a text with a colon at its end stands for every line that begins so.
"""

# A row: family, "good" or "bad", text. Texts that also come by themselves (CLOSED, PDP DEACT) are no final results.
_FINALS = """
simcom good SHUT OK
simcom good CLOSE OK
simcom good SEND OK
simcom good CONNECT OK
simcom good ALREADY CONNECT
simcom good DATA ACCEPT:
simcom good NORMAL POWER DOWN
simcom bad CONNECT FAIL
simcom bad SEND FAIL
simcom bad +CIPERROR:
simcom bad +IP ERROR:
simcom bad +CCHERROR:
simcom bad +HTTP_PEER_CLOSED
quectel bad SEND FAIL
quectel bad CONNECT FAIL
ublox bad ABORTED
sierra bad NO CNX
sierra bad +KTCP_ERROR:
sierra bad +KUDP_ERROR:
sierra bad +KCNX_ERROR:
telit bad #SSLERR:
huawei bad COMMAND NOT SUPPORT
huawei bad TOO MANY PARAMETERS
huawei bad +CDMA ERROR:
huawei bad ^ERROR
cinterion bad +EXT ERROR:
motorola bad MODEM ERROR:
samsung bad NA
zte bad +ZERROR:
option bad _ERROR
generic bad DELAYED
generic bad BLACKLISTED
generic bad NO PROMPTTONE
"""


def of(family):
    """-> (texts for "done", texts for "refused") of a family, each between newlines, as at.final takes them."""
    good = bad = "\n"
    for row in _FINALS.split("\n")[1:-1]:
        name, kind, text = row.split(" ", 2)
        if name == family and kind == "good":
            good += text + "\n"
        elif name in (family, "generic"):
            bad += text + "\n"
    return good, bad


def without_echo(data):
    """Drop what comes before the first CR LF (bytes): the echo of our own command (V.250 5.2.3), or noise.

    A modem's lines begin with CR LF. What begins with a line end, or has no CR LF at all, stays as it is.
    """
    at = data.find(b"\r\n")
    return data[at:] if at > 0 and data[:1] not in (b"\r", b"\n") else data
