"""The AT modem emulator: `from .modem.emulator import Emulator`."""
