"""XML from strangers: bounded in size and depth, without document types and so without entities."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from offchain.errors import TariffError

MAX_BYTES = 2**24
MAX_DEPTH = 32


def parse(data: bytes) -> Element:
    """Return the root of a document, its elements named without namespace, attributes left out.

    Raises TariffError for what is no XML, is larger than 16 MiB, nested deeper than 32, or has a
    document type: that is refused as it begins, before any entity is read.
    """
    if len(data) > MAX_BYTES:
        raise TariffError(f"the XML is larger than {MAX_BYTES} bytes")
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.builder.data
    parser.StartDoctypeDeclHandler = tree.refuse_document_type
    try:
        parser.Parse(data, True)
        return tree.builder.close()
    except (expat.ExpatError, LookupError, ValueError) as error:  # two of them: its encoding
        raise TariffError(f"this is no XML: {error}") from error


class _Tree:
    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TariffError(f"the XML is nested more than {MAX_DEPTH} deep")
        self.builder.start(name.rpartition(" ")[2], {})

    def end(self, name: str) -> None:
        self._depth -= 1
        self.builder.end(name.rpartition(" ")[2])

    def refuse_document_type(self, *_: object) -> None:
        raise TariffError("the XML has a document type, which no document of prices needs")
