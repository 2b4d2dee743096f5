"""SIMCom A7600, A7608, A7670, A7672: as SIM7600 (A7600 Series TCPIP Application Note), with these differences.

They do not leave the multiplexer properly: after +CMUX only a reset leads back to plain commands (esp-modem's notes).
"""

from .simcom import *  # noqa: F403 - a family is a namespace, and this one is that of SIM7600 but for a few names

# Never sleep; no flow control; contexts are reported. Without +UIMHOTSWAPON; SIM changes come as +CPIN.
INIT = "\nAT+CSCLK=0\nAT+CGEREP=2,1\nAT+CTZR=0\n"
POWER = "500 100 20000 5000"
DIAL = "ATD*99***1#"
MUX = ""
