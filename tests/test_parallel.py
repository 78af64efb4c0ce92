import threading

import pytest

from fastnet._parallel import run_chunks


def test_after_an_exception_no_chunk_is_begun():
    begun = []
    failed = threading.Event()

    def function(first, last):
        begun.append(first)
        if first == 0:
            failed.set()
            raise KeyboardInterrupt
        # long enough for whoever waits for the first one to hear of it
        failed.wait(60)
        threading.Event().wait(0.02)

    chunks = [(k, k + 1) for k in range(500)]
    with pytest.raises(KeyboardInterrupt):
        run_chunks(function, chunks, 2)
    assert len(begun) < len(chunks)
