"""What was said to the modem and by it lately, as lines without secrets: a part of the modem engine, loaded when asked
for. The channel notes everything into a ring of bytes (at_channel.py); here it is read.
"""

# A command or line, and how many of its parameters may be shown: PINs, and the passwords of those who dial.
_SHOWN = """
CPIN 0
CPIN2 0
CPWD 1
CLCK 2
CGAUTH 2
QICSGP 3
UAUTHREQ 2
UPSD 2
AUTHDATA 2
NDISDUP 3
CNCFG 3
CSTT 1
QCPDPP 2
PDPAUTH 2
PPPCFGAUTH 1
KCNXCFG 3
SGAUTH 2
SICS 2
"""
_FINALS = ("<OK", "<ERROR", "<+CME ERROR", "<+CMS ERROR", "<+CPIN")
_CONTENT = 40  # hexadecimal digits and more in a row are a short message, or other content


def told(modem):
    """-> lines, the oldest first: ">" and what we said, "<" and what we heard; bytes only as their number."""
    channel = modem._channel
    size, end = len(channel.ring), channel.noted % len(channel.ring)
    data = bytes(channel.ring[:end])
    if channel.noted > size:
        data = (bytes(channel.ring[end:]) + data).partition(b"\n")[2]  # the oldest line has no beginning any more
    shown, secret = [], False
    for line in data.decode().split("\n")[:-1]:
        if line[0] == ">":
            secret = "PIN=" in line.upper()
        if secret and line[0] == "<" and line.partition(":")[0] not in _FINALS:
            line = "<***"  # its echo, perhaps damaged
        shown.append(masked(line))
    return shown


def masked(line):
    """A line without what nobody is to read."""
    text = line[1:]
    if len(text) >= _CONTENT and not text.strip("0123456789ABCDEFabcdef"):
        return "%s[%d digits]" % (line[0], len(text))
    upper = line.upper()
    for row in _SHOWN.split("\n")[1:-1]:
        name, count = row.split()
        for sign in "=" if "PIN" in name else "=:":
            at = upper.find(name + sign)
            if at >= 0:
                parts = line[at + len(name) + 1 :].split(",")
                rest = parts[: int(count)] + (["***"] if len(parts) > int(count) and parts[-1] != "?" else [])
                return line[: at + len(name) + 1] + ",".join(rest)
    return line
