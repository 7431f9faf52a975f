import pytest
from members import Role, region_id


@pytest.fixture(scope="module")
def signers(module_isolation, cast, admit, meter_owner):
    """Two devices whose keys the tests hold, so that they can sign batches."""
    return [admit(Role.DEVICE, region_id("north"), owner=meter_owner) for _ in range(2)]


@pytest.fixture
def signer(signers):
    return signers[0]
