//! Parts of files beside the state: sealed with the same key, each under a random name.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::PathBuf};

use zeroize::Zeroizing;

use super::{Profile, ProfileError, file, random, refine};
use crate::core::client::FileId;

const FOLDER: &str = "kept";
/// What a crash may leave of a part.
const NEW: &str = "new";
/// Bytes of a sealed part at most: far above any.
const PART_BYTES_MAX: u64 = 1024 * 1024;

impl Profile {
    /// Keeps a part of a file. When this returns, it is durable.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn keep_part(&self, file: FileId, part: u32, bytes: &[u8]) -> Result<(), ProfileError> {
        let name = name(file, part);
        let sealed = self.sealer.seal_part(&name, bytes, random()?)?;
        let folder = self.parts();
        file::create_folder(&folder).map_err(refine)?;
        file::replace(&folder, NEW, &name, &sealed).map_err(refine)
    }

    /// Reads a part of a file; nothing where it is lost or damaged.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn read_part(
        &self,
        file: FileId,
        part: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ProfileError> {
        let name = name(file, part);
        let sealed = match file::read(&self.parts().join(&name), PART_BYTES_MAX) {
            Ok(sealed) => sealed,
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::FileTooLarge].contains(&error.kind()) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(refine(error)),
        };
        Ok(self.sealer.unseal_part(&name, &sealed).ok())
    }

    /// Forgets all parts of a file.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn drop_file(&self, file: FileId) -> Result<(), ProfileError> {
        self.drop_parts(|name| name.starts_with(&prefix(file)))
    }

    /// Forgets the parts of all files but these: a crash may have come before they were dropped, or before
    /// anything told what they were for.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn keep_only(&self, files: &BTreeSet<FileId>) -> Result<(), ProfileError> {
        let known: Vec<_> = files.iter().map(|file| prefix(*file)).collect();
        self.drop_parts(|name| !known.iter().any(|prefix| name.starts_with(prefix)))
    }

    fn drop_parts(&self, is_dropped: impl Fn(&str) -> bool) -> Result<(), ProfileError> {
        let entries = match fs::read_dir(self.parts()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(refine(error)),
        };
        for entry in entries {
            let entry = entry.map_err(refine)?;
            if is_dropped(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(refine)?;
            }
        }
        Ok(())
    }

    fn parts(&self) -> PathBuf {
        self.folder.path.join(FOLDER)
    }
}

fn prefix(file: FileId) -> String {
    use std::fmt::Write as _;
    let mut prefix = String::new();
    for byte in file.as_bytes() {
        let _never_fails = write!(prefix, "{byte:02x}");
    }
    prefix.push('-');
    prefix
}

fn name(file: FileId, part: u32) -> String {
    format!("{}{part}", prefix(file))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::{ProfileFolder, seal::Strength},
        *,
    };

    const FILES: [FileId; 2] = [FileId::from_bytes([1; 16]), FileId::from_bytes([2; 16])];

    fn profile(home: &Path) -> Profile {
        let folder = ProfileFolder::take(home).unwrap();
        folder
            .create_with(b"words", b"state", Strength::LEAST)
            .unwrap()
    }

    fn read(profile: &Profile, file: usize, part: u32) -> Option<Vec<u8>> {
        let part = profile.read_part(FILES[file], part).unwrap();
        part.map(|part| part.to_vec())
    }

    fn paths(home: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(home.join(FOLDER)).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn a_part_comes_back_after_a_restart_and_stands_nowhere_in_the_clear() {
        let home = tempfile::tempdir().unwrap();
        let kept = profile(home.path());
        kept.keep_part(FILES[0], 7, b"zarzamora").unwrap();
        drop(kept);
        let folder = ProfileFolder::take(home.path()).unwrap();
        let (profile, _) = folder.open(b"words").unwrap();
        assert_eq!(read(&profile, 0, 7).unwrap(), b"zarzamora");
        assert_eq!(read(&profile, 0, 6), None);
        for path in paths(home.path()) {
            let sealed = fs::read(path).unwrap();
            assert!(!sealed.windows(9).any(|part| part == b"zarzamora"));
        }
    }

    #[test]
    fn a_part_that_was_changed_or_moved_is_lost_and_passes_for_no_other() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        profile.keep_part(FILES[0], 0, b"uno").unwrap();
        profile.keep_part(FILES[1], 0, b"dos").unwrap();
        let [one, other] = paths(home.path()).try_into().unwrap();
        fs::rename(&one, &other).unwrap();
        assert_eq!((read(&profile, 0, 0), read(&profile, 1, 0)), (None, None));
        fs::copy(home.path().join("state"), &other).unwrap();
        assert_eq!(read(&profile, 1, 0), None);
        for bytes in [&b""[..], b"short"] {
            fs::write(&other, bytes).unwrap();
            assert_eq!(read(&profile, 1, 0), None);
        }
    }

    #[test]
    fn what_is_dropped_or_unknown_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let profile = profile(home.path());
        profile.drop_file(FILES[0]).unwrap();
        for (file, part) in [(0, 0), (0, 1), (1, 0)] {
            profile.keep_part(FILES[file], part, b"x").unwrap();
        }
        profile.drop_file(FILES[0]).unwrap();
        assert_eq!(paths(home.path()).len(), 1);
        fs::write(home.path().join(FOLDER).join(NEW), b"half of a part").unwrap();
        profile.keep_only(&BTreeSet::from([FILES[1]])).unwrap();
        assert_eq!(paths(home.path()).len(), 1);
        profile.keep_only(&BTreeSet::new()).unwrap();
        assert!(paths(home.path()).is_empty());
    }
}
