//! What members of a desk tell each other of people.

use cobijo_protocol::{
    card::{CardVersion, INTAKE_KEY_BYTES},
    content::{DeskContent, MessageId, SnapshotPart},
    handover::{Block, BoardRow, How, Over, SealedWord, TeamNotes, Told, Unclaimed, Word},
};
use serde_bytes::ByteBuf;

use super::{
    ACCOMPANIER, COORDINATOR, DAY, KEY_PACKAGE, PERSON, attested, card, claim, desk_key,
    intake_key, public, r,
};

pub(crate) fn row() -> BoardRow {
    BoardRow {
        person: public(PERSON),
        version: 3,
        state: "Más tranquila".into(),
        next_step: "Hablar el jueves".into(),
        safety: "Escribe solo de noche".into(),
    }
}

pub(crate) fn notes() -> TeamNotes {
    TeamNotes {
        person: public(PERSON),
        version: 1,
        needs: "Un lugar donde dormir".into(),
        agreements: "Vuelve el jueves".into(),
        risks: String::new(),
        referrals: "Refugio".into(),
        next_step: "Preguntar por el refugio".into(),
    }
}

pub(crate) fn told<T>(what: T) -> Told<T> {
    Told {
        id: MessageId::from_bytes([0x7d; 16]),
        day: DAY,
        what,
    }
}

/// A word of every kind.
pub(crate) fn words() -> Vec<(&'static str, Word)> {
    vec![
        ("talk", Word::Talk),
        ("debrief", Word::Debrief("Me quedé con su voz".into())),
    ]
}

fn of_people() -> Vec<(&'static str, DeskContent)> {
    let person = public(PERSON);
    let over = |how| DeskContent::Over(Over { person, how });
    let block = |blocked| DeskContent::Block(Block { person, blocked });
    vec![
        ("desk: board", DeskContent::Board(row())),
        ("desk: notes", DeskContent::Notes(notes())),
        ("desk: over, left", over(How::Left)),
        ("desk: over, erased", over(How::Erased)),
        ("desk: over, agreed", over(How::Agreed)),
        ("desk: over, stopped coming", over(How::StoppedComing)),
        ("desk: over, referred", over(How::Referred)),
        ("desk: over, not our scope", over(How::NotOurScope)),
        ("desk: over, abuse", over(How::Abuse)),
        ("desk: help", DeskContent::Help(person)),
        (
            "desk: coming",
            DeskContent::Coming(MessageId::from_bytes([0x7d; 16])),
        ),
        (
            "desk: unclaimed",
            DeskContent::Unclaimed(Unclaimed {
                r: r(),
                minutes: 60,
            }),
        ),
        (
            "desk: word",
            DeskContent::Word(SealedWord {
                to: public(COORDINATOR),
                sealed: ByteBuf::from(vec![0x5e; 1120 + 2048 + 16]),
            }),
        ),
        ("desk: block", block(true)),
        ("desk: unblock", block(false)),
    ]
}

/// What members of a desk say.
pub(crate) fn desk_contents() -> Vec<(&'static str, DeskContent)> {
    let snapshot = SnapshotPart {
        part: 0,
        parts: 2,
        intake_keys: vec![intake_key()],
        claims: vec![claim(false)],
        pool: vec![(public(ACCOMPANIER), vec![ByteBuf::from(KEY_PACKAGE)])],
        seal_keys: vec![(
            public(COORDINATOR),
            ByteBuf::from(vec![0x1e; INTAKE_KEY_BYTES]),
        )],
        board: vec![told(row())],
        notes: vec![told(notes())],
        blocked: vec![(public(PERSON), public(ACCOMPANIER))],
    };
    let mut contents = vec![
        ("desk: intake key", DeskContent::IntakeKey(intake_key())),
        ("desk: claim", DeskContent::Claim(claim(false))),
        ("desk: answered", DeskContent::Claim(claim(true))),
        (
            "desk: key packages",
            DeskContent::KeyPackages(vec![ByteBuf::from(KEY_PACKAGE); 2]),
        ),
        (
            "desk: seal key",
            DeskContent::SealKey(ByteBuf::from(vec![0x1e; INTAKE_KEY_BYTES])),
        ),
        (
            "desk: desk key",
            DeskContent::DeskKey {
                to: public(COORDINATOR),
                desk_key: desk_key(),
                sealed: ByteBuf::from(vec![0x5e; 1120 + 32 + 16]),
            },
        ),
        (
            "desk: attested anew",
            DeskContent::Attested(vec![attested(ACCOMPANIER), attested(COORDINATOR)]),
        ),
        (
            "desk: card",
            DeskContent::Card {
                version: CardVersion {
                    desk_serial: 3,
                    version: 2,
                    day: DAY,
                },
                card: ByteBuf::from(card().encode()),
            },
        ),
        ("desk: told again", DeskContent::ToldAgain(intake_key())),
        ("desk: snapshot", DeskContent::Snapshot(snapshot)),
    ];
    contents.extend(of_people());
    contents
}
