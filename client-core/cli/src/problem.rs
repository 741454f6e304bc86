//! What can go wrong in front of a person, each with one sentence that says what to do.

use cobijo_client_core::{
    core::client::{CommandError, IntakeFailure, JoinFailure, RestoreError},
    driver::{DriverError, NetworkError, TrustError},
    profile::ProfileError,
};

use crate::catalogue::Key;

/// A reason to stop with a status other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What to say.
    pub(crate) key: Key,
    /// Whether nothing more can be done in this process.
    pub(crate) is_fatal: bool,
}

impl From<Key> for Problem {
    fn from(key: Key) -> Self {
        Self {
            key,
            is_fatal: false,
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        Self::from(match error {
            CommandError::AtCapacity => Key::AtCapacity,
            CommandError::Alias => Key::BadAlias,
            CommandError::AliasTaken => Key::AliasTaken,
            CommandError::CardTooLarge => Key::CardTooLarge,
            CommandError::Changed => Key::Changed,
            CommandError::ColleagueUnavailable => Key::ColleagueUnavailable,
            CommandError::FileExpired => Key::FileOver,
            CommandError::FileGone => Key::FileCantBeHad,
            CommandError::HoldsRootKey => Key::RootKeyHere,
            CommandError::InRoom => Key::InRoomAlready,
            CommandError::InUse => Key::InUse,
            CommandError::InviteExpired => Key::JoinExpired,
            CommandError::LastCoordinator => Key::LastCoordinator,
            CommandError::NamingBuddy => Key::NamingBuddy,
            CommandError::NewerSummary => Key::NewerSummary,
            CommandError::NoSummary => Key::NoSummary,
            CommandError::NotFitting => Key::NotFitting,
            CommandError::SummaryTooLong => Key::SummaryTooLong,
            CommandError::NobodyYet => Key::NobodyYet,
            CommandError::NotFacilitator => Key::NotFacilitator,
            CommandError::NotCoordinator => Key::NotCoordinator,
            CommandError::NotMember => Key::NotMember,
            CommandError::NotOnShift => Key::NotOnShift,
            CommandError::NotNow => Key::NotNow,
            CommandError::RootElsewhere => Key::RootElsewhere,
            CommandError::Stopped => Key::Stopped,
            CommandError::TooMany => Key::TooMany,
            CommandError::TooLong => Key::TooLong,
            CommandError::Unknown => Key::Unknown,
            CommandError::WrongRoot => Key::WrongRoot,
            CommandError::Yourself => Key::Yourself,
        })
    }
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        Self::from(match error {
            ProfileError::Damaged => Key::ProfileDamaged,
            ProfileError::FullDisk => Key::FullDisk,
            ProfileError::Io(_) => Key::ProfileIo,
            ProfileError::Newer => Key::ProfileNewer,
            ProfileError::NotPermitted => Key::ProfileNotPermitted,
            ProfileError::Random => Key::NoRandom,
            ProfileError::Taken => Key::ProfileTaken,
            ProfileError::TooLarge => Key::ProfileTooLarge,
            ProfileError::WrongPassphrase => Key::WrongPassphrase,
        })
    }
}

impl From<RestoreError> for Problem {
    fn from(error: RestoreError) -> Self {
        Self::from(match error {
            RestoreError::Malformed => Key::ProfileDamaged,
            RestoreError::Version => Key::ProfileNewer,
        })
    }
}

impl From<DriverError> for Problem {
    fn from(error: DriverError) -> Self {
        let problem = match error {
            DriverError::Profile(error) => Self::from(error),
            DriverError::Random => Self::from(Key::NoRandom),
        };
        Self {
            is_fatal: true,
            ..problem
        }
    }
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        Self::from(match error {
            TrustError::Unreadable(_) => Key::TrustUnreadable,
            TrustError::NoCertificate => Key::TrustEmpty,
        })
    }
}

impl From<NetworkError> for Problem {
    fn from(error: NetworkError) -> Self {
        Self::from(match error {
            NetworkError::Busy => Key::RelayBusy,
            NetworkError::CertificateExpired => Key::CertificateExpired,
            NetworkError::CertificateName => Key::CertificateName,
            NetworkError::CertificateUntrusted => Key::CertificateUntrusted,
            NetworkError::Lost => Key::ConnectionLost,
            NetworkError::NotRelay => Key::NotRelay,
            NetworkError::OtherVersion => Key::OtherVersion,
            NetworkError::Proxy => Key::ProxyFailed,
            NetworkError::Refused => Key::RelayRefused,
            NetworkError::Tls => Key::NoTls,
            NetworkError::UnknownHost => Key::UnknownHost,
            NetworkError::Unreachable => Key::RelayUnreachable,
        })
    }
}

impl From<IntakeFailure> for Problem {
    fn from(failure: IntakeFailure) -> Self {
        Self::from(match failure {
            IntakeFailure::NoDesk => Key::NoDesk,
            IntakeFailure::BadCard => Key::BadCard,
            IntakeFailure::Full => Key::MailboxFull,
            IntakeFailure::Unreachable => Key::RelayUnreachable,
        })
    }
}

impl From<JoinFailure> for Problem {
    fn from(failure: JoinFailure) -> Self {
        Self::from(match failure {
            JoinFailure::Expired => Key::JoinExpired,
            JoinFailure::Used => Key::JoinUsed,
            JoinFailure::NoWelcome => Key::JoinNoWelcome,
        })
    }
}
