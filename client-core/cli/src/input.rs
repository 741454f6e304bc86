//! What is typed beside the command: texts, answers, and lines of a live view.

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

/// A text of any number of lines. In a terminal a line with a full stop ends it, else the input's end.
pub(crate) fn text(screen: Screen, question: Key) -> Result<String, Problem> {
    let input = io::stdin().lock();
    let text = if input.is_terminal() {
        screen.progress(question);
        until_full_stop(input)
    } else {
        let mut text = String::new();
        let read = input.take(TEXT_BYTES_MAX).read_to_string(&mut text);
        read.map(|_| text)
    };
    let text = text.map_err(|_| Problem::from(Key::FileUnreadable))?;
    let text = text.trim();
    if text.is_empty() {
        Err(Key::NoText.into())
    } else {
        Ok(text.to_owned())
    }
}

fn until_full_stop(input: impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    for line in input.lines() {
        let line = line?;
        if line.trim() == "." {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// A line that answers a question. Whoever sits at a terminal is asked again after a mistake.
pub(crate) fn answer<T>(
    screen: Screen,
    question: Key,
    mistake: Key,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    let is_terminal = io::stdin().is_terminal();
    loop {
        if is_terminal {
            screen.ask(question);
        }
        let mut line = String::new();
        let read = io::stdin().lock().take(TEXT_BYTES_MAX).read_line(&mut line);
        let is_at_end = !matches!(read, Ok(1..));
        if let Some(answer) = parse(line.trim()) {
            return Ok(answer);
        }
        if is_at_end || !is_terminal {
            return Err(mistake.into());
        }
        screen.problem(mistake.into());
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
    fn a_full_stop_alone_ends_a_text_that_may_have_empty_lines() {
        let typed = "Hola.\n\n¿Hay alguien?\n.\nno";
        let text = until_full_stop(typed.as_bytes()).unwrap();
        assert_eq!(text, "Hola.\n\n¿Hay alguien?\n");
    }

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
