//! Pictures that are shown: decoded and encoded again, so that nothing of the file but the picture is left. [F-7]
//!
//! Place, time, device, thumbnail, text, colour profile and whatever a camera writes behind the picture stay where they
//! are, with her. A browser draws on a canvas instead.

use std::io::Cursor;

use cobijo_protocol::file::FileKind;
use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngDecoder, png::PngEncoder, webp::WebPDecoder},
    imageops::FilterType,
    metadata::Orientation,
};

/// Longest side of a picture that is shown, in pixels: the text of a screenshot can be read.
pub const SHOWN_SIDE_MAX: u32 = 2048;
/// Longest side of a picture that is decoded, in pixels: far above any camera.
const SIDE_MAX: u32 = 32_768;
/// Bytes that decoding may take: 170 megapixels.
const DECODED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// JPEG quality: nobody sees a difference.
const QUALITY: u8 = 85;

/// A picture of which nothing else is left.
pub struct CleanPicture {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How they are encoded.
    pub kind: FileKind,
}

/// It can't be cleaned, so it can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no picture that can be cleaned")]
pub struct CantClean;

/// Makes a clean copy: upright, and no larger than is needed to see what it shows.
///
/// # Errors
/// [`CantClean`] for what is no JPEG, PNG or WebP, is damaged, too large, or moves: of what moves a single picture would
/// be something else.
pub fn clean(bytes: &[u8]) -> Result<CleanPicture, CantClean> {
    let format = match FileKind::of(bytes) {
        FileKind::Jpeg => ImageFormat::Jpeg,
        FileKind::Png => ImageFormat::Png,
        FileKind::Webp => ImageFormat::WebP,
        FileKind::Other => return Err(CantClean),
    };
    if moves(format, bytes)? {
        return Err(CantClean);
    }
    let picture = decode(format, bytes)?;
    let is_large = picture.width().max(picture.height()) > SHOWN_SIDE_MAX;
    let picture = if is_large {
        picture.resize(SHOWN_SIDE_MAX, SHOWN_SIDE_MAX, FilterType::CatmullRom)
    } else {
        picture
    };
    let is_sharp = format == ImageFormat::Png;
    encode(&picture, is_sharp)
}

fn moves(format: ImageFormat, bytes: &[u8]) -> Result<bool, CantClean> {
    let refuse = |_| CantClean;
    let input = Cursor::new(bytes);
    if format == ImageFormat::Png {
        let decoder = PngDecoder::with_limits(input, limits()).map_err(refuse)?;
        return decoder.is_apng().map_err(refuse);
    }
    if format == ImageFormat::WebP {
        return Ok(WebPDecoder::new(input).map_err(refuse)?.has_animation());
    }
    Ok(false)
}

fn decode(format: ImageFormat, bytes: &[u8]) -> Result<DynamicImage, CantClean> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|_| CantClean)?;
    if decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(CantClean);
    }
    // Damaged metadata says nothing of the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| CantClean)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Into new buffers, of pixels alone: what a decoder keeps beside them is not carried on.
fn encode(picture: &DynamicImage, is_sharp: bool) -> Result<CleanPicture, CantClean> {
    let mut bytes = Vec::new();
    let has_alpha = picture.color().has_alpha();
    let (kind, encoded) = if has_alpha {
        let pixels = picture.to_rgba8();
        (
            FileKind::Png,
            pixels.write_with_encoder(PngEncoder::new(&mut bytes)),
        )
    } else if is_sharp {
        let pixels = picture.to_rgb8();
        (
            FileKind::Png,
            pixels.write_with_encoder(PngEncoder::new(&mut bytes)),
        )
    } else {
        let pixels = picture.to_rgb8();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        (FileKind::Jpeg, pixels.write_with_encoder(encoder))
    };
    encoded.map_err(|_| CantClean)?;
    Ok(CleanPicture { bytes, kind })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    limits
}

#[cfg(test)]
mod tests;
