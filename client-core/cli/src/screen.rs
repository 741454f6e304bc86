//! Where the program speaks: results on standard output, progress and problems on standard error.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::{
    catalogue::{Key, Language, fill},
    problem::Problem,
};

/// How the program speaks.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) language: Language,
    pub(crate) json: bool,
}

impl Screen {
    /// A text in the person's language.
    pub(crate) fn text(self, key: Key) -> &'static str {
        key.text(self.language)
    }

    /// A text with values filled in. What others wrote must be [`clean`]ed.
    pub(crate) fn fill(self, key: Key, values: &[&str]) -> String {
        fill(self.text(key), values)
    }

    /// A result: an object for scripts, a text for people.
    pub(crate) fn show(self, object: &Value, text: &str) {
        if self.json {
            write(&mut io::stdout().lock(), &object.to_string());
        } else {
            write(&mut io::stdout().lock(), text);
        }
    }

    /// What is going on, for people.
    pub(crate) fn progress(self, key: Key) {
        if !self.json {
            write(&mut io::stderr().lock(), self.text(key));
        }
    }

    /// What a person may want to know, with a value.
    pub(crate) fn note(self, key: Key, value: &str) {
        if !self.json {
            write(&mut io::stderr().lock(), &self.fill(key, &[&clean(value)]));
        }
    }

    /// What went wrong, in one sentence.
    pub(crate) fn problem(self, problem: Problem) {
        let text = self.text(problem.key);
        if self.json {
            let object = json!({ "event": "problem", "problem": name(problem.key), "text": text });
            write(&mut io::stdout().lock(), &object.to_string());
        }
        write(&mut io::stderr().lock(), text);
    }

    /// What went wrong with a connection that is tried again.
    pub(crate) fn trouble(self, problem: Problem) {
        let text = self.text(problem.key);
        if self.json {
            let object = json!({ "event": "disconnected", "problem": name(problem.key) });
            write(&mut io::stdout().lock(), &object.to_string());
        } else {
            write(
                &mut io::stderr().lock(),
                &self.fill(Key::Reconnecting, &[text]),
            );
        }
    }

    /// The program is at fault.
    pub(crate) fn broken(self, file: &str, line: u32) {
        let text = format!("{} ({file}:{line})", self.text(Key::Broken));
        write(&mut io::stderr().lock(), &text);
    }

    /// As [`Self::ask`], with a value.
    pub(crate) fn ask_with(self, question: Key, value: &str) {
        let mut error = io::stderr().lock();
        let text = self.fill(question, &[value]);
        let _gone = write!(error, "{text}").and_then(|()| error.flush());
    }

    /// Asks a question; the answer comes on the same line.
    pub(crate) fn ask(self, question: Key) {
        let mut error = io::stderr().lock();
        let _gone = write!(error, "{}", self.text(question)).and_then(|()| error.flush());
    }
}

/// Name of a text for scripts: `wrong-passphrase`.
pub(crate) fn name(key: Key) -> String {
    let mut name = String::new();
    for c in format!("{key:?}").chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// What somebody else wrote, so that it can't act on a terminal, turn the direction of what follows,
/// or look like a line of somebody else.
pub(crate) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => cleaned.push_str("\n    "),
            '\t' => cleaned.push(' '),
            c if c.is_control() || turns(c) => cleaned.push('\u{fffd}'),
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// Whoever reads may have gone: then there is nobody to tell.
fn write(stream: &mut impl Write, line: &str) {
    let _gone = writeln!(stream, "{line}").and_then(|()| stream.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_can_not_act_on_the_terminal_or_pose_as_another_line() {
        assert_eq!(
            clean("a\u{1b}[2Jb\rc\u{202e}d"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
        assert_eq!(clean("hola\nLuz: miente"), "hola\n    Luz: miente");
    }

    #[test]
    fn scripts_get_names_that_do_not_change_with_the_language() {
        assert_eq!(name(Key::WrongPassphrase), "wrong-passphrase");
    }
}
