"""Which annotation belongs to which image, by names, tables or folders; come here when files are paired wrongly."""

from microforge.io.pairing.folders import pair_folders
from microforge.io.pairing.names import name_of, region_core
from microforge.io.pairing.pair import Pair, Pairing
from microforge.io.pairing.split_table import read_split

__all__ = ["Pair", "Pairing", "name_of", "pair_folders", "read_split", "region_core"]
