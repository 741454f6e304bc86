//! Looks for what must not be there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

/// Something to look for.
#[derive(Debug, Clone)]
pub struct Needle {
    what: String,
    forms: Vec<Vec<u8>>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub what: String,
    /// Where it lies.
    pub file: PathBuf,
}

impl Needle {
    /// A text, as it is.
    pub fn text(text: &str) -> Self {
        Self {
            what: text.to_owned(),
            forms: vec![text.as_bytes().to_vec()],
        }
    }

    /// Bytes, as they are and as they would be printed.
    pub fn bytes(what: &str, bytes: &[u8]) -> Self {
        let printed = [
            HEXLOWER.encode(bytes),
            BASE64.encode(bytes),
            BASE64URL_NOPAD.encode(bytes),
        ];
        let forms = printed.into_iter().map(String::into_bytes);
        Self {
            what: what.to_owned(),
            forms: forms.chain([bytes.to_vec()]).collect(),
        }
    }
}

/// Reads every file below a folder, and its name.
pub fn search(folder: &Path, needles: &[Needle]) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            findings.extend(search(&path, needles)?);
            continue;
        }
        let mut bytes = fs::read(&path)?;
        bytes.extend(path.to_string_lossy().as_bytes());
        for needle in needles {
            if needle.forms.iter().any(|form| contains(&bytes, form)) {
                findings.push(Finding {
                    what: needle.what.clone(),
                    file: path.clone(),
                });
            }
        }
    }
    Ok(findings)
}

fn contains(bytes: &[u8], form: &[u8]) -> bool {
    let Some((first, rest)) = form.split_first() else {
        return false;
    };
    let starts = bytes.iter().enumerate().filter(|&(_, byte)| byte == first);
    starts
        .map(|(at, _)| at + 1)
        .any(|at| bytes[at..].starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        let file = folder.path().join("deep/file");
        let needles = [
            Needle::text("hola"),
            Needle::bytes("key", &[1, 2, 250, 255]),
        ];
        for form in [
            &b"..hola"[..],
            b"0102faff!",
            &[0, 1, 2, 250, 255, 0],
            b"nothing",
        ] {
            fs::write(&file, form).unwrap();
            let found = search(folder.path(), &needles).unwrap().len();
            assert_eq!(found, usize::from(form != b"nothing"));
        }
    }
}
