//! One value of everything that is encoded, from fixed keys.

mod circles;
mod files;
mod frame;
pub(crate) mod handover;
mod replies;

pub(crate) use circles::{invite as circle_invite, let_ins};
pub(crate) use files::{file_bodies, files};
pub(crate) use frame::{cell, operations, outcomes, pushes};
pub(crate) use replies::reply_threads;

use cobijo_protocol::{
    card::{
        Attestation, Attested, CardBody, Daily, DeskKey, INTAKE_KEY_BYTES, Role, Text,
        UnverifiedCard,
    },
    commit::{
        CommitData, MemberRescue, POLICY, Predecessor, Profile, Removal, Statement, Succession,
        Terms, WelcomePayload, sign_leave, sign_person_rescue, sign_wipe,
    },
    content::{
        ClaimNotice, Content, IntakeKey, Message, MessageId, Minute, Proposal, Purpose, Reads,
    },
    credential::{Credential, PersonCredential, PersonLeaf},
    intake::{
        Claim, Intake, IntakeKind, MessageHash, Newcomer, Reply, SignedReply, Taking, Waiting,
        sign_contact, sign_not_this_one,
    },
    keys::{IntakeSeed, PublicKey, SecretKey, Signed},
    link::{DeskId, DeskLink, Invite, RelayUrl},
    mailbox::MailboxKey,
    opening::{OpenSpan, Opening},
    parts::{Data, Head},
    slot::ThreadSecret,
};
use serde_bytes::ByteBuf;

/// Day of every sample.
pub(crate) const DAY: u32 = 20_781;
/// MLS group id of every sample.
pub(crate) const GROUP: [u8; 16] = [0x47; 16];
/// Host of every sample.
pub(crate) const HOST: &str = "relay.example";

/// Seeds of the keys that the samples are signed with.
pub(crate) const ROOT: u8 = 1;
pub(crate) const DESK: u8 = 2;
pub(crate) const ACCOMPANIER: u8 = 3;
pub(crate) const COORDINATOR: u8 = 4;
pub(crate) const PERSON: u8 = 5;
pub(crate) const LEAF: u8 = 6;
pub(crate) const MAILBOX: u8 = 7;

/// The key whose seed is 32 times one byte.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32])
}

pub(crate) fn public(seed: u8) -> PublicKey {
    key(seed).public()
}

/// The secret of a waiting person.
pub(crate) fn r() -> ThreadSecret {
    ThreadSecret::from_bytes([0x52; 32])
}

pub(crate) fn desk() -> DeskId {
    DeskId::of(&public(ROOT))
}

pub(crate) fn relay() -> RelayUrl {
    RelayUrl::parse("https://relay.example:8443").unwrap()
}

pub(crate) fn link() -> DeskLink {
    DeskLink {
        relay: relay(),
        desk: desk(),
    }
}

pub(crate) fn invite() -> Invite {
    Invite {
        relay: relay(),
        root: public(ROOT),
        r: r(),
    }
}

pub(crate) fn desk_key() -> Signed<DeskKey> {
    key(ROOT).sign_value(&DeskKey {
        root: public(ROOT),
        key: public(DESK),
        serial: 3,
        not_after: DAY + 30,
    })
}

pub(crate) fn attestation(seed: u8) -> Attestation {
    let (alias, role) = match seed {
        COORDINATOR => ("Mar", Role::Coordinator),
        _ => ("Luz", Role::Accompanier),
    };
    Attestation {
        alias: alias.into(),
        role,
        key: public(seed),
        not_after: DAY + 90,
        serial: u32::from(seed),
    }
}

pub(crate) fn attested(seed: u8) -> Attested {
    Attested {
        desk_key: desk_key(),
        attestation: key(DESK).sign_value(&attestation(seed)),
    }
}

pub(crate) fn card_body() -> CardBody {
    let text = |es: &str, en: &str| Text {
        es: es.into(),
        en: en.into(),
    };
    CardBody {
        version: 2,
        name: text("Refugio", "Shelter"),
        about: text("Acompañamos a quien lo pide.", "We accompany whoever asks."),
        hours: text("9, 12, 18 y 22 h", "9, 12, 18 and 22 h"),
        opening: opening(),
        wait_minutes: (10, 20),
        languages: vec!["es-MX".into(), "en".into()],
        posters: vec![public(ACCOMPANIER), public(COORDINATOR)],
    }
}

fn opening() -> Opening {
    let span = |day, from, to| OpenSpan { day, from, to };
    Opening {
        zone: "America/Mexico_City".into(),
        week: vec![span(0, 540, 1320), span(5, 0, 1440)],
        paused: false,
    }
}

pub(crate) fn daily() -> Daily {
    Daily {
        desk: desk(),
        desk_serial: 3,
        version: 2,
        day: DAY,
        mailbox: MailboxKey::of(&key(MAILBOX)),
        intake_key: ByteBuf::from(vec![0x1e; INTAKE_KEY_BYTES]),
        poster: public(ACCOMPANIER),
    }
}

pub(crate) fn card() -> UnverifiedCard {
    UnverifiedCard {
        desk_key: desk_key(),
        card: key(DESK).sign_value(&card_body()),
        daily: key(ACCOMPANIER).sign_value(&daily()),
    }
}

pub(crate) fn person_credential(leaf: PersonLeaf) -> PersonCredential {
    PersonCredential::sign(&key(PERSON), 1, leaf, &public(LEAF))
}

pub(crate) fn credentials() -> Vec<(&'static str, Credential, PublicKey)> {
    vec![
        (
            "member",
            Credential::Member(attested(ACCOMPANIER)),
            public(ACCOMPANIER),
        ),
        (
            "person, device",
            Credential::Person(person_credential(PersonLeaf::Device)),
            public(LEAF),
        ),
        (
            "person, return",
            Credential::Person(person_credential(PersonLeaf::Return)),
            public(LEAF),
        ),
        circles::credential(),
    ]
}

pub(crate) fn terms() -> Vec<(&'static str, Terms)> {
    let terms = |profile, facilitators, predecessor| Terms {
        profile,
        policy: POLICY,
        root: public(ROOT),
        facilitators,
        predecessor,
    };
    let predecessor = Predecessor {
        number: 1,
        group: ByteBuf::from(GROUP),
        epoch: 12,
    };
    vec![
        ("conversation", terms(Profile::Conversation, vec![], None)),
        (
            "successor of a conversation",
            terms(Profile::Conversation, vec![], Some(predecessor)),
        ),
        (
            "circle",
            terms(Profile::Circle, vec![public(ACCOMPANIER)], None),
        ),
        ("desk", terms(Profile::Desk, vec![], None)),
    ]
}

/// SHA-256 of the LeafNode that the sample leave is signed over.
pub(crate) const LEAF_NODE_HASH: [u8; 32] = [0x4c; 32];

pub(crate) fn statements() -> Vec<(&'static str, Statement)> {
    let removal = Removal {
        key: public(ACCOMPANIER),
    };
    let rescue = MemberRescue {
        group: ByteBuf::from(GROUP),
        old_key: public(ACCOMPANIER),
        new_key: public(LEAF),
    };
    vec![
        (
            "leave",
            sign_leave(&key(ACCOMPANIER), &GROUP, 2, &LEAF_NODE_HASH),
        ),
        ("wipe", sign_wipe(&key(PERSON), &GROUP)),
        (
            "removal",
            Statement::Removal {
                desk_key: desk_key(),
                removal: key(DESK).sign_value(&removal),
            },
        ),
        (
            "person rescue",
            sign_person_rescue(&key(PERSON), &GROUP, &public(LEAF)),
        ),
        (
            "member rescue",
            Statement::MemberRescue {
                desk_key: desk_key(),
                rescue: key(DESK).sign_value(&rescue),
            },
        ),
    ]
}

pub(crate) fn commit_data() -> Vec<(&'static str, CommitData)> {
    let statements = |wanted| {
        let all = statements().into_iter();
        all.filter(|(name, _)| *name == wanted)
            .map(|(_, statement)| statement)
            .collect()
    };
    vec![
        (
            "self-update",
            CommitData {
                policy: POLICY,
                cut: vec![(0, 0), (1, 512)],
                statements: vec![],
                welcomes: vec![],
            },
        ),
        (
            "removal with a statement",
            CommitData {
                policy: POLICY,
                cut: vec![(0, 7), (1, 300), (3, 24)],
                statements: statements("removal"),
                welcomes: vec![],
            },
        ),
        (
            "add",
            CommitData {
                policy: POLICY,
                cut: vec![(0, 1)],
                statements: vec![],
                welcomes: vec![(5_000, ThreadSecret::from_bytes([0x57; 32]))],
            },
        ),
    ]
}

pub(crate) fn welcome_payload() -> WelcomePayload {
    WelcomePayload {
        day: DAY,
        desk_key: Some(desk_key()),
        welcome: ByteBuf::from(vec![0x77; 40]),
    }
}

const KEY_PACKAGE: [u8; 24] = [0x4b; 24];

pub(crate) fn intake_key() -> IntakeKey {
    IntakeKey {
        day: DAY,
        mailbox: key(MAILBOX),
        seed: IntakeSeed::from_bytes([0x53; 32]),
    }
}

fn claim(answered: bool) -> ClaimNotice {
    ClaimNotice { r: r(), answered }
}

pub(crate) fn contents() -> Vec<(&'static str, Content)> {
    let leave = sign_leave(&key(ACCOMPANIER), &GROUP, 2, &LEAF_NODE_HASH);
    let wipe = sign_wipe(&key(PERSON), &GROUP);
    let id = MessageId::from_bytes([0x1d; 16]);
    let proposal = |purpose, reads| Proposal {
        member: attested(COORDINATOR),
        purpose,
        reason: "Para que no esperes sola.".into(),
        reads,
        key_package: ByteBuf::from(KEY_PACKAGE),
    };
    let proposed = |purpose, reads| Content::Proposal(proposal(purpose, reads));
    let summary = |version, text: &str| Content::Summary {
        version,
        text: text.into(),
    };
    let (at, back) = (28_000_000, 28_004_000);
    let ends = |back: Option<u32>, next| Content::ShiftEnds {
        at: Minute::from_number(at),
        back: back.map(Minute::from_number),
        next,
    };
    let next = proposal(Purpose::HandOver, Reads::Summary);
    let mut contents = vec![
        ("text", Content::Text("Hola, ¿estás ahí?".into())),
        ("empty text", Content::Text(String::new())),
        (
            "proposal, from now",
            proposed(Purpose::Accompany, Reads::FromNow),
        ),
        (
            "proposal, summary",
            proposed(Purpose::Supervise, Reads::Summary),
        ),
        ("proposal, buddy", proposed(Purpose::Buddy, Reads::FromNow)),
        (
            "proposal, specialist",
            proposed(Purpose::Specialist, Reads::Summary),
        ),
        ("refusal", Content::Refusal { proposal: id }),
        ("closing", Content::Closing),
        (
            "summary",
            summary(2, "Le llegan mensajes de un desconocido."),
        ),
        ("summary, erased", summary(66, "")),
        ("shift ends", ends(None, None)),
        ("shift ends, hand-over", ends(Some(back), Some(next))),
        ("leave", Content::Leave(leave)),
        ("statement", Content::Statement(wipe)),
    ];
    contents.extend(files());
    contents.extend(circles::contents().map(|(name, said)| (name, Content::Circle(said))));
    let desk_contents = handover::desk_contents().into_iter();
    contents.extend(desk_contents.map(|(name, content)| (name, Content::Desk(content))));
    contents
}

pub(crate) fn message(content: Content) -> Message {
    Message {
        id: MessageId::from_bytes([0x1d; 16]),
        clock: 1_000,
        content,
    }
}

pub(crate) fn intakes() -> Vec<(&'static str, Intake)> {
    let intake = |kind| Intake {
        r: r(),
        person: public(PERSON),
        language: "es-MX".into(),
        kind,
        text: "¿Alguien puede ayudarme?".into(),
    };
    let group = ByteBuf::from(GROUP);
    let signature = sign_contact(&key(PERSON), &r(), &GROUP);
    vec![
        ("first", intake(IntakeKind::First)),
        (
            "came back",
            intake(IntakeKind::CameBack {
                group: group.clone(),
                signature,
            }),
        ),
        ("rescue", intake(IntakeKind::Rescue { group, signature })),
    ]
}

pub(crate) fn waitings() -> Vec<(&'static str, Waiting)> {
    vec![
        (
            "key package",
            Waiting::KeyPackage(ByteBuf::from(KEY_PACKAGE)),
        ),
        ("more", Waiting::More(ByteBuf::from(vec![0x6d; 1120 + 20]))),
        (
            "newcomer",
            Waiting::Newcomer(Newcomer::sign(&key(ACCOMPANIER), "Luz".into(), &r())),
        ),
        (
            "rescue",
            Waiting::Rescue(sign_person_rescue(&key(PERSON), &GROUP, &public(LEAF))),
        ),
    ]
}

pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    let reply = |hashed: &[u8], content: &[u8]| {
        SignedReply::sign(
            &key(ACCOMPANIER),
            attested(ACCOMPANIER),
            &r(),
            MessageHash::of(hashed),
            content.to_vec(),
        )
    };
    vec![
        (
            "claimed",
            Reply::Claimed(reply(&[0x77; 40], &welcome_head(12_000))),
        ),
        ("offered", Reply::Offered(reply(&KEY_PACKAGE, &KEY_PACKAGE))),
        ("not this one", sign_not_this_one(&key(PERSON), &r(), 2)),
        (
            "attested",
            Reply::Attested {
                attested: attested(ACCOMPANIER),
            },
        ),
    ]
}

/// The head of a Welcome whose payload has so many bytes.
pub(crate) fn welcome_head(total: u32) -> Vec<u8> {
    let head = Head {
        total,
        secret: ThreadSecret::from_bytes([0x57; 32]),
        part: Vec::new(),
    };
    Data::Head(head).encode()
}

pub(crate) fn claims() -> Vec<(&'static str, Claim)> {
    let claim = |index| Claim::sign(&key(ACCOMPANIER), attested(ACCOMPANIER), &r(), index);
    vec![("at index 0", claim(0)), ("at index 1", claim(1))]
}

/// The secret in the KeyPackage that the sample taking takes.
pub(crate) fn welcome_secret() -> ThreadSecret {
    ThreadSecret::from_bytes([0x57; 32])
}

pub(crate) fn takings() -> Vec<(&'static str, Taking)> {
    let by = attested(ACCOMPANIER);
    let taking = Taking::sign(&key(ACCOMPANIER), by, &welcome_secret(), public(PERSON));
    vec![("taking", taking)]
}

pub(crate) fn succession(number: u32) -> Succession {
    Succession {
        number,
        group: ByteBuf::from([0x5c; 32]),
        maker: public(COORDINATOR),
    }
}

/// What names a desk's next group, as it stands in a taking thread.
pub(crate) fn successions() -> Vec<(&'static str, Signed<Succession>)> {
    let named = |number| key(ROOT).sign_value(&succession(number));
    vec![
        ("the first successor", named(1)),
        ("the second one", named(2)),
    ]
}
