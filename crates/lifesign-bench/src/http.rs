//! The service over HTTP: what it adds to an assessment, how much it answers, on one core and on more, how soon after
//! its start, and in how much memory.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use lifesign::{Engine, EngineConfig};
use serde::Serialize;

use crate::assess::{self, Cost, SIZES, Subject};
use crate::clock::{self, ProcessTime};
use crate::load::{self, Load, Target};
use crate::server::{LifesignArgs, Server};
use crate::stats::{Spread, ms};

/// `http`
#[derive(Args)]
pub struct HttpArgs {
    #[command(flatten)]
    service: LifesignArgs,
    /// A service that runs already, by the address of its liveness call
    #[arg(long, requires = "token")]
    url: Option<String>,
    /// A token of that service
    #[arg(long)]
    token: Option<String>,
    /// The process of that service, whose processor time is then counted
    #[arg(long, requires = "url")]
    pid: Option<u32>,
    /// A photograph instead of those that are drawn
    #[arg(long)]
    photograph: Option<PathBuf>,
    /// Requests under way where as many are sent as are answered; unset, two for each worker
    #[arg(long)]
    concurrency: Option<usize>,
    /// Requests a second where they are sent at planned times
    #[arg(long)]
    rate: Option<f64>,
    /// The same, as a multiple of what was answered before
    #[arg(long, default_value_t = 0.7)]
    times: f64,
    /// How long each load is offered
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often, all pictures in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What `http` found.
#[derive(Serialize)]
pub struct Served {
    workers: usize,
    pictures: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    picture: String,
    /// As many requests under way as are answered.
    closed: Vec<Load>,
    /// Requests at planned times.
    rate: Vec<f64>,
    open: Vec<Load>,
    /// Processor milliseconds of the service for a request.
    cpu: Option<Spread>,
    /// Those of all its threads but the ones that assess.
    around: Option<Spread>,
    /// Those of body and assessment in this process, in the same rounds; and of the body alone.
    in_process: Spread,
    body: Spread,
    /// Those of the service less those of body and assessment, round by round. Two large figures that other load
    /// moves: `around` less `body` is steadier, and leaves out only the photograph's hash.
    added: Option<Spread>,
}

fn subjects(photograph: Option<&PathBuf>) -> anyhow::Result<Vec<Subject>> {
    if let Some(path) = photograph {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(vec![Subject::new(
            path.display().to_string(),
            (0, 0),
            bytes,
        )]);
    }
    let sizes = SIZES.iter();
    sizes
        .map(|&(name, size)| Ok(Subject::new(name, size, assess::jpeg(size.0, size.1)?)))
        .collect()
}

/// Runs `http`.
pub async fn http(args: &HttpArgs) -> anyhow::Result<Served> {
    let folder = tempfile::tempdir()?;
    let server = match args.url {
        Some(_) => None,
        None => Some(Server::lifesign(&args.service, folder.path(), None)?),
    };
    let target = |subject: &Subject| match (&server, &args.url) {
        (Some(server), _) => server.target(subject.body.clone()),
        (None, url) => Target {
            url: url.clone().unwrap_or_default(),
            token: args.token.clone(),
            body: subject.body.clone().into(),
            refuses_by: None,
        },
    };
    let pid = server.as_ref().map(Server::pid).or(args.pid);
    let engine = Engine::load(&EngineConfig::default())?;
    let time = Duration::from_secs(args.seconds);
    let concurrency = args.concurrency.unwrap_or(2 * args.service.workers);
    let subjects = subjects(args.photograph.as_ref())?;
    let mut figures = vec![Figures::default(); subjects.len()];
    for _ in 0..args.rounds {
        for (subject, figures) in subjects.iter().zip(&mut figures) {
            let target = target(subject);
            load::closed(&target, concurrency, Duration::from_millis(300)).await?;
            let before = pid.map(ProcessTime::of).transpose()?;
            let closed = load::closed(&target, concurrency, time).await?;
            if let (Some(pid), Some(before)) = (pid, before) {
                let used = ProcessTime::of(pid)?.since(before);
                let each = |time: Duration| ms(time) / (closed.answers + closed.refused) as f64;
                figures.cpu.push(each(used.all));
                figures.around.push(each(used.all - used.assessing));
            }
            let mut own = Vec::new();
            let started = Instant::now();
            while own.len() < 5 || started.elapsed() < time / 2 {
                own.push(assess::ours(&engine, subject, false)?);
            }
            let of = |part: fn(&Cost) -> f64| Spread::of(own.iter().map(part)).median;
            figures.in_process.push(of(|cost| ms(cost.whole)));
            figures.body.push(of(|cost| ms(cost.body())));
            let rate = args.rate.unwrap_or(args.times * closed.per_second);
            figures.open.push(load::open(&target, rate, time).await?);
            figures.rate.push(rate);
            figures.closed.push(closed);
        }
    }
    let rows = subjects.iter().zip(figures).map(|(subject, figures)| {
        let added = figures
            .cpu
            .iter()
            .zip(&figures.in_process)
            .map(|(all, own)| all - own);
        Row {
            picture: subject.name.clone(),
            added: pid.map(|_| Spread::of(added)),
            cpu: pid.map(|_| Spread::of(figures.cpu.iter().copied())),
            around: pid.map(|_| Spread::of(figures.around.iter().copied())),
            in_process: Spread::of(figures.in_process.iter().copied()),
            body: Spread::of(figures.body.iter().copied()),
            closed: figures.closed,
            rate: figures.rate,
            open: figures.open,
        }
    });
    Ok(Served {
        workers: args.service.workers,
        pictures: rows.collect(),
    })
}

#[derive(Default, Clone)]
struct Figures {
    closed: Vec<Load>,
    rate: Vec<f64>,
    open: Vec<Load>,
    cpu: Vec<f64>,
    around: Vec<f64>,
    in_process: Vec<f64>,
    body: Vec<f64>,
}

fn median(loads: &[Load], figure: impl Fn(&Load) -> f64) -> f64 {
    Spread::of(loads.iter().map(figure)).median
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Processor milliseconds for a request, {} worker(s):\n",
            self.workers
        )?;
        writeln!(
            f,
            "| picture | service | quartiles | its threads that do not assess | less the body | body and assessment in process | service less these |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let Some((cpu, (around, added))) = row.cpu.zip(row.around.zip(row.added)) else {
                continue;
            };
            let Spread {
                lower,
                median,
                upper,
            } = cpu;
            let (own, added) = (row.in_process.median, added.median);
            let (around, rest) = (around.median, around.median - row.body.median);
            writeln!(
                f,
                "| {} | {median:.2} | {lower:.2} to {upper:.2} | {around:.2} | **{rest:.2}** | {own:.2} | {added:.2} |",
                row.picture
            )?;
        }
        writeln!(
            f,
            "\n| picture | answers/s, closed loop | p50, p99 ms | planned/s, open loop | answers/s | refused | p50, p99 ms |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let (closed, open) = (&row.closed, &row.open);
            writeln!(
                f,
                "| {} | {:.2} | {:.0}, {:.0} | {:.2} | {:.2} | {:.0} | {:.0}, {:.0} |",
                row.picture,
                median(closed, |load| load.per_second),
                median(closed, |load| load.p50),
                median(closed, |load| load.p99),
                Spread::of(row.rate.iter().copied()).median,
                median(open, |load| load.per_second),
                median(open, |load| load.refused as f64),
                median(open, |load| load.p50),
                median(open, |load| load.p99),
            )?;
        }
        Ok(())
    }
}

/// `scaling`
#[derive(Args)]
pub struct ScalingArgs {
    /// The binary to measure
    #[arg(long, default_value = "target/release/lifesign")]
    lifesign: PathBuf,
    /// How long each load is offered
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often, one core and two in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What `scaling` found.
#[derive(Serialize)]
pub struct Scaling {
    /// Answers a second on two cores to those on one, round by round.
    ratio: Spread,
    one: Spread,
    two: Spread,
}

/// Runs `scaling`: one worker on the first core, two on the first two. This process, which asks, takes its part of
/// them; the picture is the smallest, of which most are answered.
pub async fn scaling(args: &ScalingArgs) -> anyhow::Result<Scaling> {
    let (_, size) = SIZES[0];
    let body = assess::request(&assess::jpeg(size.0, size.1)?);
    let time = Duration::from_secs(args.seconds);
    let start = |workers, cpus: &str| {
        let service = LifesignArgs {
            lifesign: args.lifesign.clone(),
            workers,
            cpus: Some(cpus.to_owned()),
        };
        let folder = tempfile::tempdir()?;
        anyhow::Ok((Server::lifesign(&service, folder.path(), None)?, folder))
    };
    let (one, _one_folder) = start(1, "0")?;
    let (two, _two_folder) = start(2, "0,1")?;
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let target = one.target(body.clone());
        ones.push(load::closed(&target, 2, time).await?.per_second);
        let target = two.target(body.clone());
        twos.push(load::closed(&target, 4, time).await?.per_second);
    }
    Ok(Scaling {
        ratio: Spread::of(twos.iter().zip(&ones).map(|(two, one)| two / one)),
        one: Spread::of(ones),
        two: Spread::of(twos),
    })
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread {
            lower,
            median,
            upper,
        } = self.ratio;
        writeln!(
            f,
            "Two cores answer **{median:.2}** times (quartiles {lower:.2} to {upper:.2}) what one answers."
        )?;
        writeln!(
            f,
            "One: {:.1} answers/s, two: {:.1}.",
            self.one.median, self.two.median
        )
    }
}

/// `start`
#[derive(Args)]
pub struct StartArgs {
    #[command(flatten)]
    service: LifesignArgs,
    /// How often it is started
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long the full load is offered
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// What `start` found.
#[derive(Serialize)]
pub struct Started {
    /// Seconds from the start of the process to its first answer, on a folder that has been used.
    first_answer: Spread,
    /// On a new one, for which keys and a database are made.
    first_answer_ever: f64,
    /// Seconds of processor time until then, which other load on the machine hardly moves.
    processor: Spread,
    /// Most MiB that were ever resident: after one answer, and at full load with each picture.
    after_one: f64,
    workers: usize,
    at_full_load: Vec<(String, f64)>,
}

/// Runs `start`.
pub async fn start(args: &StartArgs) -> anyhow::Result<Started> {
    let folder = tempfile::tempdir()?;
    let body =
        |size: (u32, u32)| Ok::<_, anyhow::Error>(assess::request(&assess::jpeg(size.0, size.1)?));
    let small = body(SIZES[0].1)?;
    let mut token = None;
    let (mut took, mut used) = (Vec::new(), Vec::new());
    let mut after_one = 0.0;
    for _ in 0..=args.rounds {
        let started = Instant::now();
        let server = Server::lifesign(&args.service, folder.path(), token)?;
        server.answers(&server.target(small.clone())).await?;
        took.push(started.elapsed().as_secs_f64());
        used.push(ProcessTime::of(server.pid())?.all.as_secs_f64());
        after_one = clock::peak_memory(server.pid())?;
        token = server.token();
    }
    let mut at_full_load = Vec::new();
    for (name, size) in SIZES {
        let server = Server::lifesign(&args.service, folder.path(), token.clone())?;
        let target = server.target(body(size)?);
        let time = Duration::from_secs(args.seconds);
        load::closed(&target, 4 * args.service.workers, time).await?;
        at_full_load.push((name.to_owned(), clock::peak_memory(server.pid())?));
    }
    Ok(Started {
        first_answer_ever: took[0],
        processor: Spread::of(used[1..].iter().copied()),
        first_answer: Spread::of(took[1..].iter().copied()),
        after_one,
        workers: args.service.workers,
        at_full_load,
    })
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread {
            lower,
            median,
            upper,
        } = self.first_answer;
        writeln!(
            f,
            "First answer {median:.2} s after the start (quartiles {lower:.2} to {upper:.2}); {:.2} s on a new folder; {:.2} s of processor time.",
            self.first_answer_ever, self.processor.median
        )?;
        writeln!(
            f,
            "Peak resident memory: {:.0} MiB after one answer;",
            self.after_one
        )?;
        for (name, peak) in &self.at_full_load {
            writeln!(
                f,
                "{peak:.0} MiB at full load with {name}, {} worker(s);",
                self.workers
            )?;
        }
        Ok(())
    }
}
