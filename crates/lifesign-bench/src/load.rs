//! Requests to a running service: as fast as it answers, or at planned times whatever it does.

use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::stats::quantile;

/// Whom to ask, and what.
#[derive(Clone)]
pub struct Target {
    /// The call's address.
    pub url: String,
    /// Shown to the service, where it wants one.
    pub token: Option<String>,
    /// The request.
    pub body: Bytes,
    /// What an error (400) says by which the service refuses a photograph that it has judged: an answer all the same.
    pub refuses_by: Option<&'static str>,
}

impl Target {
    /// Asks once: whether it was answered (200) or refused for the time being (429, 503).
    pub async fn ask(&self, client: &reqwest::Client) -> anyhow::Result<bool> {
        let answer = self.send(client).await?;
        let status = answer.status();
        let text = answer.text().await?;
        match status.as_u16() {
            200 => Ok(true),
            429 | 503 => Ok(false),
            400 if self.refuses_by.is_some_and(|by| text.contains(by)) => Ok(true),
            _ => bail!("{} answered {status}: {text}", self.url),
        }
    }

    /// The answer as it is.
    pub async fn send(&self, client: &reqwest::Client) -> anyhow::Result<reqwest::Response> {
        let mut request = client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(self.body.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?)
    }
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Requests that were answered.
    pub answers: usize,
    /// Requests that were refused for the time being.
    pub refused: usize,
    /// Answers in a second.
    pub per_second: f64,
    /// Milliseconds until half, and until 99 of 100 of the answers were there, from when each was due.
    pub p50: f64,
    pub p99: f64,
}

impl Load {
    fn new(outcomes: Vec<(bool, Duration)>, took: Duration) -> Load {
        let mut waits: Vec<f64> = Vec::new();
        let mut refused = 0;
        for (answered, wait) in outcomes {
            match answered {
                true => waits.push(1e3 * wait.as_secs_f64()),
                false => refused += 1,
            }
        }
        waits.sort_by(f64::total_cmp);
        Load {
            answers: waits.len(),
            refused,
            per_second: waits.len() as f64 / took.as_secs_f64(),
            p50: quantile(&waits, 0.5),
            p99: quantile(&waits, 0.99),
        }
    }
}

/// `concurrency` requests are under way at any time, for so long.
pub async fn closed(target: &Target, concurrency: usize, time: Duration) -> anyhow::Result<Load> {
    let client = reqwest::Client::new();
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..concurrency {
        let (target, client) = (target.clone(), client.clone());
        callers.spawn(async move {
            let mut outcomes = Vec::new();
            while started.elapsed() < time {
                let asked = Instant::now();
                let answered = target.ask(&client).await?;
                outcomes.push((answered, asked.elapsed()));
            }
            anyhow::Ok(outcomes)
        });
    }
    let mut all = Vec::new();
    while let Some(outcomes) = callers.join_next().await {
        all.extend(outcomes??);
    }
    Ok(Load::new(all, started.elapsed()))
}

/// `rate` requests a second are sent when they are due, for so long, however many are still under way. What an
/// answer takes is counted from when its request was due, so that a service that stalls cannot hide it.
pub async fn open(target: &Target, rate: f64, time: Duration) -> anyhow::Result<Load> {
    let client = reqwest::Client::new();
    let started = tokio::time::Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..(rate * time.as_secs_f64()) as u32 {
        let due = started + Duration::from_secs_f64(f64::from(number) / rate);
        tokio::time::sleep_until(due).await;
        let (target, client) = (target.clone(), client.clone());
        callers.spawn(async move {
            let answered = target.ask(&client).await?;
            anyhow::Ok((answered, due.elapsed()))
        });
    }
    let mut all = Vec::new();
    while let Some(outcome) = callers.join_next().await {
        all.push(outcome??);
    }
    Ok(Load::new(all, started.elapsed()))
}
