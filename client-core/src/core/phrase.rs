//! The return phrase: eight words with which she comes back from any device. [B-1], [B-2]
//!
//! It has 88 random bits, and whoever seizes a relay can only guess it through Argon2id. Nobody keeps
//! it but her: a device keeps what stores and erases capsules, and can open none.

use std::borrow::Cow;

use argon2::{Algorithm, Argon2, Params, Version};
use bip39::{Language, Mnemonic};
use cobijo_protocol::{
    capsule::{PhraseSecret, PhraseSeed},
    slot::ThreadSecret,
};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::port::Rng;
use crate::mls::{
    MlsError,
    hpke::{self, KeyPair},
};

/// Words of a phrase: 88 bits.
pub const PHRASE_WORDS: usize = 8;

/// Words of a BIP-39 list.
const LIST_WORDS: u16 = 2048;
/// Letters that tell a word of a list from all others of it.
const PREFIX_LETTERS: usize = 4;
/// Memory of Argon2id in KiB: what an old phone bears.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes of Argon2id.
const PASSES: u32 = 2;
/// One salt for all: who has nothing but her phrase has no other.
const SALT: &[u8] = b"cobijo/1 phrase";
/// A typed text longer than this is no phrase.
const TYPED_BYTES_MAX: usize = 1024;

/// The list that a phrase is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordList {
    /// Spanish.
    Spanish,
    /// English.
    English,
}

/// Eight words.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Phrase {
    indices: [u16; PHRASE_WORDS],
    #[zeroize(skip)]
    list: WordList,
}

/// What a phrase gives.
#[derive(Clone, Serialize, Deserialize)]
pub struct PhraseKeys(PhraseSecret);

/// One generation of its keys: where its capsules are, and what opens them.
#[derive(Clone)]
pub struct Generation {
    find: ThreadSecret,
    seed: PhraseSeed,
}

/// What was typed is no phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// The machine has too little memory to derive its keys.
    #[error("not enough memory")]
    Memory,
    /// It has more words, or fewer.
    #[error("a phrase has eight words")]
    Count,
    /// As typed it is one phrase in Spanish and another one in English: none that was ever given out.
    #[error("words that two phrases have")]
    Ambiguous,
    /// No phrase has this word: its number, from 1.
    #[error("a word that no phrase has")]
    Word(usize),
}

impl Phrase {
    /// Draws a phrase. One that would be another one in the other list is never drawn. [B-1]
    pub fn draw(list: WordList, rng: &mut Rng) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0; 2 * PHRASE_WORDS]);
            rng.fill_bytes(bytes.as_mut());
            let index = |word: usize| u16::from_be_bytes([bytes[2 * word], bytes[2 * word + 1]]);
            let phrase = Self {
                indices: std::array::from_fn(|word| index(word) % LIST_WORDS),
                list,
            };
            if !phrase.is_ambiguous() {
                return phrase;
            }
        }
    }

    /// Takes what she typed or pasted: whole words or their first four letters, in any case, with or
    /// without accents; what is no letter only separates. [B-1]
    ///
    /// # Errors
    /// [`PhraseError`] for what no phrase is written as.
    pub fn parse(typed: &str) -> Result<Self, PhraseError> {
        if typed.len() > TYPED_BYTES_MAX {
            return Err(PhraseError::Count);
        }
        let letters = letters(typed);
        let words: Vec<&str> = letters.split(' ').filter(|word| !word.is_empty()).collect();
        let words: [&str; PHRASE_WORDS] = words.try_into().map_err(|_| PhraseError::Count)?;
        match [WordList::Spanish, WordList::English].map(|list| Self::of(list, &words)) {
            [Ok(one), Ok(other)] if one.indices != other.indices => Err(PhraseError::Ambiguous),
            [Ok(phrase), _] | [_, Ok(phrase)] => Ok(phrase),
            [Err(one), Err(other)] => Err(PhraseError::Word(one.max(other))),
        }
    }

    /// The phrase of these words in a list, or the number of the first that isn't in it.
    fn of(list: WordList, words: &[&str; PHRASE_WORDS]) -> Result<Self, usize> {
        let mut indices = [0; PHRASE_WORDS];
        for ((number, index), word) in (1_usize..).zip(&mut indices).zip(words) {
            *index = list.index(word).ok_or(number)?;
        }
        Ok(Self { indices, list })
    }

    /// Its words, as they are shown.
    pub fn words(&self) -> [&'static str; PHRASE_WORDS] {
        self.indices.map(|index| self.list.word(index))
    }

    /// The number of a word that is asked back, from 1.
    pub fn word_to_ask(&self, rng: &mut Rng) -> usize {
        let words = u32::try_from(self.indices.len()).unwrap_or(1);
        1 + (rng.next_u32() % words) as usize
    }

    /// Whether what she typed is the word of this number, from 1: asked back, to see that she has it.
    #[must_use]
    pub fn is_word(&self, number: usize, typed: &str) -> bool {
        let index = number.checked_sub(1).and_then(|at| self.indices.get(at));
        let letters = letters(typed);
        index.is_some() && self.list.index(letters.trim()) == index.copied()
    }

    /// Derives its keys: takes a moment, and 19 MiB. [B-2]
    ///
    /// # Errors
    /// [`PhraseError::Memory`] where the memory can't be had.
    pub fn derive(&self) -> Result<PhraseKeys, PhraseError> {
        let secret = Zeroizing::new(self.indices.map(u16::to_be_bytes).concat());
        let mut derived = Zeroizing::new([0; 64]);
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(derived.len()));
        let params = params.map_err(|_| PhraseError::Memory)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&secret, SALT, derived.as_mut())
            .map_err(|_| PhraseError::Memory)?;
        Ok(PhraseKeys(PhraseSecret::from_bytes(*derived)))
    }

    fn is_ambiguous(&self) -> bool {
        let words = self.words().map(letters);
        let words = std::array::from_fn(|at| words[at].as_str());
        Self::parse_in_other(self.list, &words).is_some_and(|other| other != self.indices)
    }

    fn parse_in_other(list: WordList, words: &[&str; PHRASE_WORDS]) -> Option<[u16; PHRASE_WORDS]> {
        let other = match list {
            WordList::Spanish => WordList::English,
            WordList::English => WordList::Spanish,
        };
        // She may type no more than the letters that decide.
        let short = words.map(|word| word.get(..PREFIX_LETTERS).unwrap_or(word));
        Self::of(other, &short).ok().map(|phrase| phrase.indices)
    }
}

impl PhraseKeys {
    /// The keys of a generation: those of one tell nothing of another's. [B-2]
    pub fn generation(&self, number: u32) -> Generation {
        let (find, seed) = self.0.generation(number);
        Generation { find, seed }
    }
}

impl Generation {
    /// Secret of the threads that its capsules stand in.
    pub fn find(&self) -> &ThreadSecret {
        &self.find
    }

    /// The key pair that capsules are sealed to.
    ///
    /// # Errors
    /// [`MlsError`] where the crypto provider fails.
    pub fn pair(&self) -> Result<KeyPair, MlsError> {
        hpke::key_pair(self.seed.as_bytes())
    }

    /// The seed of that key pair.
    pub fn seed(&self) -> &PhraseSeed {
        &self.seed
    }
}

impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phrase").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PhraseKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhraseKeys").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").finish_non_exhaustive()
    }
}

impl WordList {
    fn words(self) -> &'static [&'static str; LIST_WORDS as usize] {
        match self {
            Self::Spanish => Language::Spanish.word_list(),
            Self::English => Language::English.word_list(),
        }
    }

    fn word(self, index: u16) -> &'static str {
        self.words()
            .get(usize::from(index))
            .copied()
            .unwrap_or_default()
    }

    /// Which word is meant: the one that begins with the same four letters, or is as short.
    fn index(self, typed: &str) -> Option<u16> {
        let is_meant = |word: &&str| is_same_word(typed, &letters(word));
        let at = self.words().iter().position(is_meant)?;
        u16::try_from(at).ok()
    }
}

fn is_same_word(typed: &str, word: &str) -> bool {
    let typed = typed.chars().take(PREFIX_LETTERS);
    typed.eq(word.chars().take(PREFIX_LETTERS))
}

/// Small letters without accents; one space for whatever else stands between.
fn letters(text: &str) -> Zeroizing<String> {
    let mut text = Cow::Borrowed(text);
    Mnemonic::normalize_utf8_cow(&mut text);
    // A text that grows leaves copies of what it held.
    let mut letters = Zeroizing::new(String::with_capacity(4 * text.len()));
    for letter in text.chars() {
        match letter {
            // Accents, which stand alone after normalisation.
            '\u{300}'..='\u{36f}' => {}
            letter if letter.is_alphabetic() => letters.extend(letter.to_lowercase()),
            _ => letters.push(' '),
        }
    }
    if let Cow::Owned(mut text) = text {
        text.zeroize();
    }
    letters
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_core::SeedableRng as _;

    use super::*;

    fn prefix(word: &str) -> String {
        word.chars().take(PREFIX_LETTERS).collect()
    }

    const LISTS: [WordList; 2] = [WordList::Spanish, WordList::English];

    fn of_words(list: WordList, words: [&str; PHRASE_WORDS]) -> Phrase {
        Phrase::of(list, &words).unwrap()
    }

    /// [B-1]
    #[test]
    fn the_first_four_letters_tell_the_words_of_a_list_apart() {
        for list in LISTS {
            let prefixes = list.words().iter().map(|word| prefix(&letters(word)));
            let prefixes: BTreeSet<_> = prefixes.collect();
            assert_eq!(prefixes.len(), usize::from(LIST_WORDS));
        }
    }

    /// [B-1]
    #[test]
    fn a_phrase_is_taken_however_it_is_written() {
        let mut rng = Rng::seed_from_u64(1);
        for list in LISTS {
            for _ in 0..50 {
                let phrase = Phrase::draw(list, &mut rng);
                let words = phrase.words();
                let short = words.map(|word| prefix(&letters(word)));
                let numbered = (1..)
                    .zip(words)
                    .map(|(number, word)| format!("{number}. {word},\n"));
                for typed in [
                    words.join(" "),
                    words.join("\t\u{a0}\r\n").to_uppercase(),
                    words.map(|word| letters(word).to_string()).join("  "),
                    short.join(" "),
                    short.join("-").to_uppercase(),
                    numbered.collect(),
                ] {
                    assert_eq!(
                        Phrase::parse(&typed).unwrap().indices,
                        phrase.indices,
                        "{typed}"
                    );
                }
            }
        }
    }

    /// [B-1]
    #[test]
    fn accents_may_be_typed_as_one_letter_or_left_out() {
        let composed = "Ábaco CAÑÓN razón útil zurdo óxido óvulo yerno";
        let phrase = Phrase::parse(composed).unwrap();
        assert_eq!(
            phrase.indices,
            Phrase::parse("abaco canon razon util zurdo oxido ovulo yerno")
                .unwrap()
                .indices
        );
        assert!(
            phrase.is_word(2, " cañón ") && phrase.is_word(2, "CANO") && phrase.is_word(8, "yern")
        );
        for (number, typed) in [
            (2, "can"),
            (2, ""),
            (3, "canon"),
            (0, "abaco"),
            (9, "yerno"),
        ] {
            assert!(!phrase.is_word(number, typed), "{number} {typed}");
        }
    }

    #[test]
    fn a_short_word_is_not_one_that_begins_with_it() {
        let phrase = of_words(WordList::English, ["act"; 8]);
        assert_ne!(
            phrase.indices,
            of_words(WordList::English, ["acti"; 8]).indices
        );
        assert_eq!(phrase.words(), ["act"; 8]);
        assert_eq!(
            of_words(WordList::English, ["acto"; 8]).words(),
            ["actor"; 8]
        );
    }

    #[test]
    fn what_is_no_phrase_is_refused_and_the_wrong_word_named() {
        let seven = ["zoo"; 7].join(" ");
        assert_eq!(Phrase::parse(&seven).unwrap_err(), PhraseError::Count);
        let nine = ["zoo"; 9].join(" ");
        assert_eq!(Phrase::parse(&nine).unwrap_err(), PhraseError::Count);
        let wrong = format!("{seven} zzzz");
        assert_eq!(Phrase::parse(&wrong).unwrap_err(), PhraseError::Word(8));
        assert_eq!(
            Phrase::parse(&"a".repeat(5000)).unwrap_err(),
            PhraseError::Count
        );
    }

    /// [B-1]
    #[test]
    fn a_phrase_that_is_another_one_in_the_other_list_is_neither_drawn_nor_taken() {
        let shared = [
            "abuse", "access", "acid", "action", "album", "animal", "arrow", "atom",
        ];
        for list in LISTS {
            assert!(of_words(list, shared).is_ambiguous());
        }
        assert!(Phrase::parse(&shared.join(" ")).is_err());
        let one_of_its_own = [
            "abuse", "access", "acid", "action", "album", "animal", "arrow", "zurdo",
        ];
        assert!(!of_words(WordList::Spanish, one_of_its_own).is_ambiguous());
        assert!(Phrase::parse(&one_of_its_own.join(" ")).is_ok());
    }

    #[test]
    fn its_debug_says_nothing() {
        let phrase = of_words(WordList::English, ["zoo"; 8]);
        assert_eq!(format!("{phrase:?}"), "Phrase { .. }");
        assert_eq!(
            format!("{:?}", phrase.derive().unwrap()),
            "PhraseKeys { .. }"
        );
    }
}
