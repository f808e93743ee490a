"""The figures that a monitoring system reads at `/metrics`; no label says whose data a call was about.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from fhir_adapter.store import Pull

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_logger = logging.getLogger(__name__)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fhir_adapter_http_requests",
            "Calls answered, by the pattern of their address",
            ("operation", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "fhir_adapter_http_request_duration_seconds",
            "How long answers took",
            ("operation",),
            registry=self._registry,
        )
        self._scores = Counter(
            "fhir_adapter_hscore_answers",
            "Answers of $hscore for a patient, kept from before or computed",
            ("origin",),
            registry=self._registry,
        )
        self._loads = Counter(
            "fhir_adapter_trial_data_loads",
            "How often the trial's data were read",
            ("result",),
            registry=self._registry,
        )
        self._last_pull = Gauge(
            "fhir_adapter_last_pull_timestamp_seconds",
            "When the last pull began, by the server's clock",
            registry=self._registry,
        )
        self._complete = Gauge(
            "fhir_adapter_last_pulls_complete",
            "1 when the last pull of every place was complete, 0 when not or when there was none",
            registry=self._registry,
        )
        self._patients = Gauge(
            "fhir_adapter_patients_known", "How many Patients of the hospital can be asked for", registry=self._registry
        )
        self._counter = lru_cache(maxsize=1024)(self._labelled)
        self.kept = self._scores.labels("kept").inc
        self.computed = self._scores.labels("computed").inc

    def answered(self, operation: str, method: str, status: int, seconds: float) -> None:
        """One call was answered."""
        counter, histogram = self._counter(operation, method if method in _METHODS else "other", status)
        counter.inc()
        histogram.observe(seconds)
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug("answered", extra={"operation": operation, "status": status, "milliseconds": seconds * 1000})

    def loaded(self, pulls: tuple[Pull, ...], patients: int) -> None:
        """The trial's data were read; what is known of the pulls behind them, and of how many Patients."""
        self._patients.set(patients)
        self._loads.labels("ok").inc()
        self._complete.set(1 if pulls and all(pull.complete for pull in pulls) else 0)
        moments = [datetime.fromisoformat(pull.started).timestamp() for pull in pulls if pull.started]
        self._last_pull.set(max(moments, default=0))

    def not_loaded(self) -> None:
        """The trial's data could not be read."""
        self._loads.labels("failed").inc()

    def text(self) -> bytes:
        """All figures in the text format."""
        return generate_latest(self._registry)

    def _labelled(self, operation: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(operation, method, str(status)), self._seconds.labels(operation)
