"""Quectel BG95, BG96, BG77: as EC2x (BG95&BG77&BG600L and BG96 TCP/IP Application Notes), with these differences.

They are for LTE-M and NB-IoT: the network takes its time, so answers that depend on it are waited for longer.
"""

from .quectel import *  # noqa: F403 - a family is a namespace, and this one is that of EC2x but for a few names

INIT = '\nAT+QISDE=0\nAT+QSIMSTAT=1\nAT+QURCCFG="urcport","uart1"\n'
TIMEOUTS = {"AT+QIACT?": 5000, "AT+QIACT": 150000, "AT+QIDEACT": 40000, "AT+QISEND": 120000, "AT+QICLOSE": 10000,
            "AT+QPOWD": 5000}  # fmt: skip
POWER = "500 1000 5000 2000"
MUX = "AT+CMUX=0,0,5,127"
