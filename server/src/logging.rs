//! What is logged: the relay's own few sentences about itself, and nothing of the crates beneath it.
//!
//! No sentence names a person, an id, an address or a size, at any level: there is nothing to redact
//! because nothing is handed over. Other crates are off and not merely quiet, since nobody here proved
//! what they say at a lower level.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Variable that names the level; anything but a level means `info`.
const LEVEL_VARIABLE: &str = "RUST_LOG";

/// Starts logging to standard error, and takes what a panic would say out of it.
pub(crate) fn start() {
    let level = std::env::var(LEVEL_VARIABLE).ok();
    let level = level.and_then(|level| level.parse().ok());
    let own = Targets::new()
        .with_default(LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level.unwrap_or(LevelFilter::INFO));
    let written = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    // Fails only where a subscriber is set already, as a test may have done.
    let _ = tracing_subscriber::registry()
        .with(own)
        .with(written)
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location();
        let (file, line) = location.map_or(("", 0), |location| (location.file(), location.line()));
        tracing::error!("internal error at {file}:{line}");
    }));
}
