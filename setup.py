"""Puts the checkout's folders under `pointsman/`: what is `agent` on a device is `pointsman.agent` once installed.

Everything else is in pyproject.toml; only this mapping has to be computed.
"""

from setuptools import find_namespace_packages, setup

SHIPPED = [pattern for name in ("agent", "boards", "firmware", "tools") for pattern in (name, name + ".*")]
DATA = ["**/*.json", "**/*.html", "**/*.css", "**/*.js", "**/*.svg", "**/*.service", "**/*.sh"]

setup(
    package_dir={"pointsman": "."},
    packages=["pointsman." + name for name in find_namespace_packages(include=SHIPPED, exclude=["*__pycache__*"])],
    package_data={"pointsman.tools": DATA, "pointsman.firmware": DATA},
)
