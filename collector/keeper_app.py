"""What the collector tells its keepers: /healthz for a load balancer, /metrics for Prometheus; plain HTTP on the loopback.

Not on the devices' port: there a scraper would need a device's certificate, and any device could read how the fleet fares.
Whoever wants it elsewhere puts a proxy with a password before it. No count and no name of a shop is told here.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from collector.metrics import Metrics, Writer

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"


def keeper_application(metrics: Metrics, writer: Writer | None) -> web.Application:
    """The two routes; nothing else is served."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "waiting": writer.waiting if writer else 0})

    async def metrics_page(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(writer).encode(), headers={"Content-Type": EXPOSITION})

    app = web.Application(client_max_size=1024)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics_page)
    return app
