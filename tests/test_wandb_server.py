"""Whether the server of W&B answers: found out shortly, before anything is sent to it."""

import http.server
import socket
import threading

import pytest

from zsh_jax.tracking.wandb_service import check_server


class Forbids(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = http.server.HTTPServer(("localhost", 0), Forbids)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made.server_port
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_server_that_answers_is_there_whatever_it_answers(server, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", f"http://localhost:{server}")
    check_server(30)


def test_a_server_that_is_dead_or_silent_is_not(monkeypatch):
    with socket.create_server(("localhost", 0)) as silent:  # takes the connection, and says nothing
        for port in (1, silent.getsockname()[1]):
            monkeypatch.setenv("WANDB_BASE_URL", f"http://localhost:{port}")
            with pytest.raises(TimeoutError, match=f"http://localhost:{port} does not answer"):
                check_server(0.3)
