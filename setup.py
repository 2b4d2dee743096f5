"""Puts the checkout's folders under `pointsman/`: what is `agent` on a device is `pointsman.agent` once installed.

Everything else is in pyproject.toml; only this mapping has to be computed.
"""

from setuptools import find_namespace_packages, setup

SHIPPED = ("agent", "boards", "tools", "firmware")

setup(
    package_dir={"pointsman": "."},
    packages=["pointsman." + name for name in find_namespace_packages(include=[f for s in SHIPPED for f in (s, s + ".*")])],
    package_data={"": ["**/*.json", "**/*.toml", "**/*.html", "**/*.css", "**/*.js", "**/*.svg", "**/*.service"]},
)
