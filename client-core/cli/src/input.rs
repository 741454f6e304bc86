//! What is typed beside the command: texts, answers, and lines of a live view.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    thread,
};

use tokio::sync::mpsc;

use crate::{catalogue::Key, problem::Problem, screen::Screen};

/// Longest text that is read: above what a message carries.
const TEXT_BYTES_MAX: u64 = 1024 * 1024;
/// Longest line that a terminal hands over: it drops the rest without a word.
const TERMINAL_LINE_BYTES_MAX: usize = 4095;
/// Characters that are shown of where it was cut.
const CUT_SHOWN: usize = 40;
/// Lines that wait for the view to take them.
const LINES_MAX: usize = 16;

/// A text of any number of lines. In a terminal a line with a full stop ends it, else the input's end.
pub(crate) fn text(screen: Screen, question: Key) -> Result<String, Problem> {
    let input = io::stdin().lock();
    let text = if input.is_terminal() {
        screen.progress(question);
        until_full_stop(input, |end| screen.note(Key::LineCut, end))
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

fn until_full_stop(mut input: impl BufRead, cut: impl Fn(&str)) -> io::Result<String> {
    let mut text = String::new();
    while let Some(line) = read_line(&mut input)? {
        if line.trim() == "." {
            break;
        }
        cut_after(&line).iter().for_each(|end| cut(end));
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// A line, whatever a terminal made of it; `None` at the end.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = input.take(TEXT_BYTES_MAX).read_until(b'\n', &mut line)?;
    let line = String::from_utf8_lossy(&line);
    Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// The last words of a line that a terminal has cut, so that she can go on from there.
pub(crate) fn cut_after(line: &str) -> Option<String> {
    let end = || {
        let start = line.chars().count().saturating_sub(CUT_SHOWN);
        line.chars().skip(start).collect()
    };
    (line.len() >= TERMINAL_LINE_BYTES_MAX).then(end)
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
        let read = read_line(&mut io::stdin().lock());
        let line = read.ok().flatten();
        if let Some(answer) = parse(line.as_deref().unwrap_or_default().trim()) {
            return Ok(answer);
        }
        if line.is_none() || !is_terminal {
            return Err(mistake.into());
        }
        screen.problem(mistake.into());
    }
}

/// Whether somebody sits there who can be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// One line; empty at the end.
pub(crate) fn line() -> Result<String, Problem> {
    let read = read_line(&mut io::stdin().lock());
    let line = read.map_err(|_| Problem::from(Key::FileUnreadable))?;
    Ok(line.unwrap_or_default())
}

/// Lines of standard input, as they come; it closes where they end.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    // Reading a terminal can't be interrupted: the thread ends with the process.
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(line)) = read_line(&mut input) {
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
        let text = until_full_stop(typed.as_bytes(), |_| unreachable!()).unwrap();
        assert_eq!(text, "Hola.\n\n¿Hay alguien?\n");
    }

    #[test]
    fn a_line_that_the_terminal_cut_is_kept_and_its_end_is_told() {
        // The terminal counts bytes: it cuts through a letter.
        let mut typed = "a".repeat(TERMINAL_LINE_BYTES_MAX - 7).into_bytes();
        typed.extend("fin ña".as_bytes());
        typed.extend([0xc3, b'\n']);
        let told = std::cell::RefCell::new(Vec::new());
        let tell = |end: &str| told.borrow_mut().push(end.to_owned());
        let text = until_full_stop(typed.as_slice(), tell).unwrap();
        assert!(text.starts_with("aaa") && text.contains("fin ña"));
        assert!(told.borrow()[0].contains("fin ña"));
        assert_eq!(cut_after("corta"), None);
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
