"""The production server: Granian, and how it stops without a request lost.

On SIGTERM or Ctrl-C, `/health/ready` answers 503 for STOP_DELAY seconds, in which load balancers look
elsewhere while everything is still answered. Then nothing new is let in, what runs is answered, and the
workers end. A second signal ends the delay. On Windows, where Granian has one worker, that ends at once.
"""

import multiprocessing
import os
import signal
import threading
import time
from ctypes import c_bool
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawValue
from typing import Any

from flask import Config, Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer

from . import create_app, logs
from .slow_clients import MOST_BODIES

PATIENCE = 20  # seconds for what still runs when the server stops; then it is ended


class Server(MPServer):
    """Granian with the settings of an application."""

    def __init__(self, config: Config) -> None:
        super().__init__(
            __package__,
            address=config["HOST"],
            port=config["PORT"],
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            websockets=False,
            workers=config["WORKERS"],
            # one would let a sign-in's hash block everybody; hundreds, the database. The rest wait for bodies
            blocking_threads=config["THREADS"] + MOST_BODIES,
            backpressure=1024,  # connections of each worker, idle ones included
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
            respawn_failed_workers=True,
            workers_kill_timeout=PATIENCE,
            log_dictconfig=logs.granian_log_config(config["LOG_FORMAT"]),
        )
        self.delay = config["STOP_DELAY"]
        self.stopping = RawValue(c_bool, False)  # for all workers, and without a lock that one could die with

    def run(self) -> None:
        """Serve until a signal comes."""
        # past Granian's own warning of many threads
        super(MPServer, self).serve(target_loader=partial(load, self.stopping), wrap_loader=False)

    def signal_handler_interrupt(self, *_: Any) -> None:
        """Stop: after the delay, or at once if this is the second signal."""
        wait = 0 if self.stopping.value else self.delay
        self.stopping.value = True
        timer = threading.Timer(wait, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def load(stopping: Any) -> Flask:
    """Create the application of a worker, which sees whether the server stops."""
    # forked with the main process's own handler, it would not hear of an end that comes before it serves
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if main := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(main,), daemon=True).start()
        if hasattr(os, "setpgid"):
            os.setpgid(0, 0)  # Ctrl-C goes to the main process alone, which tells the workers when to end
    app = create_app()
    app.extensions["stopping"] = stopping
    app.extensions["slow_clients"].seats = threading.BoundedSemaphore(app.config["THREADS"])
    return app


def _end_with(main: BaseProcess) -> None:
    """End this worker when somebody kills the main process: else it would go on, and hold the port."""
    main.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)
