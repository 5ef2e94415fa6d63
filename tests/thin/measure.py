"""How well the chances of a run find the never told, never measured people, by the truth that no command was shown.

By hand: `python -m tests.thin.measure A B C` runs `casefinding run` on each design in a temporary folder and prints
AUROC, and the share of the ill who stand in the top tenth, overall and for those who seldom attend, beside two
rankings: by age alone, and by a logistic regression on the truth itself of everybody never told (the ceiling, each
person predicted by a model of others). `--keep FOLDER` keeps the files.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tests.thin.world import DESIGNS, write_world

TOP = 0.10


def casefinding(folder: Path, *words: str | Path) -> tuple[int, str]:
    """A command in this process, standing in `folder`: its exit code, and what it said on either stream."""
    from casefinding.cli import main

    said, given, here, before = io.StringIO(), sys.argv, Path.cwd(), dict(os.environ)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    os.chdir(folder)
    sys.argv = ["casefinding", *map(str, words)]
    code = 0
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.argv = given
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
    return code, said.getvalue()


def auroc(score: np.ndarray, ill: np.ndarray) -> float:
    """The chance that a random ill person stands above a random other one; ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    cases, others = int(ill.sum()), int((~ill).sum())
    return float((ranks[ill].sum() - cases * (cases + 1) / 2) / (cases * others)) if cases and others else float("nan")


def in_the_top(score: np.ndarray, ill: np.ndarray, share: float = TOP) -> np.ndarray:
    """For each ill person, the chance of standing in the top `share` of all; equal scores share the places."""
    places = share * len(score)
    above = np.array([(score > one).sum() for one in score[ill]])
    same = np.array([(score == one).sum() for one in score[ill]])
    return np.clip((places - above) / same, 0, 1)


def ceiling(truth: pd.DataFrame) -> np.ndarray:
    """The chance of being ill by a logistic regression on the truth of the others (ten parts), everything known."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    about = truth.drop(columns=["person", "never_told", "measured", "ill", "held_back"]).astype(float)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return cross_val_predict(model, about, truth.ill, cv=10, method="predict_proba")[:, 1]


def measured(truth: Path, scores: Path) -> dict[str, dict[str, float]]:
    """For `chance`, `age` and `ceiling`: AUROC, the share of the ill in the top tenth, the same for seldom attenders.

    Asked about people who were never told and never measured (in a design that holds people back: those held back).
    """
    table = pd.read_parquet(truth)
    table = table[table.never_told].reset_index(drop=True)
    table["ceiling"] = ceiling(table)
    found = pd.read_parquet(scores, columns=["pseudonym", "chance"])
    table = table.merge(found, left_on="person", right_on="pseudonym", how="left")
    asked = table[~table.measured & (table.held_back | ~table.held_back.any())]
    ill, seldom = asked.ill.to_numpy(), asked.seldom.to_numpy()
    given = asked.chance.dropna()
    out = {
        "people": {
            "asked": len(asked), "ill": int(ill.sum()), "ill, seldom": int((ill & seldom).sum()),
            "no chance given": int(asked.chance.isna().sum()),
            "mean chance": float(given.mean()), "truly ill": float(ill.mean()),
        }
    }  # fmt: skip
    for name in ("chance", "age", "ceiling"):
        values = asked[name].fillna(-1).to_numpy(float)
        top = in_the_top(values, ill)
        out[name] = {
            "auroc": auroc(values, ill),
            "top tenth": float(top.mean()),
            "seldom": float(top[seldom[ill]].mean()),
        }
    return out


def measure(name: str, folder: Path, seed: int = 1) -> tuple[str, dict[str, dict[str, float]]]:
    """Make a design, run the main job on it, and hold the chances against the truth; what the job said comes first."""
    config = write_world(name, folder, seed)
    code, said = casefinding(folder, "run", "--config", config, "--out", folder / "out")
    if code:
        return said, {}
    return said, measured(folder / "truth.parquet", folder / "out" / "scores.parquet")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("designs", nargs="*", default=list(DESIGNS), metavar="DESIGN", help=f"of {', '.join(DESIGNS)}")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, help="a folder for the files; default: a temporary one")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as gone:
        for name in given.designs:
            home = (given.keep or Path(gone)) / name
            said, numbers = measure(name, home.resolve(), given.seed)
            print(f"== {name}: {DESIGNS[name].about}")
            wanted = ("no model", "Hint", "casefinding: ", "needed", "instead", "fall")
            print("\n".join(f"   {line}" for line in said.splitlines() if any(word in line for word in wanted)))
            for ranking, values in numbers.items():
                print(f"   {ranking:8}" + "  ".join(f"{key} {value:.3g}" for key, value in values.items()))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
