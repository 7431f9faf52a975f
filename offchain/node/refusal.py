"""Why a node's HTTP intake refuses a message; the names are part of the interface."""

from offchain.member.errors import MemberError


class IntakeRefused(MemberError):
    """A message that is refused: HTTP status, error name, and a sentence.

    `hints` are further members of the answer, such as `next_seq`.
    """

    def __init__(self, status: int, name: str, detail: str, **hints: int) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.hints = hints


def malformed(detail: str) -> IntakeRefused:
    """The message is not what formats.md §8 says."""
    return IntakeRefused(422, "malformed", detail)


def too_large(max_bytes: int) -> IntakeRefused:
    """The body is larger than the call allows."""
    return IntakeRefused(413, "too_large", f"a body of this call has at most {max_bytes} bytes")


def not_a_device(device: str) -> IntakeRefused:
    """The sender is no active device of the node's region."""
    return IntakeRefused(403, "not_a_device", f"{device} is no active device of this region")


def bad_signature(what: str) -> IntakeRefused:
    """A signature is not the device's."""
    return IntakeRefused(403, "bad_signature", f"the signature of {what} is not the device's")
