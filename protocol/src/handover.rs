//! What members of a desk tell each other of the people whom they accompany, and of themselves. –[A-14]

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    Day, cbor,
    content::MessageId,
    fixed::opaque_debug,
    keys::PublicKey,
    limits::{BOARD_TEXT_BYTES_MAX, NOTE_TEXT_BYTES_MAX, WORD_BYTES},
    link::DeskId,
    slot::ThreadSecret,
};

opaque_debug!(
    BoardRow, TeamNotes, Over, Unclaimed, SealedWord, Word, Block
);

/// A row of the hand-over board: three short lines about one conversation, in place of every lower version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardRow {
    /// Names the conversation.
    pub person: PublicKey,
    /// One above the version that it was built on.
    pub version: u64,
    /// Where she is.
    pub state: String,
    /// What comes next.
    pub next_step: String,
    /// What to take care of.
    pub safety: String,
}

impl BoardRow {
    /// Whether every line is short enough to be kept.
    pub fn is_short(&self) -> bool {
        let lines = [&self.state, &self.next_step, &self.safety];
        lines.iter().all(|line| line.len() <= BOARD_TEXT_BYTES_MAX)
    }
}

/// The team's notes of one conversation, in place of every lower version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamNotes {
    /// Names the conversation.
    pub person: PublicKey,
    /// One above the version that they were built on.
    pub version: u64,
    /// What she needs.
    pub needs: String,
    /// What was agreed.
    pub agreements: String,
    /// What may harm her.
    pub risks: String,
    /// Where she was referred to.
    pub referrals: String,
    /// What comes next.
    pub next_step: String,
}

impl TeamNotes {
    /// Whether every line is short enough to be kept.
    pub fn is_short(&self) -> bool {
        let Self {
            needs,
            agreements,
            risks,
            referrals,
            next_step,
            ..
        } = self;
        let lines = [needs, agreements, risks, referrals, next_step];
        lines.iter().all(|line| line.len() <= NOTE_TEXT_BYTES_MAX)
    }
}

/// Something that was told before a newcomer came, told again by whoever posts the snapshot.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told<T> {
    /// Name of the message that said it first.
    pub id: MessageId,
    /// Day on which it was said.
    pub day: Day,
    /// What was said.
    pub what: T,
}

impl<T> std::fmt::Debug for Told<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

/// A conversation is over: what was told of it is dropped, and its authors erase it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// Names the conversation.
    pub person: PublicKey,
    /// How it ended.
    pub how: How,
}

/// How a conversation ended. Nobody outside the desk is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// She left.
    Left,
    /// She erased it.
    Erased,
    /// Closed, as was agreed with her.
    Agreed,
    /// Closed, since she stopped coming.
    StoppedComing,
    /// Closed, since she was referred elsewhere.
    Referred,
    /// Closed, since the desk can't help with it.
    NotOurScope,
    /// Closed, since the desk was abused.
    Abuse,
}

impl How {
    /// Whether an accompanier closed it.
    pub fn is_closing(self) -> bool {
        match self {
            Self::Left | Self::Erased => false,
            Self::Agreed
            | Self::StoppedComing
            | Self::Referred
            | Self::NotOurScope
            | Self::Abuse => true,
        }
    }
}

/// Somebody has waited for long.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unclaimed {
    /// Her `r`.
    pub r: ThreadSecret,
    /// For how many minutes, at least.
    pub minutes: u32,
}

/// A word for one coordinator alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedWord {
    /// Attested key of the coordinator.
    pub to: PublicKey,
    /// HPKE encapsulation ‖ ciphertext of [`Word::to_plaintext`], which is always as long.
    pub sealed: ByteBuf,
}

/// HPKE info of a sealed word: label ‖ desk ‖ author's attested key ‖ coordinator's attested key.
pub fn word_seal_info(desk: &DeskId, author: &PublicKey, to: &PublicKey) -> Vec<u8> {
    [
        b"cobijo/1 word seal".as_slice(),
        desk.as_bytes(),
        author.as_bytes(),
        to.as_bytes(),
    ]
    .concat()
}

/// What a member says to a coordinator alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// She carries something, and wants to talk.
    Talk,
    /// A note of hers about something hard.
    Debrief(String),
}

/// A word is too long to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("word that is too long")]
pub struct WordTooLong;

impl Word {
    /// len u16 BE ‖ CBOR ‖ zeros, always of [`WORD_BYTES`]: what she says can't be told from how long it is.
    ///
    /// # Errors
    /// [`WordTooLong`].
    pub fn to_plaintext(&self) -> Result<Vec<u8>, WordTooLong> {
        let encoded = cbor::encode(self);
        let len = u16::try_from(encoded.len()).map_err(|_| WordTooLong)?;
        let mut plaintext = [&len.to_be_bytes(), encoded.as_slice()].concat();
        if plaintext.len() > WORD_BYTES {
            return Err(WordTooLong);
        }
        plaintext.resize(WORD_BYTES, 0);
        Ok(plaintext)
    }

    /// Reads what [`Word::to_plaintext`] made; nothing else.
    pub fn from_plaintext(plaintext: &[u8]) -> Option<Self> {
        if plaintext.len() != WORD_BYTES {
            return None;
        }
        let (len, rest) = plaintext.split_first_chunk::<2>()?;
        let (encoded, zeros) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
        let is_padded = zeros.iter().all(|byte| *byte == 0);
        is_padded.then(|| cbor::decode(encoded).ok()).flatten()
    }
}

/// Whether a person's intakes, but her first, are passed over and removed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Who.
    pub person: PublicKey,
    /// Whether she is blocked, or no longer.
    pub blocked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn words_are_all_as_long_and_nothing_else_is_one() {
        let (talk, debrief) = (Word::Talk, Word::Debrief("ciruela".to_owned()));
        for word in [talk, debrief] {
            let plaintext = word.to_plaintext().unwrap();
            assert_eq!(plaintext.len(), WORD_BYTES);
            assert_eq!(Word::from_plaintext(&plaintext).as_ref(), Some(&word));
            assert_eq!(Word::from_plaintext(&plaintext[1..]), None);
            let mut padded = plaintext.clone();
            padded[WORD_BYTES - 1] = 1;
            assert_eq!(Word::from_plaintext(&padded), None);
            let mut long = plaintext;
            long[0] = 0xff;
            assert_eq!(Word::from_plaintext(&long), None);
        }
        let long = Word::Debrief("x".repeat(WORD_BYTES));
        assert_eq!(long.to_plaintext(), Err(WordTooLong));
    }
}
