"""XML from files of strangers: come here before parsing any."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring


class EntitiesError(ValueError):
    """The XML defines entities, which no microscope writes: they can make a few letters stand for gigabytes."""


def parse_xml(content: str | bytes) -> Element:
    """Give the root of an XML document.

    Raises
    ------
    EntitiesError
        If it has a document type, in which entities are defined.
    ValueError
        If it is no XML, or of an unknown encoding.
    """
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise EntitiesError("it defines entities") from error
    except (ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    return root
