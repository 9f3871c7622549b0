"""Clusters: prompts about different things fall apart, the same seed gives the same clusters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from breakeven.audit.clusters import Clustering, _k_means, _silhouette, _unit, cluster

TOPICS = (
    "invoice payment amount tax",
    "python function error loop",
    "flight hotel seat luggage",
    "recipe oven flour egg",
)


def topical(seed: int, count: int) -> tuple[list[list[int]], list[int]]:
    """Bags of hashed words: three of a topic's four, and some that all topics have."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(len(TOPICS), size=count)
    bags = []
    for each in topic:
        own = rng.choice(4, 3, replace=False) + 10 * int(each)
        shared = rng.choice(200, 6, replace=False) + 1_000
        bags.append([int(term) for term in (*own, *shared)])
    return bags, [int(each) for each in topic]


def found(seed: int) -> tuple[Clustering, list[int]]:
    """Clusters of 600 bags."""
    bags, truth = topical(seed, 600)
    clusters = cluster(bags, 0)
    assert clusters is not None
    return clusters, truth


@pytest.mark.parametrize("seed", range(2))
def test_topics_are_found_and_counted(seed: int) -> None:
    clusters, truth = found(seed)
    assert clusters.clusters_count == len(TOPICS)
    assert adjusted_rand_score(truth, clusters.cluster_of) >= 0.95
    assert clusters.agreement_fraction >= 0.95


def test_the_same_seed_gives_the_same_clusters() -> None:
    assert found(0)[0].weights == found(0)[0].weights


def test_embeddings_may_stand_in_for_words() -> None:
    bags, truth = topical(1, 300)
    embedded = np.eye(8)[truth] + np.random.default_rng(0).normal(0, 0.05, (300, 8))
    clusters = cluster(bags, 0, embedded)
    assert clusters is not None
    assert adjusted_rand_score(truth, clusters.cluster_of) >= 0.95


def test_too_little_to_tell_is_no_clustering() -> None:
    assert cluster([[1, 2, 3]] * 10, 0) is None
    assert cluster([[] for _ in range(500)], 0) is None
    assert cluster([[number] for number in range(500)], 0) is None


def test_the_simplified_silhouette_is_near_the_full_one() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(5)[:3]
    space = _unit(centres[rng.integers(3, size=300)] + rng.normal(0, 0.15, (300, 5)))
    labels, means = _k_means(space, 3, rng)
    full = silhouette_score(space, labels, metric="cosine")
    assert abs(_silhouette(space, labels, means) - full) < 0.1
