"""Figures of classification equal scikit-learn's, degenerate inputs included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from workflows.metrics import classification, multilabel

LABELS = ("card", "cash", "fee", "loan")
exactly = settings(max_examples=25, deadline=None, derandomize=True)


def near(value):
    return pytest.approx(value, abs=1e-12)


def rows_of(answers, most=4):
    """Rows (truth, answer) over the first one to `most` labels."""
    return st.integers(1, most).flatmap(
        lambda count: st.lists(st.tuples(st.sampled_from(LABELS[:count]), answers), min_size=1, max_size=25)
    )


@exactly
@given(rows_of(st.sampled_from([*LABELS, None, "", "Card"])), st.booleans())
def test_single_labels_equal_scikit_learn(rows, is_set_named):
    """With outside answers as one more label that no figure is made of."""
    truths, answers = zip(*rows, strict=True)
    found = classification.classify(truths, answers, LABELS if is_set_named else ())
    said = [answer if answer in found.labels else "?" for answer in answers]
    seen = [label for label in found.labels if label in truths or label in said]
    assert found.accuracy == near(metrics.accuracy_score(truths, said))
    assert found.outside == said.count("?")
    for average, scores in (("macro", found.macro), ("weighted", found.weighted)):
        assert figures(scores)[:3] == near(expected(truths, said, seen, average)[:3])
    by_label = expected(truths, said, list(found.labels), None)
    assert [figures(scores) for scores in found.by_label.values()] == near_rows(by_label)
    matrix = metrics.confusion_matrix(truths, said, labels=[*found.labels, "?"])
    assert np.array_equal(matrix[:-1], found.matrix)


def expected(truths, answers, labels, average):
    return metrics.precision_recall_fscore_support(
        truths, answers, labels=labels, average=average, zero_division=0
    )


def near_rows(by_label):
    return [near(each) for each in zip(*by_label, strict=True)]


def figures(scores):
    return scores.precision, scores.recall, scores.f1, scores.support


sets = st.frozensets(st.sampled_from(LABELS))
answered = st.frozensets(st.sampled_from([*LABELS, "Card"]))


@exactly
@given(st.lists(st.tuples(sets, answered), min_size=1, max_size=20))
def test_several_labels_equal_scikit_learn(rows):
    truths, answers = zip(*rows, strict=True)
    found = multilabel.classify(truths, answers, LABELS)
    true, said = (
        np.array([[label in row for label in LABELS] for row in each]) for each in (truths, answers)
    )
    outside = np.array([[not row <= set(LABELS)] for row in answers])
    with_outside = (np.hstack([true, np.zeros_like(outside)]), np.hstack([said, outside]))
    assert found.exact_match == near(metrics.accuracy_score(*with_outside))
    assert found.outside == outside.sum()
    assert found.hamming_loss == near(metrics.hamming_loss(true, said))
    assert figures(found.micro)[:3] == near(expected(*with_outside, None, "micro")[:3])
    by_label = expected(true, said, None, None)
    assert [figures(scores) for scores in found.by_label.values()] == near_rows(by_label)
    cells = [[[each.neither, each.added], [each.missing, each.hits]] for each in found.cells.values()]
    assert np.array_equal(metrics.multilabel_confusion_matrix(true, said), cells)
    if seen := [at for at in range(len(LABELS)) if true[:, at].any() or said[:, at].any()]:
        assert figures(found.macro)[:3] == near(expected(true, said, seen, "macro")[:3])


def test_no_rows_have_figures_of_zero():
    single, several = classification.classify([], []), multilabel.classify([], [])
    assert (single.accuracy, single.macro.f1, single.weighted.f1, single.rows) == (0, 0, 0, 0)
    assert (several.exact_match, several.hamming_loss, several.micro.f1, several.macro.f1) == (0, 0, 0, 0)
    assert classification.classify([], [], LABELS).by_label["fee"].support == 0


def test_a_label_that_no_row_shows_does_not_pull_the_mean_down():
    found = classification.classify(["card", "cash"], ["card", "cash"], LABELS)
    assert found.macro.f1 == 1
    assert found.by_label["loan"].f1 == 0


def test_rows_without_labels_are_right_when_nothing_is_said():
    found = multilabel.classify([[], ["fee"]], [[], []], LABELS)
    assert (found.exact, found.hamming_loss) == (1, 1 / 8)


def test_the_last_column_counts_answers_outside_the_set():
    truths = ["card"] * 5 + ["cash"] * 4 + ["fee"] * 2
    answers = ["cash"] * 2 + ["card"] * 3 + ["fee"] * 3 + [None] + ["fee", "a poem"]
    found = classification.classify(truths, answers)
    assert found.matrix == ((3, 2, 0, 0), (0, 0, 3, 1), (0, 0, 1, 1))


def test_missing_and_added_labels_are_paired_row_by_row():
    truths = [["card", "fee"], ["card", "fee"], ["card"], ["cash"], ["fee"], ["loan"]]
    answers = [["card", "cash"], ["cash"], ["card", "loan"], [], ["a poem"], ["loan"]]
    found = multilabel.classify(truths, answers, LABELS)
    assert [(each.missing, each.added, each.count) for each in found.swaps] == [
        ("fee", "cash", 2),
        ("card", "cash", 1),
        ("cash", "", 1),
        ("fee", multilabel.OUTSIDE, 1),
        ("", "loan", 1),
    ]


@pytest.mark.parametrize(
    ("truths", "answers", "labels", "why"),
    [
        (["card"], [], (), "do not match"),
        (["card"], ["card"], ("card", "card"), "twice"),
        (["card", "fee"], ["card", "fee"], ("card",), "true label fee is not in the set"),
    ],
)
def test_what_cannot_be_scored_is_refused(truths, answers, labels, why):
    with pytest.raises(ValueError, match=why):
        classification.classify(truths, answers, labels)
    with pytest.raises(ValueError, match=why):
        multilabel.classify([[each] for each in truths], [[each] for each in answers], labels)
