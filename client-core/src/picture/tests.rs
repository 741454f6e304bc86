//! Real pictures, made here, with all that a phone writes into them.

use image::{GenericImageView as _, Rgb, RgbImage, Rgba, RgbaImage, codecs::webp::WebPEncoder};

use super::*;

/// Latitude in degrees, minutes and seconds, as EXIF writes it; found in no picture by chance.
const LATITUDE: [u32; 6] = [19, 1, 25, 1, 57_913, 1_000];
const DEVICE: &[u8] = b"Zarzamora Phone X\0";
const TRAILING: &[u8] = b"MotionPhoto golondrina";
const COMMENT: &[u8] = b"en casa de Ana";

/// Left half red, right half blue: so it is seen which way is up.
fn pixels(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 {
            Rgb([250, 10, 10])
        } else {
            Rgb([10, 10, 250])
        }
    })
}

/// A TIFF structure with device, orientation and place.
fn exif(orientation: u16) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut entry = [tag.to_be_bytes(), kind.to_be_bytes()].concat();
        entry.extend(count.to_be_bytes());
        entry.extend(value.to_be_bytes());
        entry
    };
    let (device_at, gps_at) = (8 + 2 + 3 * 12 + 4, 8 + 2 + 3 * 12 + 4 + DEVICE.len() as u32);
    let latitude_at = gps_at + 2 + 2 * 12 + 4;
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    tiff.extend(3_u16.to_be_bytes());
    tiff.extend(entry(0x0110, 2, DEVICE.len() as u32, device_at));
    tiff.extend(entry(0x0112, 3, 1, u32::from(orientation) << 16));
    tiff.extend(entry(0x8825, 4, 1, gps_at));
    tiff.extend(0_u32.to_be_bytes());
    tiff.extend(DEVICE);
    tiff.extend(2_u16.to_be_bytes());
    tiff.extend(entry(0x0001, 2, 2, u32::from_be_bytes(*b"N\0\0\0")));
    tiff.extend(entry(0x0002, 5, 3, latitude_at));
    tiff.extend(0_u32.to_be_bytes());
    tiff.extend(place());
    tiff
}

fn place() -> Vec<u8> {
    LATITUDE
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// As a phone writes it: place, device and orientation, a comment, and a film behind it.
fn photo(width: u32, height: u32, orientation: u16) -> Vec<u8> {
    let mut plain = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut plain, 90);
    pixels(width, height).write_with_encoder(encoder).unwrap();
    let segment = |marker: u8, data: &[u8]| {
        let len = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], len.as_slice(), data].concat()
    };
    let exif = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
    let (start, rest) = plain.split_at(2);
    [
        start,
        &segment(0xe1, &exif),
        &segment(0xfe, COMMENT),
        rest,
        TRAILING,
    ]
    .concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn opened(clean: &CleanPicture) -> DynamicImage {
    image::load_from_memory(&clean.bytes).unwrap()
}

fn is_red(picture: &DynamicImage, x: u32, y: u32) -> bool {
    let pixel = picture.get_pixel(x, y).0;
    pixel[0] > 150 && pixel[2] < 100
}

/// [F-7]
#[test]
fn nothing_of_a_photo_is_left_but_the_picture_upright() {
    let photo = photo(300, 200, 6);
    let hidden = [&place(), DEVICE, TRAILING, COMMENT, b"Exif"];
    for part in hidden {
        assert!(holds(&photo, part), "the photo has it");
    }
    let clean = clean(&photo).unwrap();
    assert_eq!(clean.kind, FileKind::Jpeg);
    for part in hidden {
        assert!(!holds(&clean.bytes, part));
    }
    // No segment of an application but JFIF's, no comment, and nothing behind the end.
    assert!(clean.bytes.ends_with(&[0xff, 0xd9]));
    for marker in (0xe1..=0xef).chain([0xfe]) {
        let head = &clean.bytes[..clean.bytes.len().min(600)];
        assert!(!holds(head, &[0xff, marker]), "{marker:x}");
    }
    // Turned by a quarter to the right: what was left is above.
    let picture = opened(&clean);
    assert_eq!((picture.width(), picture.height()), (200, 300));
    assert!(is_red(&picture, 100, 20) && !is_red(&picture, 100, 280));
}

#[test]
fn what_is_cleaned_again_is_as_clean_and_no_larger_than_is_shown() {
    let clean_once = clean(&photo(SHOWN_SIDE_MAX + 200, 100, 1)).unwrap();
    let picture = opened(&clean_once);
    assert_eq!(picture.width(), SHOWN_SIDE_MAX);
    assert!(is_red(&picture, 10, 10));
    assert!(clean(&clean_once.bytes).is_ok());
}

/// [F-7]
#[test]
fn a_screenshot_keeps_its_pixels_and_loses_its_texts() {
    let mut png = Vec::new();
    let shot = pixels(64, 48);
    shot.write_with_encoder(PngEncoder::new(&mut png)).unwrap();
    // A text chunk behind the header; its checksum is not looked at by whoever only passes it on.
    let text = [b"tEXt".as_slice(), b"Comment\0", COMMENT].concat();
    let len = u32::try_from(text.len() - 4).unwrap().to_be_bytes();
    let crc = crc32(&text).to_be_bytes();
    let chunk = [len.as_slice(), &text, &crc].concat();
    let png = [&png[..33], &chunk, &png[33..], TRAILING].concat();
    let clean = clean(&png).unwrap();
    assert_eq!(clean.kind, FileKind::Png);
    assert!(!holds(&clean.bytes, COMMENT) && !holds(&clean.bytes, TRAILING));
    assert!(opened(&clean).to_rgb8() == shot);
}

#[test]
fn webp_becomes_what_every_program_opens_and_what_is_clear_stays_clear() {
    let mut solid = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut solid);
    pixels(64, 48).write_with_encoder(encoder).unwrap();
    assert_eq!(clean(&solid).unwrap().kind, FileKind::Jpeg);
    let mut clear = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut clear);
    let pixels = RgbaImage::from_pixel(32, 32, Rgba([10, 20, 30, 40]));
    pixels.write_with_encoder(encoder).unwrap();
    let clear = clean(&clear).unwrap();
    assert_eq!(clear.kind, FileKind::Png);
    assert_eq!(opened(&clear).get_pixel(3, 3).0, [10, 20, 30, 40]);
}

#[test]
fn what_is_damaged_too_large_or_no_picture_is_not_shown() {
    let photo = photo(300, 200, 1);
    let mut wide = photo.clone();
    let frame = wide.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    wide[frame + 5..frame + 9].fill(0xff);
    let refused = [
        &b""[..],
        b"GIF89a a picture that moves",
        b"%PDF-1.7",
        &photo[..300],
        &wide,
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBPVP8X",
    ];
    for bytes in refused {
        assert!(clean(bytes).is_err());
    }
}

#[test]
fn whatever_is_changed_in_a_picture_it_is_cleaned_or_refused() {
    let photo = photo(40, 30, 6);
    for at in 0..photo.len() {
        let mut changed = photo.clone();
        changed[at] ^= 0xff;
        let _whichever = clean(&changed);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
