//! A contact that another device of hers began. [B-7]

use std::collections::VecDeque;

use cobijo_protocol::{
    card::CardVersion,
    cell::Cell,
    intake::IntakeKind,
    keys::{PublicKey, SecretKey},
    link::DeskId,
    mailbox::MailboxKey,
    opening::Opening,
    slot::{Kind, ThreadSecret},
};
use serde_bytes::ByteBuf;

use super::{Contact, SealedTo, Stage};
use crate::core::contest::Contest;

impl Contact {
    /// Goes on with a contact whose intake is stored: what her other device offered is read first.
    pub fn returning(
        root: PublicKey,
        r: ThreadSecret,
        person: SecretKey,
        intake_key: ByteBuf,
    ) -> Self {
        let card = SealedTo {
            version: CardVersion {
                desk_serial: 0,
                version: 0,
                day: 0,
            },
            root,
            // The intake is stored: nothing is dropped any more.
            mailbox: MailboxKey::from_bytes([0; MailboxKey::LEN]),
            intake_key,
            opening: Opening::default(),
            wait_minutes: (0, 0),
            cell: Cell::void(),
        };
        Self {
            desk: DeskId::of(&root),
            thread: Contest::new(r.clone(), Kind::Waiting, 0),
            bodies: Vec::new(),
            r,
            person,
            language: String::new(),
            kind: IntakeKind::First,
            first: String::new(),
            more: Vec::new(),
            pending: VecDeque::new(),
            package: None,
            older: VecDeque::new(),
            card: Some(card),
            package_at: None,
            rescue_at: None,
            serial: 0,
            is_kept: true,
            is_replaced: false,
            stage: Stage::Stored,
            looked: None,
            events: VecDeque::new(),
        }
    }
}
