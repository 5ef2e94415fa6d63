"""Work on several threads whose results do not depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_order(
    work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], threads: int, done: Callable[[], None] | None = None
) -> list[Any]:
    """What `work` gives for each task, in the order of the tasks, several at a time, each on one thread.

    One thread inside each task, so that sums come out the same on any number of cores. The first failure, or Ctrl-C,
    lets go what has not begun. `done` is called from this thread after each task.
    """
    from threadpoolctl import threadpool_limits

    results = []
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        waiting = [pool.submit(work, *task) for task in tasks]
        try:
            for one in waiting:
                results.append(one.result())
                if done is not None:
                    done()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
