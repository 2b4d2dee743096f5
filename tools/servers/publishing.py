"""The platform's broker, as `pointsman serve platform` is told of it."""

from urllib.parse import urlsplit

from ...agent.errors import LocalError
from .. import faults
from ..faults import Fault
from .credentials import BadSecret, read_private

OPTIONS = ("broker", "broker_user", "broker_password", "broker_ca")
_MOST = 300  # bytes of a file with a password


def arguments(parser):
    """The options; those of OPTIONS."""
    parser.add_argument("--broker", metavar="URI", help="platform: publish policies there, as mqtts://HOST[:PORT] or "
                        "mqtt://HOST[:PORT]; for devices with the capability mqtt, in groups with a topic")
    parser.add_argument("--broker-user", metavar="NAME", help="and be this user")
    parser.add_argument("--broker-password", metavar="FILE", help="with the password in this file, mode 0600")
    parser.add_argument("--broker-ca", metavar="FILE",
                        help="mqtts: certificates to trust (default: those that this system does)")


def in_the_clear(args):
    """Whether others could read the password on its way."""
    try:
        parts = urlsplit(args.broker or "")
    except ValueError:
        return False  # publisher() refuses it
    away = parts.hostname not in ("127.0.0.1", "::1", "localhost")
    return bool(args.broker_password) and parts.scheme == "mqtt" and away


def publisher(args, note):
    """The publisher, not started; None without --broker. note(event, **fields): for a log. Raises Fault."""
    if not args.broker:
        lost = [name for name in OPTIONS if getattr(args, name)]
        if lost:
            raise _fault(f"--{lost[0].replace('_', '-')} is for --broker", "as --broker mqtts://HOST")
        return None
    if bool(args.broker_user) != bool(args.broker_password):
        raise _fault("--broker-user and --broker-password go together", "see serve --help")
    if args.broker_ca and not args.broker.startswith("mqtts:"):
        raise _fault("--broker-ca is for mqtts://", "leave it out, or --broker mqtts://HOST")
    from .broker import Broker  # the other servers have no use for it

    user = args.broker_user
    try:
        password = user and read_private(args.broker_password, _MOST, "name the file that it is in").strip()
        return Broker(args.broker, note, "pointsman-" + (user or "platform"), user, password, args.broker_ca)
    except BadSecret as problem:
        raise _fault(problem, problem.remedy) from problem
    except LocalError as problem:
        raise _fault(problem, "as --broker mqtts://broker.example") from problem
    except OSError as problem:
        cause = f"--broker-ca {args.broker_ca}: {problem.strerror or problem}"
        raise _fault(cause, "name a file of certificates, PEM") from problem


def _fault(cause, remedy):
    return Fault(f"serve: {cause}", remedy, faults.USAGE)
