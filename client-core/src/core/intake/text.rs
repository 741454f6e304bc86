//! Cutting what doesn't fit an intake.

use cobijo_protocol::{cbor, intake::INTAKE_PLAINTEXT_BYTES};

use super::{Contact, ContactError, Part, TEXT_BYTES_MAX};

impl Contact {
    /// Splits the first text: what the intake holds, and the rest.
    pub(super) fn write(&mut self, text: &str) -> Result<(), ContactError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ContactError::TooLong);
        }
        // The empty text's header grows from one byte to three.
        let used = 2 + cbor::encode(&self.intake()).len() + 2;
        let room = INTAKE_PLAINTEXT_BYTES
            .checked_sub(used)
            .ok_or(ContactError::TooLong)?;
        let (first, rest) = split_text(text, room);
        first.clone_into(&mut self.first);
        if !rest.is_empty() {
            self.pending.push_back(Part::More(self.more.len()));
            self.more.push(rest.to_owned());
        }
        Ok(())
    }
}

/// Cuts a text so that the first part has at most `room` bytes, between words where that is possible.
fn split_text(text: &str, room: usize) -> (&str, &str) {
    if text.len() <= room {
        return (text, "");
    }
    let edge = text.floor_char_boundary(room);
    let start = text.get(..edge).unwrap_or_default();
    let space = start
        .rfind(char::is_whitespace)
        .filter(|&at| at > edge / 2)
        .unwrap_or(edge);
    let (first, rest) = text.split_at_checked(space).unwrap_or((text, ""));
    (first, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_words() {
        assert_eq!(split_text("hola", 4), ("hola", ""));
        assert_eq!(split_text("hola a todas", 11), ("hola a", "todas"));
        assert_eq!(split_text("holaatodas", 4), ("hola", "atodas"));
        assert_eq!(split_text("ñandú", 1), ("", "ñandú"));
    }
}
