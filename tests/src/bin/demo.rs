//! `make demo`: the whole journey with the real programs, one JSON line a step.

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use cobijo_tests::journey;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut step = 0;
    let played = journey::play(&mut |what: &str, details: Value| {
        step += 1;
        print(&json!({ "step": step, "ok": true, "what": what, "details": details }));
    });
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print(&json!({ "step": step + 1, "ok": false, "what": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

/// A reader that has gone is no failure of the journey.
fn print(line: &Value) {
    let _gone = writeln!(stdout(), "{line}");
}
