//! What is typed beside the command: texts, and lines of a live view.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    thread,
};

use tokio::sync::mpsc;

use crate::{catalogue::Key, problem::Problem, screen::Screen};

/// Longest text that is read: above what a message carries.
const TEXT_BYTES_MAX: u64 = 1024 * 1024;
/// Lines that wait for the view to take them.
const LINES_MAX: usize = 16;

/// A text from the command's words; "-" reads it from standard input, no words ask for it.
pub(crate) fn text(words: &[String], screen: Screen) -> Result<String, Problem> {
    let is_standard_input = words.is_empty() || words == ["-"];
    let text = if is_standard_input {
        if io::stdin().is_terminal() {
            screen.progress(Key::WriteAsk);
        }
        let mut text = String::new();
        io::stdin()
            .take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|_| Problem::from(Key::FileUnreadable))?;
        text
    } else {
        words.join(" ")
    };
    let text = text.trim();
    if text.is_empty() {
        Err(Key::NoText.into())
    } else {
        Ok(text.to_owned())
    }
}

/// Lines of standard input, as they come; it closes where they end.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    // Reading a terminal can't be interrupted: the thread ends with the process.
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The words of a line; "double quotes" keep spaces together.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(
            split(r#"say 1  "hola  que" tal"#),
            ["say", "1", "hola  que", "tal"]
        );
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
        assert_eq!(split("  "), [""; 0]);
    }
}
