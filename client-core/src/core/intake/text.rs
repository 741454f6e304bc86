//! Cutting what doesn't fit an intake.

/// Cuts a text so that the first part has at most `room` bytes, between words where that is possible.
pub(super) fn split_text(text: &str, room: usize) -> (&str, &str) {
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
