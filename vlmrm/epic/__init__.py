"""How far a reward is from labels of success: the EPIC distance and related measures.

EPIC (Gleave et al., "Quantifying Differences in Reward Functions", ICLR 2021) compares rewards up
to potential shaping and positive affine maps, which do not change the optimal policy:

    C(R)(s, a, s') = R(s, a, s') + E[g R(s', A, S') - R(s, A, S') - g R(S, A, S')]
    D(R1, R2) = sqrt((1 - rho(C(R1), C(R2))) / 2)

with discount g, independent S, S', and A, and the Pearson correlation rho. If the rewards depend
on the next state alone, the expectations are constants, and EPIC is the `pearson_distance` of the
rewards of the states. A reward model of frames is such a case (`measure_epic`).

With a binary label of frequency p, rho = sqrt(p (1 - p)) times the difference of the two classes'
means in units of the reward's standard deviation: the distance depends on the share of successes
among the states. The related measures do not, or only measure how well the reward orders states.
"""

from vlmrm.epic.canonical import canonical_shaping, epic_distance, tabulate
from vlmrm.epic.distances import auroc, class_balanced_distance, fooled, pearson_distance, spearman
from vlmrm.epic.to_ground_truth import measure_ground_truth
from vlmrm.epic.to_labels import MEASURES, measure_epic, undefined_measures

__all__ = [
    "MEASURES",
    "auroc",
    "canonical_shaping",
    "class_balanced_distance",
    "epic_distance",
    "fooled",
    "measure_epic",
    "measure_ground_truth",
    "pearson_distance",
    "spearman",
    "tabulate",
    "undefined_measures",
]
