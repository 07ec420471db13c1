"""What Prometheus scrapes from /metrics; one registry a process, built in the factory."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10, 60)


class Metrics:
    """Counts as things happen; gauges are set by whoever answers the scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "transcribe_http_request_seconds",
            "Time to answer a request, streams to their end.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.jobs = Gauge("transcribe_jobs", "Jobs by status.", ("status",), registry=self.registry)
        self.oldest_pending_seconds = Gauge(
            "transcribe_oldest_pending_seconds",
            "How long the oldest job that is due has been waiting.",
            registry=self.registry,
        )
        self.webhook_deliveries = Gauge(
            "transcribe_webhook_deliveries",
            "Webhook deliveries that are kept, by state.",
            ("state",),
            registry=self.registry,
        )
        self.engine_processes = Gauge(
            "transcribe_engine_processes", "Engine processes alive.", registry=self.registry
        )
        self.windows_waiting = Gauge(
            "transcribe_windows_waiting", "Windows that wait for an engine process.", registry=self.registry
        )
        self.watchers = Gauge("transcribe_watchers", "Open live streams.", registry=self.registry)
        self.scrape_failures = Counter(
            "transcribe_metrics_failures", "Scrapes that could not read the database.", registry=self.registry
        )

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).observe(seconds)

    def render(self) -> bytes:
        """The text format, of type `CONTENT_TYPE`."""
        return generate_latest(self.registry)
