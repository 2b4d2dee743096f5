"""What crosses the wire, in bytes of UDP payload and in round trips, with each kind of security: real agents, our
platform, a relay between them that counts. The peers are measured in the same run, see wire_peers.py.
"""

import json
import socket
import sys
import tempfile
import threading
from pathlib import Path

import wire_peers
from relay import IN, OUT, Relay
from wire_scene import ENDPOINT, PATIENCE_S, Scene, asked, free_port, is_handshake, said, until

from agent.codec import coap
from agent.credentials import name_of
from agent.engine.oscore import Context, Oscore
from agent.north.resources import METER
from pointsman.tools.firmware import launch


def measure(quick=False, figure="register", security="none"):
    """One row an interpreter. `quick` changes nothing: each figure is exact after one run."""
    rows, requests = [], []
    for interpreter in ("cpython", "micropython"):
        if interpreter == "micropython" and (figure == "least" or not launch.find_micropython()):
            continue
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(Path(folder), interpreter, security)
            rows.append({"value": FIGURES[figure](scene), "interpreter": interpreter, "n": 1})
            requests = scene.requests
    peer, peer_value = wire_peers.beside(figure, security, requests)
    return [dict(row, peer=peer, peer_value=peer_value) for row in rows]


def register(scene):
    """Bytes of the request."""
    with scene:
        scene.boot(links="eth,lte" if scene.endpoint == ENDPOINT else "eth")  # with the objects of a modem, or without
        scene.requests = said(scene.relay.seen, OUT)[:1]
        return len(scene.requests[0])


def eight(scene):
    """Bytes of that, if the device had no more than the first eight of its objects."""
    register(scene)
    whole = coap.decode(scene.requests[0])
    whole.payload = b",".join(whole.payload.split(b",")[:9])  # the root, then they
    scene.requests = [coap.encode(whole)]
    return len(scene.requests[0])


def least(scene):
    """Bytes of a Register with two objects, sealed by the device's engine here and now: no device announces so few."""
    guard = Oscore(Context(bytes(16), b"", name_of(scene.endpoint), b""), lambda most: 0)
    words = ["ep=" + scene.endpoint, "lt=300", "lwm2m=1.1"]
    options = [(coap.URI_PATH, b"rd"), (coap.CONTENT_FORMAT, coap.uint(40))]
    options += [(coap.URI_QUERY, word.encode()) for word in words]
    message = coap.Message(coap.CON, coap.POST, 1, b"t", options, b"</1/0>,</3/0>")
    guard.send(coap.encode(message), 0)
    return [len(what) for kind, what in guard.take() if kind == "udp"][0]


def _next_update(scene):
    """What crosses the wire for the next Update. (With the shortest lifetime it comes after 5 s.)"""
    mark = scene.relay.mark()
    until(lambda: said(scene.relay.since(mark), IN), "no update")
    return scene.relay.since(mark)


def update(scene):
    with scene:
        scene.boot(lifetime_s=10)
        scene.requests = [said(scene.relay.seen, OUT)[0], said(_next_update(scene), OUT)[0]]
        return len(scene.requests[1])


def send(scene):
    """Bytes of a report with one reading."""
    with scene:
        scene.boot(report_period_s=1)
        until(lambda: len(said(scene.relay.seen, OUT)) > 1, "no report")
        scene.requests = said(scene.relay.seen, OUT)[:2]
        return len(scene.requests[1])


def notify(scene):
    """Bytes of a notification of the meter's reading, to whom observes it with a token of one byte."""
    with scene, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE_S)
        with Relay(server.getsockname()[1]) as scene.relay:
            _register_by_hand(scene, server)
            data = server.recv(2048)
            while coap.decode(data).token != b"o" or not coap.decode(data).uint(coap.OBSERVE):
                data = server.recv(2048)
            scene.requests = [data]
            return len(data)


def _register_by_hand(scene, server):
    """As a registrar: take the registration, then observe."""
    booting = threading.Thread(target=scene.boot, kwargs={"report_period_s": 1})
    booting.start()
    data, device = server.recvfrom(2048)
    asked = coap.decode(data)
    where = [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"1")]
    server.sendto(coap.encode(coap.Message(coap.ACK, coap.CREATED, asked.mid, asked.token, where)), device)
    booting.join()
    report = coap.decode(server.recv(2048))  # there is a reading now
    server.sendto(coap.encode(coap.Message(coap.ACK, coap.CHANGED, report.mid, report.token)), device)
    path = [(coap.OBSERVE, b"")] + [(coap.URI_PATH, str(part).encode()) for part in METER]
    server.sendto(coap.encode(coap.Message(coap.CON, coap.GET, 1, b"o", path + [(coap.ACCEPT, b"<")])), device)


def bootstrap(scene):
    """Bytes both ways, from the request to the answer to the last write, for one account."""
    with scene:
        port, accounts = free_port(), scene.folder / "accounts.json"
        account = {"uri": "coap://127.0.0.1:%d" % scene.port, "ssid": 1, "links": "eth"}
        accounts.write_text(json.dumps({scene.endpoint: {"accounts": [account]}}))
        serve = ["serve", "configuration", "--bind", "127.0.0.1:%d" % port, "--insecure", "--accounts", str(accounts)]
        scene.start([sys.executable, "-m", "pointsman.tools", *serve], None)
        scene.wait_for_server(port)
        with Relay(port) as relay:
            scene.boot(server_uri="", bootstrap_uri="coap://127.0.0.1:%d" % relay.port)
            scene.requests = [data for _, data in relay.seen]
            return sum(map(len, scene.requests))


def handshake(scene):
    with scene:
        scene.boot()
        return sum(len(data) for _, data in scene.relay.seen if is_handshake(data))


def _moved(scene):
    with scene:
        scene.boot(lifetime_s=10)
        scene.relay.move()
        return _next_update(scene)


def rebind_bytes(scene):
    """Out, for an Update after the address has changed."""
    return sum(len(data) for way, data in _moved(scene) if way == OUT)


def rebind_rtts(scene):
    return asked(_moved(scene))


def cold_boot(scene):
    """Round trips from a power cut to the next registration."""
    with scene:
        scene.boot()
        scene.cut()
        mark = scene.relay.mark()
        scene.boot()
        return asked(scene.relay.since(mark))


FIGURES = {"register": register, "eight": eight, "least": least, "update": update, "send": send, "notify": notify,
           "bootstrap": bootstrap, "handshake": handshake, "rebind_bytes": rebind_bytes, "rebind_rtts": rebind_rtts,
           "cold_boot": cold_boot}
