"""The guest's Debian packages, from the mirrors that this machine's apt knows; what apt has noted here stays as it is.

A private apt folder makes another architecture possible without root and without `dpkg --add-architecture`.
"""

import subprocess

from needs import Missing

ARCHITECTURE = "arm64"
_WANTED = ("busybox-static", "python3", "ppp")
# What these depend on for the sake of a whole Debian, by the beginnings of the names.
_NOT_WANTED = (
    "cdebconf", "debconf", "dpkg", "gcc-", "init-system", "install-info", "libaudit-", "libcom-err", "libdb5", "libdb-",
    "libdebian", "libelogind", "libgdbm", "libgssapi", "libk5", "libkey", "libkrb", "libncurses", "libnewt", "libnsl",
    "libpam-", "libperl", "libproc", "libreadline", "libslang", "libsqlite", "libtext", "libtinfo", "libtirpc",
    "mailcap", "media", "mime", "perl", "procps", "readline", "tar", "tzdata", "usr", "netbase",
)  # fmt: skip
_NO_MORE = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")


class Apt:
    """apt-get and apt-cache with a state of their own in a folder."""

    def __init__(self, folder):
        self._debs = folder / "debs"
        state = folder / "apt"
        for path in (state / "lists/partial", state / "cache/archives/partial", self._debs):
            path.mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        values = {"APT::Architecture": ARCHITECTURE, "APT::Architectures": ARCHITECTURE,
                  "APT::Sandbox::User": "root",  # as root it would become somebody who may not write here
                  "Acquire::Languages": "none", "Acquire::Retries": "2", "Dir::State::lists": state / "lists",
                  "Dir::State::status": state / "status", "Dir::Cache": state / "cache"}  # fmt: skip
        self._options = [word for name, value in values.items() for word in ("-o", "%s=%s" % (name, value))]

    def download(self):
        """[path] of all the packages, the kernel's first; only what is not there yet is fetched. Raises Missing."""
        told = self._run("apt-get", "-q", "update", limit=180).stderr
        kernel = self._kernel()
        if not kernel:
            raise Missing("Debian's packages for %s: none of the mirrors in /etc/apt has them, or none can be "
                          "reached%s; see `apt-get update`" % (ARCHITECTURE, _last(told)))  # fmt: skip
        names = [kernel, *self._closure()]
        done = self._run("apt-get", "-q", "download", *names, limit=600)
        if done.returncode:
            raise Missing("the guest's packages: they could not be downloaded%s" % _last(done.stderr))
        return [self._newest(name) for name in names]

    def _kernel(self):
        """The name of the newest one: it changes with each of Debian's security updates."""
        lines = self._run("apt-cache", "depends", "linux-image-" + ARCHITECTURE).stdout.split("\n")
        names = [line.split()[-1] for line in lines if line.strip().startswith("Depends: linux-image")]
        return names[0] if names else None

    def _closure(self):
        options = ["--no-" + kind for kind in _NO_MORE]
        lines = self._run("apt-cache", "depends", "--recurse", *options, *_WANTED).stdout.split("\n")
        return sorted({line for line in lines if line[:1].isalpha() and not line.startswith(_NOT_WANTED)})

    def _newest(self, name):
        return max(self._debs.glob(name + "_*.deb"), key=lambda path: path.stat().st_mtime)

    def _run(self, program, *words, limit=60):
        try:
            return subprocess.run([program, *self._options, *words], cwd=self._debs, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=limit, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Missing("a mirror that answers: `%s %s` took over %d s" % (program, words[0], limit)) from None


def _last(text):
    lines = text.strip().splitlines()
    return " (%s)" % lines[-1] if lines else ""
