//! When two pseudonyms are one to whoever reads them. [O-2]

use std::borrow::Cow;

use bip39::Mnemonic;

/// Small letters and digits, without accents, spaces and signs: what is alike in this is taken for the same.
pub(crate) fn folded(alias: &str) -> String {
    let mut text = Cow::Borrowed(alias);
    Mnemonic::normalize_utf8_cow(&mut text);
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [O-2]
    #[test]
    fn case_accents_spaces_width_and_signs_make_no_other_pseudonym() {
        for alias in [
            "Luz Mía",
            "luz mia",
            "LUZ-MIA!",
            "Ｌｕｚ　Ｍｉａ",
            "l\u{200b}uz mi\u{301}a",
        ] {
            assert_eq!(folded(alias), "luzmia", "{alias}");
        }
        assert_ne!(folded("Luz 2"), folded("Luz"));
        assert_eq!(folded("🙂"), "");
    }
}
