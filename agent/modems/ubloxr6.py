"""u-blox LARA-R6: as SARA-R5 (LARA-R6 AT commands manual; that +UPSDA is the same is *not verified*).

Its built-in LwM2M client would answer in our place, so it is switched off. With a frame of 127 bytes in the multiplexer
its check sums are wrong; 31 is right.
"""

from .ubloxr5 import *  # noqa: F403 - a family is a namespace, and this one is that of SARA-R5 but for a few names

INIT = '\nAT+ULWM2M=1\nAT+CSGT=1,"RDY"\nAT+UDCONF=1,0\nAT+USIMSTAT=1\nAT+CGEREP=2,1\nAT+CTZR=0\n'
POWER = "1500 100 9000 5000"
MUX = "AT+CMUX=0,0,5,31"
