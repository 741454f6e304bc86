//! HPKE to a desk: X-Wing, HKDF-SHA256, AES-128-GCM.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm128, kdf::HkdfSha256,
    kem::XWing, single_shot_open, single_shot_seal,
};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

type PrivateKey = <XWing as Kem>::PrivateKey;
const ENCAPSULATION: usize = 1120;

/// SHAKE256(seed)[..32]
pub(crate) fn decapsulation_key(seed: &[u8; 32]) -> [u8; 32] {
    let mut key = [0; 32];
    let mut shake = Shake256::default();
    shake.update(seed);
    shake.finalize_xof().read(&mut key);
    key
}

pub(crate) fn public_key(seed: &[u8; 32]) -> Vec<u8> {
    XWing::sk_to_pk(&private_key(seed)).to_bytes().to_vec()
}

fn private_key(seed: &[u8; 32]) -> PrivateKey {
    PrivateKey::from_bytes(&decapsulation_key(seed)).unwrap()
}

/// encapsulation ‖ ciphertext
pub(crate) fn seal(public: &[u8], info: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let public = <XWing as Kem>::PublicKey::from_bytes(public).unwrap();
    let (encapsulation, ciphertext) = single_shot_seal::<AesGcm128, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        &[],
    )
    .unwrap();
    [encapsulation.to_bytes().as_slice(), &ciphertext].concat()
}

pub(crate) fn open(seed: &[u8; 32], info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (encapsulation, ciphertext) = sealed.split_at_checked(ENCAPSULATION)?;
    let encapsulation = <XWing as Kem>::EncappedKey::from_bytes(encapsulation).ok()?;
    single_shot_open::<AesGcm128, HkdfSha256, XWing>(
        &OpModeR::Base,
        &private_key(seed),
        &encapsulation,
        info,
        ciphertext,
        &[],
    )
    .ok()
}
