//! A profile on disk: one folder with one sealed file, for one process at a time.
//!
//! The folder holds `state` (sealed), `state.new` (what a crash may leave of the next one), `lock`, and `kept` with
//! the parts of files. No name tells what it is for, and sizes grow in steps of 64 KiB.

mod file;
mod parts;
mod seal;

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use self::seal::{Sealer, Strength, UnsealError};

const STATE_FILE: &str = "state";
const STATE_FILE_NEW: &str = "state.new";
const LOCK_FILE: &str = "lock";

/// Bytes of a sealed state that are written and read at most: far above any profile.
const STATE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A profile's folder, locked: nobody else may have it until this is dropped.
pub struct ProfileFolder {
    path: PathBuf,
    _lock: File,
}

/// A profile that was opened: its key was derived once, for as long as the process lives.
pub struct Profile {
    folder: ProfileFolder,
    sealer: Sealer,
}

/// Why a profile can't be used. Nothing in it has changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Its file is not as it was written.
    #[error("damaged profile")]
    Damaged,
    /// The disk is full, or a quota is used up.
    #[error("full disk")]
    FullDisk,
    /// The operating system refused.
    #[error("profile that can't be read or written")]
    Io(#[from] io::Error),
    /// A newer program wrote it.
    #[error("profile of a newer version")]
    Newer,
    /// Its folder or file may not be read or written.
    #[error("profile without permission")]
    NotPermitted,
    /// The system gave no random numbers.
    #[error("no random numbers")]
    Random,
    /// It holds more than could be opened again.
    #[error("profile that is too large")]
    TooLarge,
    /// Another process uses it.
    #[error("profile in use by another process")]
    Taken,
    /// The passphrase is another one.
    #[error("wrong passphrase")]
    WrongPassphrase,
}

impl ProfileFolder {
    /// Takes a folder, and makes it where there is none.
    ///
    /// # Errors
    /// [`ProfileError::Taken`] while another process has it.
    pub fn take(path: &Path) -> Result<Self, ProfileError> {
        file::create_folder(path).map_err(refine)?;
        let lock = file::lock(&path.join(LOCK_FILE)).map_err(refine)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock.ok_or(ProfileError::Taken)?,
        })
    }

    /// Whether nothing was ever saved here.
    pub fn is_new(&self) -> bool {
        !self.path.join(STATE_FILE).exists()
    }

    /// Seals a first state with a new passphrase. Takes about a quarter of a second.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn create(self, passphrase: &[u8], state: &[u8]) -> Result<Profile, ProfileError> {
        self.create_with(passphrase, state, Strength::DEFAULT)
    }

    /// Opens what was saved. Takes about a quarter of a second.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn open(self, passphrase: &[u8]) -> Result<(Profile, Zeroizing<Vec<u8>>), ProfileError> {
        let sealed = file::read(&self.path.join(STATE_FILE), STATE_BYTES_MAX).map_err(|error| {
            if error.kind() == ErrorKind::FileTooLarge {
                ProfileError::Damaged
            } else {
                refine(error)
            }
        })?;
        let (sealer, state) = Sealer::unseal(passphrase, &sealed)?;
        Ok((
            Profile {
                folder: self,
                sealer,
            },
            state,
        ))
    }

    fn create_with(
        self,
        passphrase: &[u8],
        state: &[u8],
        strength: Strength,
    ) -> Result<Profile, ProfileError> {
        let sealer = Sealer::new(passphrase, random()?, strength)?;
        let profile = Profile {
            folder: self,
            sealer,
        };
        profile.save(state)?;
        Ok(profile)
    }
}

impl Profile {
    /// Replaces what was saved. When this returns, it is durable; when it fails, or the machine does,
    /// what was saved before is still there.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn save(&self, state: &[u8]) -> Result<(), ProfileError> {
        let sealed = self.sealer.seal(state, random()?)?;
        // What could not be opened again must not replace what can be.
        check_len(sealed.len())?;
        let path = &self.folder.path;
        file::replace(path, STATE_FILE_NEW, STATE_FILE, &sealed).map_err(refine)
    }
}

impl From<UnsealError> for ProfileError {
    fn from(error: UnsealError) -> Self {
        match error {
            UnsealError::Damaged => Self::Damaged,
            UnsealError::Newer => Self::Newer,
            UnsealError::WrongPassphrase => Self::WrongPassphrase,
        }
    }
}

fn check_len(len: usize) -> Result<(), ProfileError> {
    let fits = u64::try_from(len).is_ok_and(|len| len <= STATE_BYTES_MAX);
    fits.then_some(()).ok_or(ProfileError::TooLarge)
}

fn random<const N: usize>() -> Result<[u8; N], ProfileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ProfileError::Random)?;
    Ok(bytes)
}

/// Tells apart what a person can do something about.
fn refine(error: io::Error) -> ProfileError {
    let kind = error.kind();
    if [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&kind) {
        ProfileError::FullDisk
    } else if [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem].contains(&kind) {
        ProfileError::NotPermitted
    } else {
        ProfileError::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn what_was_saved_last_is_what_opens() {
        let home = tempfile::tempdir().unwrap();
        let profile = create(home.path(), b"first");
        profile.save(b"second").unwrap();
        drop(profile);
        assert_eq!(open(home.path(), b"words").unwrap().1.as_slice(), b"second");
    }

    #[test]
    fn a_second_process_is_refused_until_the_first_has_gone() {
        let home = tempfile::tempdir().unwrap();
        let profile = create(home.path(), b"state");
        assert!(matches!(
            ProfileFolder::take(home.path()),
            Err(ProfileError::Taken)
        ));
        drop(profile);
        assert!(ProfileFolder::take(home.path()).is_ok());
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_damage_and_loses_nothing() {
        let home = tempfile::tempdir().unwrap();
        drop(create(home.path(), b"state"));
        let wrong = open(home.path(), b"other words");
        assert!(matches!(wrong, Err(ProfileError::WrongPassphrase)));
        assert!(open(home.path(), b"words").is_ok());
    }

    #[test]
    fn a_changed_byte_anywhere_is_damage_and_never_a_panic() {
        let home = tempfile::tempdir().unwrap();
        drop(create(home.path(), b"state"));
        let file = home.path().join(STATE_FILE);
        let sealed = fs::read(&file).unwrap();
        for at in (0..sealed.len()).step_by(4_001).chain(0..120) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            let opened = open(home.path(), b"words");
            assert!(
                matches!(opened, Err(ProfileError::Damaged | ProfileError::Newer)),
                "byte {at}"
            );
        }
        for len in [0, 1, 50, 100, sealed.len() - 1] {
            fs::write(&file, &sealed[..len]).unwrap();
            assert!(matches!(
                open(home.path(), b"words"),
                Err(ProfileError::Damaged)
            ));
        }
    }

    #[test]
    fn a_write_that_a_crash_cut_short_leaves_the_one_before() {
        let home = tempfile::tempdir().unwrap();
        let profile = create(home.path(), b"before");
        fs::write(home.path().join(STATE_FILE_NEW), b"half of a st").unwrap();
        drop(profile);
        let (profile, state) = open(home.path(), b"words").unwrap();
        assert_eq!(state.as_slice(), b"before");
        profile.save(b"after").unwrap();
        drop(profile);
        assert_eq!(open(home.path(), b"words").unwrap().1.as_slice(), b"after");
    }

    #[test]
    fn a_write_that_fails_loses_nothing() {
        let home = tempfile::tempdir().unwrap();
        let profile = create(home.path(), b"before");
        // A folder in the way makes the write fail for every user, root included.
        fs::create_dir(home.path().join(STATE_FILE_NEW)).unwrap();
        assert!(profile.save(b"after").is_err());
        drop(profile);
        assert_eq!(open(home.path(), b"words").unwrap().1.as_slice(), b"before");
    }

    #[test]
    fn only_the_owner_may_read_it_and_its_size_tells_little() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("profile");
        let profile = create(&path, b"short");
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(STATE_FILE)), 0o600);
        assert_eq!(mode(&path.join(LOCK_FILE)), 0o600);
        let len = || fs::metadata(path.join(STATE_FILE)).unwrap().len();
        let before = len();
        profile.save(&[7; 9_000]).unwrap();
        assert_eq!(len(), before);
    }

    #[test]
    fn what_could_not_be_opened_again_is_not_saved() {
        let most = usize::try_from(STATE_BYTES_MAX).unwrap();
        assert!(check_len(most).is_ok());
        assert!(matches!(check_len(most + 1), Err(ProfileError::TooLarge)));
    }

    #[test]
    fn a_full_disk_and_a_missing_permission_are_told_apart() {
        let kind = |kind: ErrorKind| refine(io::Error::from(kind));
        assert!(matches!(
            kind(ErrorKind::StorageFull),
            ProfileError::FullDisk
        ));
        assert!(matches!(
            kind(ErrorKind::PermissionDenied),
            ProfileError::NotPermitted
        ));
        assert!(matches!(
            kind(ErrorKind::NotADirectory),
            ProfileError::Io(_)
        ));
    }

    fn create(path: &Path, state: &[u8]) -> Profile {
        let folder = ProfileFolder::take(path).unwrap();
        assert!(folder.is_new());
        folder
            .create_with(b"words", state, Strength::LEAST)
            .unwrap()
    }

    fn open(path: &Path, passphrase: &[u8]) -> Result<(Profile, Zeroizing<Vec<u8>>), ProfileError> {
        ProfileFolder::take(path).unwrap().open(passphrase)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
