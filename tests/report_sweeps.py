"""Made-up sweeps on disk, from which reports are made: every axis that a report has something to say about."""

import itertools

import numpy as np

from zsh_jax.report.gallery import Retrieved, save_gallery
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.history import append_history, open_history
from zsh_jax.tracking.results import append_results, open_results

CLASSES = ("airplane", "cat & dog", "striped_circle+100% <star>")
SEEDS = (0, 1, 2)
CHANCE = {unseen: 0.1 + 0.01 * place for place, unseen in enumerate(CLASSES)}
LEVELS = {"zsh": 0.21, "itq": 0.2, "sdh": 0.24, "lsh": 0.12, "cosine": 0.3}


OWN = {
    "zsh": {"lam": 0.01, "alpha": 1e-5, "rotation": "procrustes"},
    "sdh": {"lam": 1.0, "nu": 1e-5},
    "itq": {"passes": 50},
}


def identity(method="zsh", variant="", bits=16, seed=0, unseen=CLASSES[0], **axes):
    """The axes that all methods share, and those of its own."""
    head = {"method": method, "variant": variant, "dataset": "shapes", "features": "gist"}
    if method == "zsh":
        head |= {"semantics": "attributes"}
    return head | {"unseen": unseen, "bits": bits, "seed": seed} | OWN.get(method, {}) | axes


def result(cell, *, level=None, iterations=4):
    """One cell whose figures follow from its identity: a level, more bits better, noise of its own."""
    rng = np.random.default_rng(_seed(cell))
    level = LEVELS.get(cell["method"], 0.2) if level is None else level
    bits = cell["bits"]
    height = level + 0.012 * np.log2(max(bits, 8) / 16) + 0.05 * CLASSES.index(cell["unseen"])
    noise = rng.normal(0, 0.006, 6)
    radii = np.linspace(0, 1, bits + 1)
    metrics = {
        "mean_average_precision": float(height + noise[0]),
        "mean_average_precision_worst": float(height - 0.02 + noise[1]),
        "mean_average_precision_best": float(height + 0.02 + noise[2]),
        "mean_average_precision_by_name": float(height * 1.3 + noise[2])
        if cell["method"] == "zsh"
        else np.nan,
        "precision_radius2": float(height + noise[3]) if bits else np.nan,
        "recall_radius2": float(0.3 + noise[4]) if bits else np.nan,
        "mean_average_precision_at": [float(height * 0.3 + noise[5]), float(height * 0.6 + noise[4])],
        "mean_average_precision_at_min": [float(height * 0.4 + noise[5]), float(height * 0.7 + noise[4])],
        "mean_average_precision_at_found": [float(height * 0.5 + noise[5]), float(height * 0.8 + noise[4])],
        "precision_at": [float(height * 1.4 + noise[5]), float(height * 1.1 + noise[5])],
        "precision_curve": (height * (1.6 - radii) + noise[0]).tolist() if bits else [],
        "recall_curve": (radii**0.7).tolist() if bits else [],
        "iterations": iterations,
        "status": "converged",
        "cutoffs": [100, 1000],
        "seconds": float(0.01 * (bits + 8) * (1 + rng.random())),
        "encode_seconds": float(0.2 + rng.random()) if bits else 0.0,
        "evaluate_seconds": float(0.3 + rng.random()),
        "encoded_samples": 9000 if bits else 0,
        "evaluated_queries": 130,
    }
    seen = (
        1.2 * height + float(rng.normal(0, 0.006)) if cell["method"] in ("zsh", "itq", "cosine") else np.nan
    )
    metrics["mean_average_precision_seen"] = float(seen)
    metrics["mean_average_precision_harmonic"] = float(2 / (1 / seen + 1 / metrics["mean_average_precision"]))
    chance = CHANCE[cell["unseen"]]
    by_name, of_seen = (
        chance if cell["method"] == "zsh" else np.nan,
        chance / 2 if np.isfinite(seen) else np.nan,
    )
    metrics |= {
        "chance": chance,
        "chance_at": [chance / 3, chance / 2],
        "chance_at_min": [chance, chance],
        "chance_at_found": [chance, chance],
        "chance_by_name": by_name,
    }
    metrics |= {"chance_seen": of_seen, "chance_harmonic": 2 / (1 / chance + 1 / of_seen)}
    for name in ("bit_balance", "bit_correlation", "distinct_codes", "codes_per_class"):
        metrics[name] = float(rng.random()) if bits else np.nan
    history = {"objective": 100 * 0.8 ** np.arange(iterations) + rng.random(iterations)}
    history["flips"] = np.arange(iterations)[::-1]
    return CellResult(cell, metrics, history if cell["method"] == "zsh" else {})


def _seed(cell):
    return list(repr(sorted(cell.items())).encode())


def write_sweep(folder, cells, *, name="made_up", reference="", history=True):
    """A sweep's folder as the launcher leaves it; the results, as they were given."""
    results = [result(cell, iterations=3 + cell["seed"]) for cell in cells]
    opened = open_results(folder, {"name": name, "reference": reference})
    append_results(opened, results)
    if history:
        open_history(folder)
        append_history(folder, [one for one in results if one.history])
    return results


def methods_sweep(folder):
    """Four methods at three code lengths, and a bound."""
    grid = itertools.product(("zsh", "itq", "sdh", "lsh"), (16, 32, 64), SEEDS, CLASSES)
    cells = [identity(m, bits=bits, seed=seed, unseen=unseen) for m, bits, seed, unseen in grid]
    cells += [identity("cosine", bits=0, seed=s, unseen=u) for s, u in itertools.product(SEEDS, CLASSES)]
    return write_sweep(folder, cells, name="compare_methods")


def variants_sweep(folder, variants=("published", "coupled", "no_rotation"), reference="published"):
    """Variants, of which one has a grid of its own."""
    cells = [
        identity(variant=variant, bits=bits, seed=seed, unseen=unseen, rotation=variant)
        for variant, bits, seed, unseen in itertools.product(variants, (16, 32), SEEDS, CLASSES)
    ]
    grid = itertools.product((0.0001, 0.01, 1.0), (0.0, 1e-5, 1e-3), SEEDS, CLASSES)
    cells += [
        identity(variant="grid", seed=seed, unseen=unseen, lam=lam, alpha=alpha)
        for lam, alpha, seed, unseen in grid
    ]
    return write_sweep(folder, cells, name="ablate", reference=reference)


def drawn_gallery(folder, *, side=32):
    """A gallery of coloured squares; the images of all classes, and what each of two methods retrieved."""
    rng = np.random.default_rng(0)
    images = np.repeat(rng.integers(40, 255, (30, 1, 1, 3), dtype=np.uint8), side, 1).repeat(side, 2)
    images[:, side // 4 : side // 2, side // 4 : side // 2] = 255
    captions = [CLASSES[i % 3] for i in range(30)]
    queries = np.array([0, 4, 17])
    nearest = [np.stack([rng.permutation(30)[:8] for _ in queries]) for _ in range(2)]
    correct = [
        np.array([[captions[n] == captions[q] for n in row] for q, row in zip(queries, rows, strict=True)])
        for rows in nearest
    ]
    named = np.stack([rng.permutation(30)[:8] for _ in range(2)])
    right = np.array(
        [[captions[n] == name for n in row] for name, row in zip(CLASSES[:2], named, strict=True)]
    )
    retrieved = [
        Retrieved("coupled <ours>", nearest[0], correct[0], named, right),
        Retrieved("itq", nearest[1], correct[1]),
    ]
    save_gallery(
        folder / "gallery.npz",
        images=images,
        captions=captions,
        queries=queries,
        retrieved=retrieved,
        names=CLASSES[:2],
    )
    return images, captions, queries, retrieved
