//! Passphrases: asked for without showing them, or read from a file; never from arguments or the
//! environment, which other programs can read.

use std::{fs::File, io::Read, path::Path};

use zeroize::Zeroizing;

use crate::{catalogue::Key, problem::Problem, screen::Screen};

/// Longest passphrase: a file that is given by mistake is not read to its end.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

type Passphrase = Zeroizing<String>;

/// The passphrase of a profile that is there.
pub(crate) fn existing(screen: Screen, file: Option<&Path>) -> Result<Passphrase, Problem> {
    match file {
        Some(file) => read(file),
        None => ask(screen, Key::PassphraseAsk),
    }
}

/// A passphrase for a new profile, typed twice.
pub(crate) fn new(screen: Screen, file: Option<&Path>) -> Result<Passphrase, Problem> {
    if let Some(file) = file {
        return read(file);
    }
    screen.progress(Key::PassphraseWhy);
    let passphrase = ask(screen, Key::PassphraseNew)?;
    if ask(screen, Key::PassphraseAgain)? == passphrase {
        Ok(passphrase)
    } else {
        Err(Key::PassphraseDiffers.into())
    }
}

fn ask(screen: Screen, question: Key) -> Result<Passphrase, Problem> {
    let typed = rpassword::prompt_password(screen.text(question))
        .map_err(|_| Problem::from(Key::PassphraseNoTerminal))?;
    check(Zeroizing::new(typed))
}

/// The first line of a file.
fn read(file: &Path) -> Result<Passphrase, Problem> {
    let mut text = Zeroizing::new(String::new());
    File::open(file)
        .and_then(|file| file.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|_| Problem::from(Key::PassphraseUnreadable))?;
    let line = text.lines().next().unwrap_or_default();
    check(Zeroizing::new(line.to_owned()))
}

fn check(passphrase: Passphrase) -> Result<Passphrase, Problem> {
    if passphrase.is_empty() {
        Err(Key::PassphraseEmpty.into())
    } else {
        Ok(passphrase)
    }
}
