//! Every file of `testdata/malformed/` is refused for the reason that its first line names.
//!
//! A folder is a decoder. The first line is `# Error: what is wrong`; the rest is hex, where `00*9`
//! stands for nine zero bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cobijo_protocol::{
    capsule::Capsule,
    card::UnverifiedCard,
    cbor,
    cell::Cell,
    commit::{CommitData, Terms, WelcomePayload},
    content::Message,
    credential::Credential,
    frame::{decode_from_relay, decode_operations},
    intake::{Intake, Reply, Waiting},
    parts::Data,
    slot::{Kind, Slot, ThreadSecret},
};
use data_encoding::HEXLOWER;

use crate::{
    samples::{self, public},
    vectors,
};

/// Tests, each of which decodes all files of some folders.
macro_rules! folders {
    ($($(#[$doc:meta])+ $name:ident: $folders:expr;)+) => {
        $(
            $(#[$doc])+
            #[test]
            fn $name() {
                for folder in $folders {
                    refuses(folder);
                }
            }
        )+

        /// A folder that nobody reads proves nothing.
        #[test]
        fn every_folder_is_read() {
            let mut known = [$($folders.as_slice()),+].concat();
            known.sort_unstable();
            let mut found: Vec<_> = entries(&root())
                .iter()
                .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

folders! {
    /// [W-2] [W-3]
    malformed_frames_are_refused_for_their_reason: ["from-relay", "operations"];
    /// [C-1] [C-5]
    malformed_cells_are_void: ["cell", "cell-plaintext"];
    /// [H-2] [H-3]
    malformed_heads_are_void: ["data"];
    /// [D-5]
    malformed_cards_are_refused_for_their_reason: ["card"];
    /// [G-4]
    malformed_credentials_are_refused_for_their_reason: ["credential"];
    /// [I-1]
    malformed_intakes_are_refused: ["intake"];
    /// [B-4]
    malformed_capsules_are_passed_over: ["capsule"];
    /// [K-1]
    what_is_not_the_one_form_of_a_value_is_refused:
        ["commit-data", "message", "reply", "terms", "waiting", "welcome-payload"];
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/malformed")
}

fn refuses(decoder: &str) {
    let files = entries(&root().join(decoder));
    assert!(!files.is_empty(), "{decoder}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (reason, hex) = text.split_once('\n').unwrap();
        let expected = reason
            .strip_prefix("# ")
            .unwrap()
            .split_once(": ")
            .unwrap()
            .0;
        let error = refusal(decoder, &parse(hex));
        assert_eq!(error.as_deref(), Some(expected), "{}", file.display());
    }
}

/// The error of a decoder, `None` where it accepts.
fn refusal(decoder: &str, bytes: &[u8]) -> Option<String> {
    match decoder {
        "operations" => error(decode_operations(bytes)),
        "from-relay" => error(decode_from_relay(bytes)),
        "capsule" => error(Capsule::from_plaintext(bytes)),
        "card" => error(
            UnverifiedCard::decode(bytes).and_then(|card| card.verify(&samples::desk()).map(drop)),
        ),
        "cell" => void(slot().open(&bytes.try_into().unwrap())),
        "cell-plaintext" => {
            let cell = Cell::try_from(vectors::seal_plaintext(bytes).as_slice()).unwrap();
            void(slot().open(&cell).and_then(|data| Data::decode(&data)))
        }
        "commit-data" => error(CommitData::decode(bytes)),
        "credential" => error(Credential::identify(
            bytes,
            &leaf_key(bytes),
            &public(samples::ROOT),
        )),
        "data" => void(Data::decode(bytes)),
        "intake" => error(Intake::from_plaintext(bytes)),
        "message" => error(cbor::decode::<Message>(bytes)),
        "reply" => error(cbor::decode::<Reply>(bytes)),
        "terms" => error(cbor::decode::<Terms>(bytes)),
        "waiting" => error(cbor::decode::<Waiting>(bytes)),
        "welcome-payload" => error(cbor::decode::<WelcomePayload>(bytes)),
        other => panic!("no decoder for {other}"),
    }
}

fn error<T, E: std::fmt::Debug>(result: Result<T, E>) -> Option<String> {
    result.err().map(|error| format!("{error:?}"))
}

fn void<T>(option: Option<T>) -> Option<String> {
    option.is_none().then(|| "Void".into())
}

/// The slot of the vector that is called `sealed`.
fn slot() -> Slot {
    Slot::derive(&ThreadSecret::from_bytes([0x4b; 32]), Kind::Message, 3, 9)
}

/// The leaf key that the unaltered credential would be of.
fn leaf_key(credential: &[u8]) -> cobijo_protocol::keys::PublicKey {
    let is_member = credential.starts_with(b"\xa1\x66member");
    public(if is_member {
        samples::ACCOMPANIER
    } else {
        samples::LEAF
    })
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn parse(hex: &str) -> Vec<u8> {
    hex.split_whitespace()
        .flat_map(|token| match token.split_once('*') {
            Some((byte, times)) => decode(byte).repeat(times.parse().unwrap()),
            None => decode(token),
        })
        .collect()
}

fn decode(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}
