"""Asks a platform over its REST (tools/servers/rest.py), for the command line."""

import http.client
import json
from urllib.parse import quote, urlsplit

from .. import faults
from ..faults import Fault
from ..servers.credentials import BadSecret, read_private

_TIMEOUT = 30  # s
_MOST = 64 << 20  # bytes of an answer


def token(file):
    """The token in a file for its owner's eyes alone. Raises Fault."""
    try:
        found = read_private(str(file), 200, f"make one: (umask 77; openssl rand -hex 32 > {file})").strip()
    except BadSecret as problem:
        raise Fault(f"policy: {problem}", problem.remedy, faults.USAGE) from problem
    if not 16 <= len(found) <= 128 or not found.isalnum():
        raise Fault(f"policy: {file} holds no token of 16 to 128 letters and digits",
                    f"make one: (umask 77; openssl rand -hex 32 > {file})", faults.USAGE)
    return found


class Asking:
    """A platform at a URI, http or https, with the token (bytes) of an operator."""

    def __init__(self, uri, secret):
        parts = urlsplit(uri)
        try:
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise Fault(f"policy: {uri!r} is no URI of a platform's REST", "as http://127.0.0.1:5694", faults.USAGE)
        self._uri, self._parts, self._secret = uri, parts, secret

    def ask(self, method, *path, query="", **body):
        """The JSON that answers. Raises Fault: it refuses, with what it says, or is not there."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname, self._parts.port, timeout=_TIMEOUT)
        where = "".join("/" + quote(str(part), safe="") for part in path) + query
        headers = {"Authorization": "Bearer " + self._secret.decode(), "Content-Type": "application/json"}
        try:
            connection.request(method, self._parts.path.rstrip("/") + where, json.dumps(body), headers)
            response = connection.getresponse()
            told = json.loads(response.read(_MOST))
            said = str(told.get("error", response.reason))[:500]
        except (OSError, http.client.HTTPException) as problem:
            raise Fault(f"policy: no platform answers at {self._uri} ({problem or type(problem).__name__})",
                        "start it: pointsman serve platform --rest HOST:PORT --rest-token FILE",
                        faults.HOST) from problem
        except (ValueError, AttributeError) as problem:
            raise Fault(f"policy: what answers at {self._uri} is no platform", "check --platform",
                        faults.HOST) from problem
        finally:
            connection.close()
        if response.status >= 300:
            raise Fault(f"policy: {said}", "" if ";" in said else "see pointsman policy --help",
                        faults.USAGE if response.status in (400, 401, 404) else faults.FAILED)
        return told
