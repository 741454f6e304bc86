//! Which of openmls's errors are the same for every member, and which may be only mine.
//!
//! The matches below are all of it, for openmls 0.9.2. A wrong entry forks groups: *void* must be a pure
//! function of group state and bytes; whatever may depend on the reader is *broken for me*. [G-8]

use openmls::group::{ProcessMessageError, PublicProcessMessageError, StageCommitError};
use openmls::prelude::ApplyUpdatePathError;

/// Whether everyone refuses, or perhaps only this member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The same for everyone.
    Void,
    /// Perhaps only for this member.
    Broken,
}

/// Of [`PublicGroup::process_message`](openmls::prelude::PublicGroup::process_message), before the policy.
pub(crate) fn of_public(error: &PublicProcessMessageError) -> Fault {
    if is_library_error(error) {
        return Fault::Broken;
    }
    match error {
        PublicProcessMessageError::InvalidCommit(error) => of_commit(error),
        PublicProcessMessageError::LibraryError(_) => Fault::Broken,
        PublicProcessMessageError::IncompatibleWireFormat
        | PublicProcessMessageError::ValidationError(_)
        | PublicProcessMessageError::UnauthorizedExternalApplicationMessage
        | PublicProcessMessageError::UnauthorizedExternalCommitMessage
        | PublicProcessMessageError::UnsupportedProposalType => Fault::Void,
    }
}

/// Of [`MlsGroup::process_message`](openmls::prelude::MlsGroup::process_message), after the policy.
pub(crate) fn of_private<E: std::fmt::Debug>(error: &ProcessMessageError<E>) -> Fault {
    if is_library_error(error) {
        return Fault::Broken;
    }
    match error {
        ProcessMessageError::InvalidCommit(error) => of_commit(error),
        ProcessMessageError::LibraryError(_)
        | ProcessMessageError::StorageError(_)
        | ProcessMessageError::GroupStateError(_) => Fault::Broken,
        ProcessMessageError::IncompatibleWireFormat
        | ProcessMessageError::ValidationError(_)
        | ProcessMessageError::UnauthorizedExternalApplicationMessage
        | ProcessMessageError::UnauthorizedExternalCommitMessage
        | ProcessMessageError::UnsupportedProposalType => Fault::Void,
    }
}

fn of_commit(error: &StageCommitError) -> Fault {
    match error {
        StageCommitError::UpdatePathError(error) => of_path(error),
        StageCommitError::LibraryError(_)
        | StageCommitError::OwnCommitMismatch
        | StageCommitError::OwnKeyNotFound
        | StageCommitError::MissingDecryptionKey => Fault::Broken,
        StageCommitError::EpochMismatch
        | StageCommitError::WrongPlaintextContentType
        | StageCommitError::PathLeafNodeVerificationFailure
        | StageCommitError::RequiredPathNotFound
        | StageCommitError::ConfirmationTagMissing
        | StageCommitError::ConfirmationTagMismatch
        | StageCommitError::AttemptedSelfRemoval
        | StageCommitError::MissingProposal
        | StageCommitError::InconsistentSenderIndex
        | StageCommitError::SenderTypeExternal
        | StageCommitError::SenderTypeNewMemberProposal
        | StageCommitError::TooManyNewMembers
        | StageCommitError::ProposalValidationError(_)
        | StageCommitError::PskError(_)
        | StageCommitError::ExternalCommitValidation(_)
        | StageCommitError::VerifiedUpdatePathError(_)
        | StageCommitError::GroupContextExtensionsProposalValidationError(_)
        | StageCommitError::LeafNodeValidation(_)
        | StageCommitError::DuplicatePskId(_) => Fault::Void,
    }
}

fn of_path(error: &ApplyUpdatePathError) -> Fault {
    match error {
        ApplyUpdatePathError::PathLengthMismatch
        | ApplyUpdatePathError::ParentHashMismatch
        | ApplyUpdatePathError::MissingParentHash
        | ApplyUpdatePathError::MissingSender
        | ApplyUpdatePathError::TreeFull
        | ApplyUpdatePathError::InconsistentSenderIndex => Fault::Void,
        ApplyUpdatePathError::LibraryError(_)
        | ApplyUpdatePathError::PathMismatch
        | ApplyUpdatePathError::UnableToDecrypt
        | ApplyUpdatePathError::MissingOwnLeaf
        | ApplyUpdatePathError::MissingCiphertext => Fault::Broken,
    }
}

/// A `LibraryError` at any depth: openmls nests them in many types, but they all print their name. What an
/// error quotes is a text, which a peer may have written, and no name.
fn is_library_error(error: &impl std::fmt::Debug) -> bool {
    unquoted(&format!("{error:?}")).contains("LibraryError")
}

/// What stands outside of quoted strings, as `Debug` writes them.
fn unquoted(text: &str) -> String {
    let mut outside = String::new();
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in text.chars() {
        match character {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ if !is_quoted => outside.push(character),
            _ => {}
        }
        is_escaped = is_quoted && !is_escaped && character == '\\';
    }
    outside
}

/// Of a message slot: whatever doesn't decrypt is void; only a state that can't be read is not.
pub(crate) fn of_message<E>(error: &ProcessMessageError<E>) -> Fault {
    match error {
        ProcessMessageError::StorageError(_) | ProcessMessageError::GroupStateError(_) => {
            Fault::Broken
        }
        ProcessMessageError::LibraryError(_)
        | ProcessMessageError::InvalidCommit(_)
        | ProcessMessageError::IncompatibleWireFormat
        | ProcessMessageError::ValidationError(_)
        | ProcessMessageError::UnauthorizedExternalApplicationMessage
        | ProcessMessageError::UnauthorizedExternalCommitMessage
        | ProcessMessageError::UnsupportedProposalType => Fault::Void,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(error: ApplyUpdatePathError) -> Fault {
        of_commit(&StageCommitError::UpdatePathError(error))
    }

    /// [G-8]
    #[test]
    fn what_only_the_reader_can_not_decrypt_stops_her_and_voids_nothing() {
        for error in [
            ApplyUpdatePathError::UnableToDecrypt,
            ApplyUpdatePathError::PathMismatch,
            ApplyUpdatePathError::MissingCiphertext,
            ApplyUpdatePathError::MissingOwnLeaf,
        ] {
            assert_eq!(path(error), Fault::Broken);
        }
        assert_eq!(of_commit(&StageCommitError::OwnKeyNotFound), Fault::Broken);
    }

    /// [G-8]
    #[test]
    fn what_everyone_refuses_alike_is_void() {
        for error in [
            ApplyUpdatePathError::PathLengthMismatch,
            ApplyUpdatePathError::ParentHashMismatch,
        ] {
            assert_eq!(path(error), Fault::Void);
        }
        for error in [
            StageCommitError::ConfirmationTagMismatch,
            StageCommitError::RequiredPathNotFound,
            StageCommitError::EpochMismatch,
        ] {
            assert_eq!(of_commit(&error), Fault::Void);
        }
        let wire_format = PublicProcessMessageError::IncompatibleWireFormat;
        assert_eq!(of_public(&wire_format), Fault::Void);
    }

    /// [G-8]
    #[test]
    fn a_fault_of_the_library_is_seen_at_any_depth() {
        // openmls makes none on demand: what counts is the name that it prints.
        #[derive(Debug)]
        struct LibraryError;
        #[derive(Debug)]
        struct Nested<T>(T);
        assert!(is_library_error(&Nested(Nested(LibraryError))));
        assert!(!is_library_error(&Nested("other")));
        for written in ["LibraryError", "a\" LibraryError \"", "\\\" LibraryError"] {
            assert!(
                !is_library_error(&Nested(written)),
                "a peer's text is no fault"
            );
            assert!(is_library_error(&(Nested(written), LibraryError)));
        }
    }
}
