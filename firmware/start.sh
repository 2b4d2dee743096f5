#!/bin/sh
# Keeps the agent running where there is no systemd: BusyBox init (inittab: `::respawn:/path/to/start.sh /etc/pointsman.json`),
# runit, OpenRC, a Raspberry Pi's rc.local. It starts the agent again when it has ended by itself.
#
# usage: start.sh CONFIG.json [PYTHON]        the configuration is that of main.py, which lies beside this file
umask 077 # what the agent keeps is nobody else's business, and MicroPython has no chmod
config=${1:?usage: start.sh CONFIG.json [PYTHON]}
here=$(dirname "$0")
pause=1
trap 'kill "$agent" 2>/dev/null; wait "$agent"; exit' TERM INT

while :; do
    "${2:-python3}" "$here/main.py" "$config" &
    agent=$!
    wait "$agent"
    code=$?
    case $code in
        0 | 2) exit "$code" ;; # asked to end; a configuration that no second try makes better
    esac
    echo "pointsman: the agent has ended with $code, again in $pause s" >&2
    sleep "$pause"
    pause=$((pause < 60 ? pause * 2 : 60))
done
