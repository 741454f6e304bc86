//! Feeds every decoder mutated and random bytes, on the stable toolchain and without coverage.
//!
//! `fuzz [--target NAME] [--seconds N] [--seed N] [--round N]`. A round depends on target, seed and its number
//! alone, so a failure is replayed by the line that it prints.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

mod corpus;
mod mutate;
mod targets;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;

use crate::{
    corpus::Corpus,
    targets::{TARGETS, Target},
};

/// Longest that a decoder may take for one input, even unoptimised on a busy machine.
const ROUND_MAX: Duration = Duration::from_secs(5);

/// Feeds decoders mutated and random bytes.
#[derive(Parser)]
struct Args {
    /// One target; without it, all of them in turn.
    #[arg(long)]
    target: Option<String>,
    /// Time for each target.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Seed of all rounds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs this round alone.
    #[arg(long)]
    round: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|target| {
            args.target
                .as_deref()
                .is_none_or(|name| name == target.name)
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        println!("no such target; there are: {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let held = chosen.iter().filter(|target| fuzz(target, &args)).count();
    if held == chosen.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether the target holds.
fn fuzz(target: &Target, args: &Args) -> bool {
    let corpus = Corpus::of(target);
    let rounds = match args.round {
        Some(round) => round..round + 1,
        None => 0..u64::MAX,
    };
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let (mut done, mut accepted) = (0_u64, 0_u64);
    for round in rounds {
        match run(target, &corpus, args.seed, round) {
            Ok(is_accepted) => accepted += u64::from(is_accepted),
            Err(failure) => {
                println!(
                    "{}: {failure}; replay: fuzz --target {} --seed {} --round {round}",
                    target.name, target.name, args.seed
                );
                return false;
            }
        }
        done += 1;
        if Instant::now() >= until {
            break;
        }
    }
    println!(
        "{}: {done} rounds from {} samples, {accepted} accepted, seed {}",
        target.name,
        corpus.len(),
        args.seed
    );
    true
}

/// Why a round failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error("it panicked, or accepted what it would not encode")]
    Panicked,
    #[error("it took too long")]
    TooLong,
}

/// Whether the input of a round was accepted.
fn run(target: &Target, corpus: &Corpus, seed: u64, round: u64) -> Result<bool, Failure> {
    let input = corpus.input(seed, round);
    let start = Instant::now();
    let checked = catch_unwind(AssertUnwindSafe(|| (target.check)(&input)));
    let is_accepted = checked.map_err(|_| Failure::Panicked)?;
    if start.elapsed() > ROUND_MAX {
        return Err(Failure::TooLong);
    }
    Ok(is_accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_samples_and_survives_a_few_rounds() {
        for target in TARGETS {
            let corpus = Corpus::of(target);
            assert!(corpus.len() >= 2, "{}", target.name);
            for round in 0..200 {
                let outcome = run(target, &corpus, 1, round);
                assert!(outcome.is_ok(), "{} round {round}", target.name);
            }
        }
    }

    #[test]
    fn some_unmutated_sample_of_every_target_is_accepted() {
        for target in TARGETS {
            let corpus = Corpus::of(target);
            let accepted = corpus.samples().filter(|sample| (target.check)(sample));
            assert!(accepted.count() > 0, "{}", target.name);
        }
    }

    #[test]
    fn a_round_is_the_same_when_it_is_replayed() {
        let corpus = Corpus::of(&TARGETS[0]);
        assert_eq!(corpus.input(3, 4), corpus.input(3, 4));
        assert_ne!(corpus.input(3, 4), corpus.input(3, 5));
        assert_ne!(corpus.input(3, 4), corpus.input(4, 4));
    }

    #[test]
    fn a_target_that_panics_fails() {
        let target = Target {
            name: "panics",
            vectors: &[("contact", "/waiting_info/info")],
            malformed: None,
            check: |_| panic!("on purpose"),
        };
        let outcome = run(&target, &Corpus::of(&target), 1, 1);
        assert_eq!(outcome, Err(Failure::Panicked));
    }
}
