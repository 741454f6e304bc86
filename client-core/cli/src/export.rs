//! A sealed copy taken out: a zip that can be checked without this program.

use std::io::{Cursor, Write as _};

use cobijo_client_core::core::client::FileView;
use cobijo_protocol::file::{FileKind, Millis};
use data_encoding::HEXLOWER;
use serde_json::json;
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    catalogue::{Key, Language, fill},
    render::files::date,
};

/// Version of the manifest's form.
const MANIFEST_VERSION: u32 = 1;
/// Whoever has the zip reads it; nobody else on this machine does.
const PERMISSIONS: u32 = 0o600;

/// What is taken out.
pub(crate) struct Copy<'a> {
    /// The original bytes.
    pub(crate) bytes: &'a [u8],
    /// What was said of them.
    pub(crate) file: &'a FileView,
    /// When this side sent it, or learnt of it.
    pub(crate) told: Option<Millis>,
    /// Now.
    pub(crate) exported: Millis,
}

/// The original as it was, its manifest, its fingerprint as `sha256sum` reads it, and how to check it.
pub(crate) fn zip(copy: &Copy<'_>) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(PERMISSIONS);
    let name = name(copy.file.kind);
    let sum = HEXLOWER.encode(copy.file.sha256.as_bytes());
    let how = |language| fill(Key::ExportHow.text(language), &[name, &sum]);
    let sums = format!("{sum}  {name}\n");
    let entries = [
        (name, copy.bytes),
        ("manifest.json", &*manifest(copy, name).into_bytes()),
        ("SHA256SUMS", sums.as_bytes()),
        ("LEEME.txt", how(Language::Es).as_bytes()),
        ("README.txt", how(Language::En).as_bytes()),
    ]
    .map(|(name, bytes)| (name, bytes.to_vec()));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn manifest(copy: &Copy<'_>, name: &str) -> String {
    let file = copy.file;
    let told = copy.told.map(date);
    let (sent, received) = if file.own { (told, None) } else { (None, told) };
    let manifest = json!({
        "manifest": MANIFEST_VERSION,
        "app": "cobijo",
        "version": env!("CARGO_PKG_VERSION"),
        "file": {
            "name": name,
            "size": file.size,
            "sha256": HEXLOWER.encode(file.sha256.as_bytes()),
            "kind": file.kind,
            "label": file.label,
        },
        "times": {
            "taken": date(file.taken),
            "sent": sent,
            "received": received,
            "exported": date(copy.exported),
        },
    });
    format!("{manifest:#}\n")
}

/// The name that it has on her device was never told.
fn name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Jpeg => "original.jpg",
        FileKind::Png => "original.png",
        FileKind::Webp => "original.webp",
        FileKind::Other => "original.bin",
    }
}
