from __future__ import annotations

import threading

from tui.link.background import Background


def test_the_threads_deliver_answers_and_errors_and_end_when_closed() -> None:
    arrived: list[object] = []
    over = threading.Semaphore(0)

    def take(item: object) -> None:
        arrived.append(str(item))
        over.release()

    background = Background(lambda call: call(), threads=2)
    background.submit(lambda: 42, take)
    assert over.acquire(timeout=10)
    background.submit(lambda: 1 // 0, take, take)
    assert over.acquire(timeout=10)
    background.close()
    for thread in background._threads:
        thread.join(10)
    assert arrived == ["42", "ZeroDivisionError: integer division or modulo by zero"]
    assert not any(thread.is_alive() for thread in background._threads)
