//! What the service counts and measures, for Prometheus. Every service has a registry of its own.

use std::fmt;
use std::time::Duration;

use lifesign::{Device, Stage};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::error::Limit;

/// The media type of what [`Metrics::render`] writes.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: from a database look-up to the longest request.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Upper bounds of scores: tenths, finer where decisions are made.
const SCORES: [f64; 13] = [
    0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: String,
    status: u16,
    client: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    os: &'static str,
    decision: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Os {
    os: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    client: String,
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The service's figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Histograms<Route>,
    queue_length: Gauge,
    queue_wait: Histogram,
    stages: Histograms<StageLabel>,
    decisions: Family<DecisionLabels, Counter>,
    scores: Histograms<Os>,
    rejections: Family<Reason, Counter>,
    limited: Family<Limited, Counter>,
    deliveries: Family<Outcome, Counter>,
    workers: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(…)")
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

fn scores() -> Histogram {
    Histogram::new(SCORES)
}

impl Metrics {
    /// A fresh registry; `models` are the names of those that judge.
    pub(crate) fn new(models: &str) -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("lifesign"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            queue_length: Gauge::default(),
            queue_wait: seconds(),
            stages: Family::new_with_constructor(seconds),
            decisions: Family::default(),
            scores: Family::new_with_constructor(scores),
            rejections: Family::default(),
            limited: Family::default(),
            deliveries: Family::default(),
            workers: Gauge::default(),
        };
        metrics.register(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("build", crate::BUILD.to_owned()),
            ("models", models.to_owned()),
        ]);
        metrics.begin_at_zero();
        metrics
    }

    /// Counters whose labels are known from the start begin at 0: Prometheus sees no increase from
    /// nothing to 1, and the first of its kind may be the one that matters.
    fn begin_at_zero(&self) {
        for outcome in ["delivered", "retried", "given_up"] {
            self.deliveries
                .get_or_create(&Outcome { outcome })
                .inc_by(0);
        }
        for device in [
            Device::Desktop,
            Device::Ios,
            Device::Android,
            Device::Unknown,
        ] {
            let os = kind(device);
            drop(self.scores.get_or_create(&Os { os }));
            for decision in ["passed", "not_passed"] {
                self.decisions
                    .get_or_create(&DecisionLabels { os, decision })
                    .inc_by(0);
            }
        }
    }

    fn register(&mut self, build: Vec<(&'static str, String)>) {
        let registry = &mut self.registry;
        registry.register(
            "http_requests",
            "Requests that were answered",
            self.requests.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time from a request's head to its answer",
            self.request_seconds.clone(),
        );
        registry.register(
            "queue_length",
            "Photographs that wait for a worker",
            self.queue_length.clone(),
        );
        registry.register(
            "queue_wait_seconds",
            "Time that photographs waited for a worker",
            self.queue_wait.clone(),
        );
        registry.register(
            "stage_seconds",
            "Time for each stage of an attempt",
            self.stages.clone(),
        );
        registry.register(
            "decisions",
            "Decisions, by the device's kind",
            self.decisions.clone(),
        );
        registry.register(
            "liveness_score",
            "Scores, by the device's kind",
            self.scores.clone(),
        );
        registry.register(
            "rejections",
            "Photographs that could not be judged, by reason",
            self.rejections.clone(),
        );
        registry.register(
            "limited",
            "Requests that were refused for a client's limit",
            self.limited.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "Tries to tell a webhook, by what came of them",
            self.deliveries.clone(),
        );
        registry.register(
            "workers",
            "Assessments at the same time",
            self.workers.clone(),
        );
        registry.register("build", "Which build this is", Info::new(build));
    }

    /// Counts an answered request.
    pub(crate) fn answered(
        &self,
        route: &str,
        method: &str,
        status: u16,
        client: &str,
        took: Duration,
    ) {
        let labels = Request {
            route: route.to_owned(),
            method: method.to_owned(),
            status,
            client: client.to_owned(),
        };
        self.requests.get_or_create(&labels).inc();
        let route = Route {
            route: route.to_owned(),
        };
        self.request_seconds
            .get_or_create(&route)
            .observe(took.as_secs_f64());
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.queue_wait.observe(time.as_secs_f64());
    }

    /// A stage of the engine.
    pub(crate) fn stage(&self, stage: Stage, took: Duration) {
        let name = match stage {
            Stage::Decode => "decode",
            Stage::Detect => "detect",
            Stage::Quality => "quality",
            Stage::Score => "score",
        };
        self.staged(name, took);
    }

    /// A stage before or after the engine's: `fetch` or `store`.
    pub(crate) fn staged(&self, stage: &'static str, took: Duration) {
        self.stages
            .get_or_create(&StageLabel { stage })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn decided(&self, device: Device, score: f64, passed: bool) {
        let os = kind(device);
        let decision = if passed { "passed" } else { "not_passed" };
        self.decisions
            .get_or_create(&DecisionLabels { os, decision })
            .inc();
        self.scores.get_or_create(&Os { os }).observe(score);
    }

    pub(crate) fn rejected(&self, reason: &'static str) {
        self.rejections.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn limited(&self, client: &str, limit: Limit) {
        let labels = Limited {
            client: client.to_owned(),
            limit: limit.as_str(),
        };
        self.limited.get_or_create(&labels).inc();
    }

    /// A try to tell a webhook: `delivered`, `retried` or `given_up`.
    pub(crate) fn told(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    /// All figures in OpenMetrics' text form; those that are states are given.
    pub(crate) fn render(&self, waiting: usize, workers: usize) -> String {
        self.queue_length
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.workers.set(i64::try_from(workers).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// `os` is free text from outside: its kind alone bounds the number of series.
fn kind(device: Device) -> &'static str {
    match device {
        Device::Desktop => "desktop",
        Device::Ios => "ios",
        Device::Android => "android",
        _ => "other",
    }
}
