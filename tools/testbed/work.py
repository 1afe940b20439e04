# SPDX-License-Identifier: GPL-2.0-only
"""Jobs side by side."""

import contextlib
import os
import threading


class Work:
    """As many jobs at a time as there are processors for; of those that wait, the longest first.

    A job has a width: the processors that it keeps busy. The CPUs of an emulated machine wait
    for each other in loops: two of them on one processor take more than twice as long. So a
    job waits until there is room for all of it, but for the last ones, which would leave a
    processor idle otherwise.
    """

    def __init__(self):
        self.jobs = []
        self.free = os.cpu_count()
        self.left = 0
        self.held = 0
        self.problem = None
        self.changed = threading.Condition()
        # Nobody waits for them at a Ctrl-C.
        for _ in range(os.cpu_count()):
            threading.Thread(target=self._work, daemon=True).start()

    def add(self, length, function, *args, width=1):
        """Have @function called, some time; @length: compared with that of others."""
        with self.changed:
            self.jobs.append((length, min(width, os.cpu_count()), function, args))
            self.left += 1
            self.changed.notify_all()

    @contextlib.contextmanager
    def beside(self):
        """Something else takes all processors but one meanwhile."""
        self._hold(os.cpu_count() - 1)
        try:
            yield
        finally:
            self._hold(1 - os.cpu_count())

    def _hold(self, processors):
        with self.changed:
            self.held += processors
            self.free -= processors
            self.changed.notify_all()

    def _next(self):
        """The place of a job that can begin, or None."""
        fit = [job for job in self.jobs if job[1] <= self.free]
        if not fit and self.free > 0 and not self.held:
            fit = self.jobs
        return max(fit, key=lambda job: job[0], default=None)

    def _work(self):
        while True:
            with self.changed:
                self.changed.wait_for(self._next)
                job = self._next()
                self.jobs.remove(job)
                _, width, function, args = job
                self.free -= width
            problem = None
            try:
                function(*args)
            except BaseException as error:      # pylint: disable=broad-except
                problem = error
            with self.changed:
                self.free += width
                self.left -= 1
                self.problem = self.problem or problem
                self.changed.notify_all()

    def finish(self):
        """Wait until all is done; raise what the first one raised that did."""
        with self.changed:
            self.changed.wait_for(lambda: not self.left or self.problem)
            if self.problem:
                raise self.problem
