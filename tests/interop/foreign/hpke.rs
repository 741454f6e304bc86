//! HPKE with X-Wing, HKDF-SHA256 and AES-128-GCM.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm128, kdf::HkdfSha256,
    kem::XWing, single_shot_open, single_shot_seal,
};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;
const ENCAPSULATION: usize = 1120;

/// SHAKE256(seed)[..32]
pub(crate) fn decapsulation_key(seed: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let mut shake = Shake256::default();
    shake.update(seed);
    shake.finalize_xof().read(&mut key);
    key
}

pub(crate) fn public_key(seed: &[u8; 32]) -> Vec<u8> {
    public_of(&decapsulation_key(seed))
}

pub(crate) fn public_of(decapsulation_key: &[u8; 32]) -> Vec<u8> {
    let private = PrivateKey::from_bytes(decapsulation_key).unwrap();
    XWing::sk_to_pk(&private).to_bytes().to_vec()
}

pub(crate) fn is_public_key(bytes: &[u8]) -> bool {
    PublicKey::from_bytes(bytes).is_ok()
}

/// encapsulation ‖ ciphertext
pub(crate) fn seal(public: &[u8], info: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (encapsulation, ciphertext) = seal_apart(public, info, &[], plaintext).unwrap();
    [encapsulation, ciphertext].concat()
}

pub(crate) fn open(seed: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (encapsulation, ciphertext) = sealed.split_at_checked(ENCAPSULATION)?;
    open_apart(
        &decapsulation_key(seed),
        encapsulation,
        info,
        &[],
        ciphertext,
    )
}

pub(crate) fn seal_apart(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let public = PublicKey::from_bytes(public).ok()?;
    let (encapsulation, ciphertext) = single_shot_seal::<AesGcm128, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
    )
    .ok()?;
    Some((encapsulation.to_bytes().to_vec(), ciphertext))
}

pub(crate) fn open_apart(
    decapsulation_key: &[u8],
    encapsulation: &[u8],
    info: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Option<Vec<u8>> {
    let private = PrivateKey::from_bytes(decapsulation_key).ok()?;
    let encapsulation = <XWing as Kem>::EncappedKey::from_bytes(encapsulation).ok()?;
    single_shot_open::<AesGcm128, HkdfSha256, XWing>(
        &OpModeR::Base,
        &private,
        &encapsulation,
        info,
        ciphertext,
        aad,
    )
    .ok()
}
