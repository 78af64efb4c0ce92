"""Rows of a large batch shared among threads, with the same bits for any number of them."""

from fastnet._checks import checked_int

# A chunk is worth about 200 us.
CHUNK_OPERATIONS = 4e7


def cut_rows(n_rows, operations_per_row, n_threads, multiple):
    """(first, last) of each chunk; one chunk where a single thread works.

    Kernels take ``multiple`` rows at once and a single row in another way than many.  Chunks
    begin where the kernels of one long call would begin, and none is a single row, so that cutting
    does not change a bit of the result.
    """
    if checked_int(n_threads, "n_threads") == 1:
        return [(0, n_rows)]
    rows = int(CHUNK_OPERATIONS / max(1, operations_per_row))
    rows = max(multiple, rows // multiple * multiple)
    starts = list(range(0, n_rows, rows))
    if len(starts) > 1 and n_rows - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_rows], strict=True))


def run_chunks(function, chunks, n_threads):
    """``function(first, last)`` for every chunk; the first exception is raised.

    After it, as after Ctrl-C, no chunk is begun any more.
    """
    from concurrent.futures import ThreadPoolExecutor  # 6 ms that a single thread does not need

    with ThreadPoolExecutor(min(n_threads, len(chunks))) as pool:
        try:
            for future in [pool.submit(function, *chunk) for chunk in chunks]:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
