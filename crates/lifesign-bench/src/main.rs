//! How fast Lifesign is: as ratios first, measured in one run against the floor and against what else could be run.
//! `docs/performance.md` has the commands and what came of them.

#![forbid(unsafe_code)]

mod assess;
mod clock;
#[cfg(feature = "floor")]
mod floor;
mod http;
mod load;
mod peer;
mod pictures;
mod server;
mod stats;

use std::fmt;

use clap::{Parser, Subcommand};
use serde::Serialize;

#[derive(Parser)]
#[command(name = "lifesign-bench", about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
}

/// How fast is Lifesign?
#[derive(Subcommand)]
enum Command {
    /// One assessment in this process, by stage, against the floor
    Assess(assess::AssessArgs),
    /// One assessment in this process, by the picture's size
    Growth(assess::GrowthArgs),
    /// The service over HTTP: what it adds, what it answers, how soon
    Http(http::HttpArgs),
    /// What two cores answer, to what one answers
    Scaling(http::ScalingArgs),
    /// From the start to the first answer, and memory at full load
    Start(http::StartArgs),
    /// Ours against a FastAPI service with the same networks, and against DeepFace's own API
    Peer(peer::PeerArgs),
}

fn main() -> anyhow::Result<()> {
    let Cli { command, json } = Cli::parse();
    // One thread, so that whoever asks takes little from whoever answers.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match command {
        Command::Assess(args) => print(&assess::assess(&args)?, json),
        Command::Growth(args) => print(&assess::growth(&args)?, json),
        Command::Http(args) => print(&runtime.block_on(http::http(&args))?, json),
        Command::Scaling(args) => print(&runtime.block_on(http::scaling(&args))?, json),
        Command::Start(args) => print(&runtime.block_on(http::start(&args))?, json),
        Command::Peer(args) => print(&runtime.block_on(peer::peer(&args))?, json),
    }
}

fn print(found: &(impl fmt::Display + Serialize), json: bool) -> anyhow::Result<()> {
    match json {
        true => println!("{}", serde_json::to_string_pretty(found)?),
        false => print!("{found}"),
    }
    Ok(())
}
