"""Groups of like vectors: one tree of merges, cut where resamples of the rows agree."""

from pipeline.clustering.centres import to_centres
from pipeline.clustering.stability import Chosen, choose_cut
from pipeline.clustering.terms import distinctive_terms
from pipeline.clustering.tree import Cut, Tree, grow_tree

__all__ = ["Chosen", "Cut", "Tree", "choose_cut", "distinctive_terms", "grow_tree", "to_centres"]
