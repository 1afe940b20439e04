# SPDX-License-Identifier: GPL-2.0-only
"""Jobs side by side."""

import heapq
import os
import threading


class Work:
    """As many jobs at a time as there are processors; of those that wait, the longest first."""

    def __init__(self):
        self.jobs = []
        self.left = 0
        self.order = 0
        self.problem = None
        self.changed = threading.Condition()
        # Nobody waits for them at a Ctrl-C.
        for _ in range(os.cpu_count()):
            threading.Thread(target=self._work, daemon=True).start()

    def add(self, length, function, *args):
        """Have @function called, some time; @length: compared with that of others."""
        with self.changed:
            self.order += 1
            heapq.heappush(self.jobs, (-length, self.order, function, args))
            self.left += 1
            self.changed.notify_all()

    def _work(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.jobs)
                *_, function, args = heapq.heappop(self.jobs)
            problem = None
            try:
                function(*args)
            except BaseException as error:      # pylint: disable=broad-except
                problem = error
            with self.changed:
                self.left -= 1
                self.problem = self.problem or problem
                self.changed.notify_all()

    def finish(self):
        """Wait until all is done; raise what the first one raised that did."""
        with self.changed:
            self.changed.wait_for(lambda: not self.left or self.problem)
            if self.problem:
                raise self.problem
