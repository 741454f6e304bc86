//! What can be typed about files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Evidence.
#[derive(Subcommand, Clone)]
pub(crate) enum FileCommand {
    /// Shows a picture in a conversation for a time: what it says of place, time and device is taken out.
    Show {
        #[command(flatten)]
        evidence: EvidenceArgs,
        /// For how long: 24h, 30m; at most 72h.
        #[arg(long = "for", value_name = "TIME", default_value = "24h")]
        span: String,
    },
    /// Keeps an encrypted copy of a file in a conversation, untouched, for later.
    Keep {
        #[command(flatten)]
        evidence: EvidenceArgs,
    },
    /// Tells a conversation the fingerprint of a file: the file itself is not sent.
    Fingerprint {
        #[command(flatten)]
        evidence: EvidenceArgs,
    },
    /// Lists the files of a conversation, and goes on with those on their way.
    Files {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Opens a file of a conversation, and saves it where you say, not encrypted.
    Open {
        /// The conversation's number in the list.
        conversation: u32,
        /// The file's number.
        file: u32,
        /// Where to save it.
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Takes an encrypted copy out: a zip with the original and its manifest, to be checked without this program.
    Export {
        /// The conversation's number in the list.
        conversation: u32,
        /// The file's number.
        file: u32,
        /// Where to save the zip.
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
}

/// What is shown, kept or told of.
#[derive(Args, Clone)]
pub(crate) struct EvidenceArgs {
    /// The conversation's number in the list.
    pub(crate) conversation: u32,
    /// The file.
    pub(crate) file: PathBuf,
    /// You have read what there is to know before, and are not asked.
    #[arg(long)]
    pub(crate) sure: bool,
}
