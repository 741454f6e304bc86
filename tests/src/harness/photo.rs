//! A photo as a phone writes it, and what is found in what came of it.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
};

use anyhow::{Context, ensure};
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use serde_json::Value;

/// Place, device and film of the photo, each found in no picture by chance.
const HIDDEN: [&[u8]; 3] = [
    b"\0\0\0\x13\0\0\0\x01\0\0\0\x19\0\0\0\x01\0\0\xe2\x39\0\0\x03\xe8",
    b"Zarzamora Phone X",
    b"MotionPhoto golondrina",
];
/// Pixels of a side: as noise that is some three megabytes.
const SIDE: u32 = 1400;
/// JPEG quality of a phone.
const QUALITY: u8 = 97;

/// A photo of three megabytes: a different one for each seed.
///
/// # Errors
/// It can't be encoded.
pub fn photo(seed: u32) -> anyhow::Result<Vec<u8>> {
    let mut noise = seed.wrapping_mul(2).wrapping_add(1);
    let pixels = RgbImage::from_fn(SIDE, SIDE, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [red, green, blue, _] = noise.to_be_bytes();
        Rgb([red, green, blue])
    });
    let mut plain = Vec::new();
    pixels.write_with_encoder(JpegEncoder::new_with_quality(&mut plain, QUALITY))?;
    let [place, device, film] = HIDDEN;
    let hidden = [b"Exif\0\0".as_slice(), place, device].concat();
    let len = u16::try_from(hidden.len() + 2)?.to_be_bytes();
    let (start, rest) = plain.split_at(2);
    let photo = [start, &[0xff, 0xe1], &len, &hidden, rest, film].concat();
    ensure!(photo.len() > 3_000_000, "{} bytes", photo.len());
    Ok(photo)
}

/// Whether a picture tells where, and by what, it was taken.
pub fn tells_where(picture: &[u8]) -> bool {
    let holds = |part: &&[u8]| picture.windows(part.len()).any(|window| window == *part);
    HIDDEN.iter().any(holds)
}

/// Unpacks an export, checks it with the system's own `sha256sum`, and returns its manifest.
///
/// # Errors
/// It is not as it should be.
pub fn check_export(zip: &Path) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut archive = zip::ZipArchive::new(File::open(zip)?)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.enclosed_name().context("name")?;
        let mut file = File::create(folder.path().join(name))?;
        std::io::copy(&mut entry, &mut file)?;
        file.flush()?;
    }
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(folder.path())
        .output()?;
    ensure!(checked.status.success(), "{checked:?}");
    for name in ["LEEME.txt", "README.txt"] {
        let how = fs::read_to_string(folder.path().join(name))?;
        ensure!(how.contains("sha256sum"), "{name}");
    }
    let manifest = fs::read(folder.path().join("manifest.json"))?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let name = manifest["file"]["name"].as_str().context("name")?;
    let original = fs::read(folder.path().join(name))?;
    let is_whole = manifest["file"]["size"] == original.len();
    ensure!(is_whole, "{manifest}");
    Ok(manifest)
}
