//! Mailboxes: where strangers may drop a cell and only the owner may read. [M-1]–[M-4]

use crate::{
    fixed::byte_array,
    frame::SessionNonce,
    keys::{PublicKey, SecretKey, Signature},
};

byte_array!(
    /// An Ed25519 verifying key that names a mailbox.
    public MailboxKey, 32
);
byte_array!(
    /// Names an item in its mailbox, and says nothing else. [M-3], [M-4]
    public ItemId, 16
);

/// Label of what [`Operation::Open`](crate::frame::Operation::Open) signs.
const OPEN_LABEL: &str = "cobijo/1 open";

impl MailboxKey {
    /// The mailbox of a key pair.
    pub fn of(secret: &SecretKey) -> Self {
        Self::from_bytes(*secret.public().as_bytes())
    }

    /// Signs to open this mailbox on one connection. `host` is as dialled: lower case, no port. [M-2]
    pub fn sign_open(secret: &SecretKey, host: &str, nonce: &SessionNonce) -> Signature {
        secret.sign(OPEN_LABEL, &open_message(host, nonce, &Self::of(secret)))
    }

    /// Whether `signature` opens this mailbox on the connection of `nonce` to `host`.
    pub fn verify_open(&self, host: &str, nonce: &SessionNonce, signature: &Signature) -> bool {
        PublicKey::from_bytes(*self.as_bytes()).verify(
            OPEN_LABEL,
            &open_message(host, nonce, self),
            signature,
        )
    }
}

/// What follows the label: host ‖ nonce ‖ mailbox.
fn open_message(host: &str, nonce: &SessionNonce, mailbox: &MailboxKey) -> Vec<u8> {
    [host.as_bytes(), nonce.as_bytes(), mailbox.as_bytes()].concat()
}
