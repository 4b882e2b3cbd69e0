"""Compare ways to search with the codes of several methods.

    python scripts/compare_searches.py FEATURES.npz

FEATURES.npz holds `features` (n, d) and `label` (n,). The last class is unseen: its images are in no training set, and
some of them are the queries; the database is all other images. Methods learn from random class vectors: this compares
searches, not methods.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

import zsh_jax as zsh
from zsh_jax.core.metrics.search import rabitq_average_precision, search_costs

METHODS = ("lsh", "random_rotation", "itq", "zsh")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("features")
    for name, default in (("bits", 64), ("queries", 200), ("samples", 2000), ("first", 100), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    with np.load(args.features) as file:
        features, labels = jnp.asarray(file["features"], jnp.float32), np.asarray(file["label"], np.int32)
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(args.seeds):
        rng = np.random.default_rng(seed)
        last = labels.max()
        queries = rng.choice(np.flatnonzero(labels == last), args.queries, replace=False)
        database = np.setdiff1d(np.arange(len(labels)), queries)
        training = rng.choice(np.flatnonzero(labels != last), args.samples, replace=False)
        vectors = rng.normal(size=(last + 1, 300)).astype(np.float32)
        parts = (features[queries], jnp.asarray(labels[queries]))
        rest = (features[database], jnp.asarray(labels[database]))
        for name in METHODS:
            model = zsh.fit(
                jax.random.key(seed),
                features[training],
                vectors,
                labels[training],
                bits=args.bits,
                method=name,
            )
            searches = zsh.evaluate_searches(model, *parts, *rest, first=args.first)
            for way, search in searches._asdict().items():
                found.setdefault((name, way), []).append(float(search.mean_average_precision))
        prepared = [zsh.apply_preprocessing(model.preprocessing, x) for x in (parts[0], rest[0])]
        quantiser = zsh.random_quantiser(jax.random.key(seed), prepared[1].mean(0), bits=args.bits)
        items = zsh.quantise(quantiser, prepared[1])
        each = rabitq_average_precision(quantiser, prepared[0], parts[1], items, rest[1])
        found.setdefault(("random frame", "rabitq"), []).append(float(each.mean()))
    costs = search_costs(bits=args.bits, dimensions=features.shape[1], first=args.first)
    print("| method | search | mAP | bytes an item | operations an item | operations a query |")
    print("|---|---|---|---|---|---|")
    for (name, way), values in found.items():
        cost = costs[way]
        print(
            f"| {name} | {way} | {np.mean(values):.4f} ± {np.std(values, ddof=1):.4f} | {cost.bytes_per_item:,} | "
            f"{cost.operations_per_item:,} | {cost.operations_per_query:,} |"
        )


if __name__ == "__main__":
    main()
