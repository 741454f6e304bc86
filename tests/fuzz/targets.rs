//! Every decoder, with what must hold of whatever it accepts: it encodes to the same bytes.

use cobijo_client_core::{
    core::port::Rng,
    mls::{
        Suite,
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    capsule::Capsule,
    card::UnverifiedCard,
    cbor,
    cell::Cell,
    commit::{CommitData, Succession, Terms, WelcomePayload},
    content::Message,
    credential::Credential,
    frame::{decode_from_relay, decode_operations, encode_from_relay, encode_operations},
    handover::Word,
    intake::{Claim, Intake, Reply, Taking, Waiting},
    keys::{PublicKey, Signed},
    limits::FRAME_UNIT_BYTES,
    link::{DeskId, DeskLink, Invite},
    parts::Data,
    slot::{Kind, Slot, ThreadSecret},
};
use rand_core::SeedableRng as _;
use serde::{Serialize, de::DeserializeOwned};

/// Root key of the samples.
const ROOT: [u8; 32] = [
    0x8a, 0x88, 0xe3, 0xdd, 0x74, 0x09, 0xf1, 0x95, 0xfd, 0x52, 0xdb, 0x2d, 0x3c, 0xba, 0x5d, 0x72,
    0xca, 0x67, 0x09, 0xbf, 0x1d, 0x94, 0x12, 0x1b, 0xf3, 0x74, 0x88, 0x01, 0xb4, 0x0f, 0x6f, 0x5c,
];

/// A decoder.
pub(crate) struct Target {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Where its samples are: files of vectors, and pointers into them.
    pub(crate) vectors: &'static [(&'static str, &'static str)],
    /// Its folder of malformed inputs.
    pub(crate) malformed: Option<&'static str>,
    /// Decodes; says whether the input was accepted, and panics if what was accepted does not hold.
    pub(crate) check: fn(&[u8]) -> bool,
}

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "operations",
        vectors: &[("frames", "/to_relay/*/content")],
        malformed: None,
        check: |content| operations(&frame(content)),
    },
    Target {
        name: "operations-frame",
        vectors: &[],
        malformed: Some("operations"),
        check: operations_or_fixed,
    },
    Target {
        name: "from-relay",
        vectors: &[("frames", "/from_relay/*/content")],
        malformed: None,
        check: |content| from_relay(&frame(content)),
    },
    Target {
        name: "card",
        vectors: &[("identity", "/card/cbor")],
        malformed: Some("card"),
        check: card,
    },
    Target {
        name: "message",
        vectors: &[("group", "/messages/*/cbor")],
        malformed: Some("message"),
        check: canonical::<Message>,
    },
    Target {
        name: "commit-data",
        vectors: &[("group", "/commit_data/*/cbor")],
        malformed: Some("commit-data"),
        check: canonical::<CommitData>,
    },
    Target {
        name: "credential",
        vectors: &[("group", "/credentials/*/cbor")],
        malformed: Some("credential"),
        check: credential,
    },
    Target {
        name: "terms",
        vectors: &[("group", "/terms/*/cbor")],
        malformed: Some("terms"),
        check: canonical::<Terms>,
    },
    Target {
        name: "welcome-payload",
        vectors: &[("group", "/welcome_payload/cbor")],
        malformed: Some("welcome-payload"),
        check: canonical::<WelcomePayload>,
    },
    Target {
        name: "word",
        vectors: &[("group", "/words/*/plaintext")],
        malformed: None,
        check: word,
    },
    Target {
        name: "intake",
        vectors: &[("contact", "/intakes/*/plaintext")],
        malformed: Some("intake"),
        check: intake,
    },
    Target {
        name: "waiting",
        vectors: &[("contact", "/waiting/*/cbor")],
        malformed: Some("waiting"),
        check: canonical::<Waiting>,
    },
    Target {
        name: "reply",
        vectors: &[("contact", "/replies/*/cbor")],
        malformed: Some("reply"),
        check: canonical::<Reply>,
    },
    Target {
        name: "claim",
        vectors: &[("contact", "/claims/*/cbor")],
        malformed: None,
        check: canonical::<Claim>,
    },
    Target {
        name: "taking",
        vectors: &[
            ("contact", "/takings/*/cbor"),
            ("contact", "/claims/*/cbor"),
        ],
        malformed: None,
        check: canonical::<Taking>,
    },
    Target {
        name: "capsule",
        vectors: &[("capsule", "/capsules/*/cbor")],
        malformed: Some("capsule"),
        check: capsule,
    },
    Target {
        name: "succession",
        vectors: &[("contact", "/successions/*/cbor")],
        malformed: None,
        check: canonical::<Signed<Succession>>,
    },
    Target {
        name: "link",
        vectors: &[("identity", "/link/text"), ("identity", "/link/relay")],
        malformed: None,
        check: link,
    },
    Target {
        name: "invite",
        vectors: &[("identity", "/invite/text"), ("identity", "/link/text")],
        malformed: None,
        check: invite,
    },
    Target {
        name: "cell",
        vectors: &[("cells", "/sealed/cell")],
        malformed: Some("cell"),
        check: cell,
    },
    Target {
        name: "data",
        vectors: &[
            ("cells", "/sealed/data"),
            ("cells", "/sealed_deterministic/data"),
        ],
        malformed: Some("data"),
        check: data,
    },
    Target {
        name: "key-package",
        vectors: &[("mls", "/key_packages/*/message")],
        malformed: None,
        check: key_package,
    },
];

/// A frame around any content, so that inputs get past the padding.
fn frame(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut frame = [len.to_be_bytes().as_slice(), content].concat();
    frame.resize(frame.len().next_multiple_of(FRAME_UNIT_BYTES), 0);
    frame
}

fn operations(frame: &[u8]) -> bool {
    let Ok(operations) = decode_operations(frame) else {
        return false;
    };
    assert_eq!(encode_operations(&operations).as_deref(), Ok(frame));
    true
}

/// Malformed samples are never accepted as they are, so a well-formed frame stands for each that is
/// refused: changed samples may become one.
fn operations_or_fixed(input: &[u8]) -> bool {
    operations(input) || {
        let content = input.get(4..).unwrap_or_default();
        let used = content
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        operations(&frame(&content[..used]))
    }
}

fn from_relay(frame: &[u8]) -> bool {
    let Ok(message) = decode_from_relay(frame) else {
        return false;
    };
    assert_eq!(encode_from_relay(&message).as_deref(), Ok(frame));
    true
}

fn canonical<T: Serialize + DeserializeOwned>(input: &[u8]) -> bool {
    let Ok(value) = cbor::decode::<T>(input) else {
        return false;
    };
    assert_eq!(cbor::encode(&value), input);
    true
}

fn card(input: &[u8]) -> bool {
    let Ok(card) = UnverifiedCard::decode(input) else {
        return false;
    };
    assert_eq!(card.encode(), input);
    let root = card.desk_key.unverified().map(|desk_key| desk_key.root);
    if let Ok(verified) = root.map(|root| card.verify(&DeskId::of(&root))) {
        let _ = verified.map(|card| (card.version(), card.is_expired(0)));
    }
    true
}

fn credential(input: &[u8]) -> bool {
    let any_key = PublicKey::from_bytes([1; 32]);
    // Whoever is named in it may be anyone; a forged signature is what must not be accepted.
    assert!(Credential::identify(input, &any_key, &any_key).is_err());
    canonical::<Credential>(input)
}

fn intake(input: &[u8]) -> bool {
    let Ok(intake) = Intake::from_plaintext(input) else {
        return false;
    };
    let plaintext = intake.to_plaintext().map(|plaintext| plaintext.to_vec());
    assert_eq!(plaintext.as_deref(), Ok(input));
    true
}

fn word(input: &[u8]) -> bool {
    let Some(word) = Word::from_plaintext(input) else {
        return false;
    };
    assert_eq!(word.to_plaintext().as_deref(), Ok(input));
    true
}

fn capsule(input: &[u8]) -> bool {
    let Ok(capsule) = Capsule::from_plaintext(input) else {
        return false;
    };
    assert_eq!(capsule.to_plaintext().as_slice(), input);
    for leaf in &capsule.leaves {
        let mut rng = Rng::seed_from_u64(1);
        let (init, encryption) = (&leaf.init_key, &leaf.encryption_key);
        let _ = OwnKeyPackage::from_parts(&leaf.key_package, init, encryption, &mut rng);
    }
    true
}

fn link(input: &[u8]) -> bool {
    let Ok(link) = DeskLink::parse(&String::from_utf8_lossy(input)) else {
        return false;
    };
    assert_eq!(DeskLink::parse(&link.to_string()), Ok(link));
    true
}

fn invite(input: &[u8]) -> bool {
    let Ok(invite) = Invite::parse(&String::from_utf8_lossy(input)) else {
        return false;
    };
    assert_eq!(Invite::parse(&invite.to_text()), Ok(invite));
    true
}

/// The slot that the sample cell is sealed for.
fn slot() -> Slot {
    Slot::derive(&ThreadSecret::from_bytes([0x4b; 32]), Kind::Message, 3, 9)
}

fn cell(input: &[u8]) -> bool {
    let Ok(cell) = Cell::try_from(input) else {
        return false;
    };
    let Some(opened) = slot().open(&cell) else {
        return false;
    };
    data(&opened);
    true
}

fn data(input: &[u8]) -> bool {
    let Some(decoded) = Data::decode(input) else {
        return false;
    };
    assert!(decoded.encode() == input);
    if let Data::Head(head) = decoded {
        let lengths: usize = (0..head.bodies()).map(|index| head.body_len(index)).sum();
        assert!(head.part.len() + lengths == head.total as usize);
        for index in [0, 1, 63, 64, usize::MAX / 4_096] {
            let _ = head.body_part(index, input);
        }
    }
    true
}

fn key_package(input: &[u8]) -> bool {
    let root = PublicKey::from_bytes(ROOT);
    let Ok(package) = OfferedKeyPackage::parse(input, Suite::PostQuantum, &root) else {
        return false;
    };
    assert_eq!(package.message(), input);
    true
}
