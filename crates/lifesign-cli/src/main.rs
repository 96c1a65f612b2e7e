//! The `lifesign` command.

mod admin;
mod calibrate;
mod check;
mod descriptors;
mod ending;
mod evaluate;
mod flags;
mod image;
mod labelled;
mod probe;
mod progress;
mod receipt;
mod serve;
mod webhook;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lifesign_server::error::chain;

/// Self-hosted face liveness: was this photograph taken of a live person, or of a print, a screen
/// or a mask?
#[derive(Parser)]
#[command(name = "lifesign", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer liveness requests over HTTP.
    Serve(flags::ServiceFlags),
    /// Print the effective configuration, and where each value comes from.
    Config(flags::ServiceFlags),
    /// Judge photographs without a server.
    Check(check::CheckArgs),
    /// Measure how good a detector is on labelled images: the ISO/IEC 30107-3 report.
    Evaluate(evaluate::EvaluateArgs),
    /// Fit the calibration of the built-in models to labelled images of one's own cameras.
    Calibrate(calibrate::CalibrateArgs),
    /// Add, list, limit, disable or erase the clients that may call the service.
    #[command(subcommand)]
    Client(admin::ClientCommand),
    /// Issue or revoke access tokens.
    #[command(subcommand)]
    Token(admin::TokenCommand),
    /// Add, list or remove a client's collections.
    #[command(subcommand)]
    Collection(admin::CollectionCommand),
    /// Verify receipts, and manage the keys that sign them.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Photographs that are kept for disputes: list, fetch and decrypt them.
    #[command(subcommand)]
    Image(image::ImageCommand),
    /// Ask a running service whether it is well: exit code 0 where the address answers 200.
    Probe(probe::ProbeArgs),
    /// Have a client's own server told of its attempts; list and replay what it was told.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(flags) => serve::serve(flags),
        Command::Config(flags) => serve::config(flags),
        Command::Check(args) => check::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Client(command) => admin::client(command),
        Command::Token(command) => admin::token(command),
        Command::Collection(command) => admin::collection(command),
        Command::Receipt(command) => receipt::run(command),
        Command::Image(command) => image::run(command),
        Command::Probe(args) => probe::run(&args),
        Command::Webhook(command) => webhook::run(command),
    };
    outcome.unwrap_or_else(|error| {
        anstream::eprintln!("lifesign: {}", chain(error.as_ref()));
        ExitCode::from(2)
    })
}
