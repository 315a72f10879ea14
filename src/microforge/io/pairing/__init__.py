"""Which annotation belongs to which image, by names, tables or folders; come here when files are paired wrongly."""

from microforge.io.pairing.class_table import pair_classes
from microforge.io.pairing.folders import PairFinder, pair_by_name, pair_drawn, pair_folders, pair_points
from microforge.io.pairing.names import name_of, region_core
from microforge.io.pairing.pair import Pair, Pairing, number_of, some
from microforge.io.pairing.split_table import read_groups, read_split

__all__ = [
    "Pair",
    "PairFinder",
    "Pairing",
    "name_of",
    "number_of",
    "pair_by_name",
    "pair_classes",
    "pair_drawn",
    "pair_folders",
    "pair_points",
    "read_groups",
    "read_split",
    "region_core",
    "some",
]
