"""Codes of other programs, judged by every rule: against plain loops, in every format, with their mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from scipy.stats import hypergeom

from zsh_jax import evaluate, evaluate_queries, read_codes

pytestmark = pytest.mark.usefixtures("strict_promotion")

CUTOFFS = (10, 60)
BITS = 18


def _drawn(seed=0, *, q=12, n=150, classes=6, several=False):
    """Boolean codes near a random codeword of their class, and labels."""
    rng = np.random.default_rng(seed)
    words = rng.random((classes, BITS)) < 0.5
    labels = [rng.integers(0, classes, size) for size in (q, n)]
    codes = [words[label] ^ (rng.random((len(label), BITS)) < 0.25) for label in labels]
    if several:
        labels = [
            np.maximum(np.eye(classes, dtype=np.uint8)[y], rng.random((len(y), classes)) < 0.1)
            for y in labels
        ]
    return codes[0], labels[0], codes[1], labels[1]


@pytest.fixture(scope="module")
def case():
    return _drawn()


@pytest.fixture(scope="module")
def found(case):
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, evaluate(*case, cutoffs=CUTOFFS))


def _plain(d, relevant):
    """Every rule for one query, from its ranking."""
    total, n = relevant.sum(), len(d)
    counts = [np.bincount(values, minlength=BITS + 1) for values in (d, d[relevant])]
    random = [np.array([n]), np.array([total])]
    one = {
        "mean_average_precision": oracle.tie_aware_average_precision(d, relevant),
        "mean_average_precision_worst": oracle.order_average_precision(d, relevant, worst=True),
        "mean_average_precision_best": oracle.order_average_precision(d, relevant, worst=False),
        "precision_radius2": relevant[d <= 2].mean() if (d <= 2).any() else 0.0,
        "precision_radius2_of_nonempty": relevant[d <= 2].mean() if (d <= 2).any() else np.nan,
        "recall_radius2": relevant[d <= 2].sum() / total,
        "empty_radius2": float(not (d <= 2).any()),
        "chance": oracle.tie_aware_average_precision(np.zeros(n, int), relevant),
    }
    each = []
    for cutoff in CUTOFFS:
        by_all = {
            "": oracle.tie_aware_average_precision(d, relevant, cutoff),
            "_worst": oracle.order_average_precision(d, relevant, worst=True, cutoff=cutoff),
            "_best": oracle.order_average_precision(d, relevant, worst=False, cutoff=cutoff),
        }
        of_found = oracle.average_precision_of_found(*counts, cutoff)
        edge = np.sort(d)[cutoff - 1]  # of the tie that the cut-off divides
        inside, tie = d < edge, d == edge
        expected = relevant[inside].sum() + relevant[tie].mean() * (cutoff - inside.sum())
        none = 0.0
        if not relevant[inside].any():
            none = hypergeom(tie.sum(), relevant[tie].sum(), cutoff - inside.sum()).pmf(0)
        by_chance = oracle.tie_aware_average_precision(np.zeros(n, int), relevant, cutoff)
        each.append(
            {f"mean_average_precision_at{end}": value for end, value in by_all.items()}
            | {
                f"mean_average_precision_at_min{end}": v * total / min(cutoff, total)
                for end, v in by_all.items()
            }
            | {
                f"mean_average_precision_at_found{end}": value
                for end, value in zip(("", "_worst", "_best"), of_found, strict=True)
            }
            | {
                "precision_at": expected / cutoff,
                "recall_at": expected / total,
                "nothing_found_at": none,
                "chance_precision_at": total / n,
                "chance_at": by_chance,
                "chance_at_min": by_chance * total / min(cutoff, total),
                "chance_at_found": oracle.average_precision_of_found(*random, cutoff)[0],
            }
        )
    return one | {name: [values[name] for values in each] for name in each[0]}


def test_every_rule_is_that_of_a_plain_loop(case, found):
    query, query_labels, database, database_labels = case
    each = [
        _plain(*one)
        for one in zip(
            oracle.hamming(query, database), query_labels[:, None] == database_labels[None], strict=True
        )
    ]
    expected = {name: np.nanmean([one[name] for one in each], axis=0) for name in each[0]}
    assert 0 < expected["empty_radius2"] < 1
    assert set(found._fields) - set(expected) == {"precision_curve", "recall_curve", "queries"}
    assert int(found.queries) == len(query)
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=1e-10, atol=1e-12, err_msg=name)


def test_the_curves_are_means_over_queries(case, found, float64):
    codes = [jnp.packbits(jnp.asarray(code), axis=1) for code in case[::2]]
    each = evaluate_queries(
        codes[0], jnp.asarray(case[1]), codes[1], jnp.asarray(case[3]), bits=BITS, cutoffs=CUTOFFS
    )
    for name in ("precision_curve", "recall_curve", "mean_average_precision_at_found"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(each, name).mean(0), rtol=1e-12, err_msg=name
        )


def test_rules_lie_in_their_order(found):
    for end in ("", "_worst", "_best"):
        by_all, by_min, of_found = (
            getattr(found, f"mean_average_precision_at{divisor}{end}") for divisor in ("", "_min", "_found")
        )
        assert (by_all <= by_min).all()
        assert (by_min <= of_found + 1e-12).all()
    for name in ("", "_at", "_at_min", "_at_found"):
        worst, mean, best = (
            getattr(found, f"mean_average_precision{name}{end}") for end in ("_worst", "", "_best")
        )
        assert (worst < mean).all()
        assert (mean < best).all()


def _as_published(query, query_labels, database, database_labels, top, order):
    """The rule of HashNet and its heirs on a database in some order: sort by distance, mean of the precisions found."""
    values = []
    for code, label in zip(query, query_labels, strict=True):
        ranked = order[np.argsort((database[order] != code).sum(1), kind="stable")]
        ranks = np.flatnonzero(database_labels[ranked[:top]] == label) + 1
        values.append(np.mean(np.arange(1, len(ranks) + 1) / ranks) if len(ranks) else 0.0)
    return np.mean(values)


def test_published_programs_lie_between_worst_and_best_whatever_the_order_of_the_database(case, found):
    orders = [np.random.default_rng(seed).permutation(len(case[2])) for seed in range(200)]
    for place, top in enumerate(CUTOFFS):
        each = np.array([_as_published(*case, top, order) for order in orders])
        assert found.mean_average_precision_at_found_worst[place] < each.min()
        assert each.max() < found.mean_average_precision_at_found_best[place]
        near = 4 * each.std(ddof=1) / np.sqrt(len(each))
        assert abs(each.mean() - found.mean_average_precision_at_found[place]) < near


FORMS = {
    "signs": (lambda code: np.where(code, 1.0, -1.0), None),
    "signs of int8": (lambda code: np.where(code, 1, -1).astype(np.int8), BITS),
    "zeros and ones": (lambda code: code.astype(np.uint8), None),
    "zeros and ones, bits given": (lambda code: code.astype(np.uint8), BITS),
    "jax": (lambda code: jnp.where(jnp.asarray(code), 1.0, -1.0), None),
    "first bit highest": (lambda code: np.packbits(code, axis=1), BITS),
    "first bit lowest": (lambda code: np.packbits(code, axis=1, bitorder="little"), BITS),
}


@pytest.mark.parametrize(("form", "bits"), FORMS.values(), ids=FORMS)
def test_every_format_gives_the_same(case, found, form, bits, float64):
    query, query_labels, database, database_labels = case
    other = evaluate(form(query), query_labels, form(database), database_labels, bits=bits, cutoffs=CUTOFFS)
    for name, one, two in zip(found._fields, found, other, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=name)


def test_what_was_read_is_said():
    drawn = _drawn()[0]
    assert read_codes(drawn)[1:] == (BITS, "booleans")
    assert read_codes(drawn.astype(np.uint8))[1:] == (BITS, "zeros and ones")
    assert read_codes(np.where(drawn, 1, -1))[1:] == (BITS, "signs -1 and +1")
    packed = np.packbits(drawn, axis=1)
    assert read_codes(packed)[1:] == (24, "packed bytes")
    assert read_codes(packed, bits=BITS)[1:] == (BITS, "packed bytes")
    assert read_codes(np.array([[1], [0]], np.uint8), bits=1)[1:] == (1, "packed bytes")
    for form, bits in FORMS.values():
        if bits is None:
            np.testing.assert_array_equal(read_codes(form(drawn)).packed, packed)


SIGNS = np.array([[-1.0, 1, 1], [1, 1, -1]])
MISTAKES = {
    "not a number": (np.where(SIGNS > 0, np.nan, SIGNS), None, "nan in row 0, column 1"),
    "three values": (np.array([[-1, 0, 1]]), None, "three values"),
    "real values": (SIGNS * 0.3, None, "-0.3 in row 0, column 0"),
    "packed in int8": (np.array([[-100, 5]], np.int8), None, "packed bytes must be uint8"),
    "two bytes": (np.array([[0, 255], [255, 0]], np.uint8), None, "0 and 255 may be packed bytes or not"),
    "too few columns": (SIGNS, 4, "float64 of 3 columns does not hold 4 bits"),
    "too few bytes": (np.array([[7, 5]], np.uint8), 24, "uint8 of 2 columns does not hold 24 bits"),
    "a vector": (SIGNS[0], None, "must be"),
    "no row": (SIGNS[:0], None, "must be"),
    "text": (np.array([["a", "b"]]), None, "must be numbers"),
    "no bits": (SIGNS, 0, "at least 1"),
}


@pytest.mark.parametrize(("codes", "bits", "said"), MISTAKES.values(), ids=MISTAKES)
def test_codes_that_are_none_are_refused(codes, bits, said, unchecked_shapes):
    with pytest.raises(ValueError, match=said):
        read_codes(codes, bits=bits)


def test_the_row_of_a_wrong_value_is_told_beyond_the_first_block(monkeypatch):
    monkeypatch.setattr("zsh_jax.core.code_formats.ROWS", 2)
    codes = np.tile(SIGNS, (3, 1))
    codes[5, 2] = 7
    with pytest.raises(ValueError, match=r"7\.0 in row 5, column 2"):
        read_codes(codes)
    np.testing.assert_array_equal(read_codes(codes[:5]).packed, np.packbits(codes[:5] > 0, axis=1))


def test_codes_of_unlike_lengths_or_too_many_bits_are_refused(case):
    query, query_labels, database, database_labels = case
    with pytest.raises(ValueError, match=r"query codes have 17 bits .*, database codes 18"):
        evaluate(query[:, 1:], query_labels, database, database_labels)
    packed = [np.packbits(code, axis=1) for code in (query, database)]
    packed[1] = packed[1] | np.uint8(1)
    with pytest.raises(ValueError, match="bits set beyond 18"):
        evaluate(packed[0], query_labels, packed[1], database_labels, bits=BITS)


def test_labels_of_another_form_are_refused(case, unchecked_shapes):
    query, query_labels, database, database_labels = case
    with pytest.raises(ValueError, match="query labels are class indices in one column"):
        evaluate(query, query_labels[:, None], database, database_labels[:, None])
    with pytest.raises(ValueError, match="query labels are <U"):
        evaluate(query, query_labels.astype(str), database, database_labels.astype(str))


def test_an_unknown_rule_for_queries_with_nothing_relevant_is_refused(case, unchecked_shapes):
    with pytest.raises(ValueError, match="without_relevant takes"):
        evaluate(*case, without_relevant="skip")


@pytest.mark.parametrize("several", [False, True])
def test_a_query_that_is_left_out_of_its_own_ranking(several, float64):
    _, _, codes, labels = _drawn(3, n=40, several=several)
    if several:
        labels[1] = 0  # without a label: relevant to nothing, not to itself either
    chosen = np.arange(2 if several else 0, 12)
    found = evaluate(codes[chosen], labels[chosen], codes, labels, leave_one_out=True)
    d = oracle.hamming(codes, codes)
    relevant = labels[:, None] == labels[None] if labels.ndim == 1 else labels @ labels.T > 0
    rest = ~np.eye(len(codes), dtype=bool)
    expected = [oracle.tie_aware_average_precision(d[i][rest[i]], relevant[i][rest[i]]) for i in chosen]
    assert float(found.mean_average_precision) == pytest.approx(np.mean(expected), rel=1e-10)


def test_a_query_that_is_not_in_the_database_cannot_be_left_out(case):
    _, query_labels, database, database_labels = case
    far = np.tile(~database[0], (12, 1))
    with pytest.raises(ValueError, match="leave_one_out: query 0 is not in the database"):
        evaluate(far, query_labels, np.tile(database[0], (150, 1)), database_labels, leave_one_out=True)


def test_queries_with_nothing_relevant_are_refused_dropped_or_counted_as_zero(case, found, float64):
    query, query_labels, database, database_labels = case
    labels = query_labels.copy()
    labels[3] = 99
    arguments = (query, labels, database, database_labels)
    with pytest.raises(ValueError, match=r"1 of 12 queries .*query 3"):
        evaluate(*arguments, cutoffs=CUTOFFS)
    dropped = evaluate(*arguments, cutoffs=CUTOFFS, without_relevant="drop")
    zero = evaluate(*arguments, cutoffs=CUTOFFS, without_relevant="zero")
    packed = [jnp.packbits(jnp.asarray(code), axis=1) for code in (query, database)]
    each = evaluate_queries(
        packed[0], jnp.asarray(labels), packed[1], jnp.asarray(database_labels), bits=BITS, cutoffs=CUTOFFS
    )
    assert (int(dropped.queries), int(zero.queries)) == (11, 12)
    rest = np.arange(12) != 3
    for name, values in each._asdict().items():
        some = np.asarray(values)
        np.testing.assert_allclose(getattr(dropped, name), some[rest].mean(0), rtol=1e-12, err_msg=name)
        counted = np.where(np.isnan(some), 0, some).mean(0)
        np.testing.assert_allclose(getattr(zero, name), counted, rtol=1e-12, err_msg=name)
    for one in (dropped, zero):
        assert not any(np.isnan(values).any() for values in one)
    with pytest.raises(ValueError, match="12 of 12"):
        evaluate(query, labels + 99, database, database_labels, cutoffs=CUTOFFS, without_relevant="drop")


def test_packed_codes_may_be_judged_inside_a_transformation(case, found, float64):
    codes = [jnp.packbits(jnp.asarray(code), axis=1) for code in case[::2]]

    @jax.jit
    def inside(query, database):
        return evaluate(query, case[1], database, case[3], bits=BITS, cutoffs=CUTOFFS)

    for name, one, two in zip(found._fields, found, inside(*codes), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, err_msg=name)
    with pytest.raises(ValueError, match="inside a transformation"):
        jax.jit(lambda query: read_codes(query).packed)(jnp.ones((2, 3)))
