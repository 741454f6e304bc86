//! `cobijo-relay`.

use std::process::ExitCode;

use clap::Parser as _;
use cobijo_server::cli;

fn main() -> ExitCode {
    cli::main(cli::Arguments::parse())
}
