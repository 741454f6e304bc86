//! `cobijo`, the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    cobijo_cli::run(std::env::args_os())
}
