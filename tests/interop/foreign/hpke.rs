//! HPKE with X-Wing, HKDF-SHA256 and AES-128-GCM.

use data_encoding::HEXLOWER;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm128, kdf::HkdfSha256,
    kem::XWing, single_shot_open, single_shot_seal,
};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;
const ENCAPSULATION: usize = 1120;
const PUBLIC_KEY: usize = 1216;
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

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

/// Whether a key is one that everyone takes: by its bytes, whatever a library makes of it.
pub(crate) fn is_usable(public: &[u8]) -> bool {
    if public.len() != PUBLIC_KEY {
        return false;
    }
    let bit = |at: usize| u16::from(public[at / 8] >> (at % 8) & 1);
    let number = |number: usize| {
        (0..12)
            .map(|at| bit(12 * number + at) << at)
            .fold(0, |sum, part| sum | part)
    };
    let x25519 = HEXLOWER.encode(&public[PUBLIC_KEY - 32..PUBLIC_KEY - 1]);
    let last = public[PUBLIC_KEY - 1] & 0x7f;
    (0..768).all(|at| number(at) < 3329)
        && !SMALL_ORDER.contains(&format!("{x25519}{last:02x}").as_str())
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
