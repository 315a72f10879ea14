"""XML of strangers: entities are refused whatever the encoding, and what is no XML says so."""

import pytest

from microforge.io.xml import EntitiesError, parse_xml
from support.harmful_xml import laughs


def test_plain_documents_are_parsed() -> None:
    assert [child.tag for child in parse_xml("<a><b/><c/></a>")] == ["b", "c"]
    assert parse_xml('<?xml version="1.0" encoding="utf-16"?><ä/>'.encode("utf-16")).tag == "ä"


@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-16", "latin-1"])
def test_entities_are_refused(encoding: str | None) -> None:
    text = laughs("<a>&h;</a>")
    declared = text if encoding is None else f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    with pytest.raises(EntitiesError, match="it defines entities"):
        parse_xml(declared)


@pytest.mark.parametrize("outside", ['<!DOCTYPE a SYSTEM "file:///etc/hostname">', "<!DOCTYPE a>"])
def test_document_types_are_refused(outside: str) -> None:
    with pytest.raises(EntitiesError):
        parse_xml(f"{outside}<a/>")


@pytest.mark.parametrize("broken", ["", "<a>", "text", b"\xff\xfe<", b'<?xml version="1.0" encoding="none"?><a/>'])
def test_what_is_no_xml_is_a_value_error(broken: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of the parser
        parse_xml(broken)
