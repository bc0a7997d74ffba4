import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.pool import near
from polypinch.pool.near import CONTAINED, CONTAINMENT, JACCARD, HeldOut, ngrams

words = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]),
    min_size=1,
)
sentences = st.lists(words.map(" ".join), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(sentences, sentences)
def test_the_index_finds_what_comparing_every_pair_finds(held: list[str], trained: list[str]) -> None:
    expected = set()
    for one, left in enumerate(trained):
        for other, right in enumerate(held):
            first, second = ngrams(left, 5), ngrams(right, 5)
            shared, shorter = len(first & second), min(len(first), len(second))
            contained = shorter >= CONTAINED and shared / shorter >= CONTAINMENT
            if shared and (shared / len(first | second) >= JACCARD or contained):
                expected.add((one, other))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "BLOCK", 2)
        found = [(pair.trained, pair.held) for pair in HeldOut(held, "en").near(trained)]
    assert set(found) <= expected
    assert sorted(one for one, _ in found) == sorted({one for one, _ in expected})


@pytest.mark.parametrize(
    ("tag", "held", "trained", "copied"),
    [
        ("en", "Name three things that float on water.", "name THREE things, that float on water!!", True),
        ("en", "Name three things that float on water.", "Why is the sky blue during the day?", False),
        ("zh", "请说出三种能浮在水面上的东西。", "请说出三种可以浮在水面上的东西", True),
        ("hi", "पानी पर तैरने वाली तीन चीज़ें बताओ।", "पानी पर तैरने वाली तीन चीज़ें बताइए", True),
        ("en", "...", "???", False),
    ],
)
def test_small_edits_do_not_hide_a_copy(tag: str, held: str, trained: str, copied: bool) -> None:
    assert bool(list(HeldOut([held], tag).near([trained]))) is copied
