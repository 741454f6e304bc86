//! Plays seeds of the model test until the time is over.

#![expect(clippy::print_stdout, reason = "a test program says how it went")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use cobijo_tests::model::{Options, Summary, journeys, play};

/// Plays members of a group over a relay in memory against a reference model.
#[derive(Parser)]
struct Arguments {
    /// How long to go on.
    #[arg(long, default_value_t = 4.0)]
    minutes: f64,
    /// The first seed; without --seeds and --minutes, the only one, and each step is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds.
    #[arg(long)]
    seeds: Option<u64>,
    /// What is played; without it, a group.
    #[arg(long)]
    play: Option<Played>,
    /// Things that happen before everybody catches up: else 120 to a group, 60 on journeys.
    #[arg(long)]
    steps: Option<u32>,
    /// Stops after the first seed that fails.
    #[arg(long)]
    until_failure: bool,
    /// Threads to play on.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Played {
    /// Members of one group.
    Group,
    /// Whole clients: what people do, and what the desk does.
    Journeys,
}

impl Played {
    fn steps(self) -> u32 {
        match self {
            Self::Group => 120,
            Self::Journeys => 60,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_single = arguments.seed.is_some() && arguments.seeds.is_none();
    let first = arguments.seed.unwrap_or(1);
    let seeds = if is_single {
        1
    } else {
        arguments.seeds.unwrap_or(u64::MAX)
    };
    let played = match arguments.play {
        Some(played) => vec![played],
        None => vec![Played::Group],
    };
    let options = |played: Played| Options {
        steps: arguments.steps.unwrap_or(played.steps()),
        is_traced: is_single,
    };
    let until = Instant::now() + Duration::from_secs_f64(arguments.minutes * 60.0);
    let next = AtomicU64::new(0);
    let count = || Tally::default();
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.min(seeds))
            .map(|_| {
                scope.spawn(|| {
                    let mut tally = count();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= seeds || Instant::now() >= until {
                            return tally;
                        }
                        for &played in &played {
                            tally.play(first.wrapping_add(index), played, options(played));
                        }
                        if arguments.until_failure && tally.failed > 0 {
                            next.store(seeds, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    let mut total = Tally::default();
    tallies.iter().for_each(|tally| total.add(tally));
    println!(
        "{} epochs, {} messages, {} members followed to the end",
        total.sum.epochs, total.sum.messages, total.sum.alive
    );
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 && total.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    sum: Summary,
}

impl Tally {
    fn play(&mut self, seed: u64, played: Played, options: Options) {
        let outcome = catch_unwind(AssertUnwindSafe(|| match played {
            Played::Group => play(seed, options),
            Played::Journeys => journeys::play(seed, options),
        }));
        let fault = match outcome {
            Ok(Ok(summary)) => {
                self.passed += 1;
                return self.sum(summary);
            }
            Ok(Err(fault)) => fault,
            Err(_) => "a panic".to_owned(),
        };
        self.failed += 1;
        let steps = options.steps;
        let name = match played {
            Played::Group => "group",
            Played::Journeys => "journeys",
        };
        println!("seed {seed}: {fault}");
        println!(
            "  replay: cargo run --profile model -p cobijo-tests --bin model -- --play {name} --seed {seed} --steps {steps}"
        );
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.sum(other.sum);
    }

    fn sum(&mut self, summary: Summary) {
        self.sum.epochs += summary.epochs;
        self.sum.messages += summary.messages;
        self.sum.alive += summary.alive;
    }
}
