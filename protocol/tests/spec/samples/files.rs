//! What messages say of files.

use cobijo_protocol::{
    content::Content,
    file::{File, FileBodies, FileHash, FileKind, FileSize, Fingerprint, Millis, Way},
    slot::ThreadSecret,
};

const TAKEN: Millis = Millis::from_millis(1_795_500_000_000);

/// A file of so many bytes.
pub(crate) fn file_bodies(bytes: u64) -> FileBodies {
    FileBodies {
        size: FileSize::try_from(bytes).unwrap(),
        secret: ThreadSecret::from_bytes([0xf1; 32]),
    }
}

pub(crate) fn files() -> Vec<(&'static str, Content)> {
    let file = |way, kind, original, label: Option<&str>, bytes| {
        Content::File(Box::new(File {
            way,
            kind,
            sha256: FileHash::from_bytes([0x5a; 32]),
            original,
            taken: TAKEN,
            label: label.map(|label| label.to_owned().try_into().unwrap()),
            bodies: file_bodies(bytes),
        }))
    };
    let until = Millis::from_millis(TAKEN.millis() + 86_400_000);
    let original = FileHash::from_bytes([0x0a; 32]);
    let fingerprint = Fingerprint {
        kind: FileKind::Other,
        size: 1 << 40,
        sha256: original,
        taken: TAKEN,
        label: None,
    };
    vec![
        (
            "file, shown",
            file(
                Way::Show { until },
                FileKind::Jpeg,
                Some(original),
                None,
                3_000_000,
            ),
        ),
        (
            "file, kept",
            file(
                Way::Keep,
                FileKind::Other,
                None,
                Some("Amenaza del martes"),
                1,
            ),
        ),
        ("fingerprint", Content::Fingerprint(fingerprint)),
    ]
}
