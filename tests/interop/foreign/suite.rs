//! The suite that people use, for mls-rs: its own suite 0x0001 with X-Wing in the place of X25519.

use mls_rs::{
    CipherSuite, CipherSuiteProvider, CryptoProvider,
    crypto::{
        HpkeCiphertext, HpkePsk, HpkePublicKey, HpkeSecretKey, SignaturePublicKey,
        SignatureSecretKey,
    },
    error::IntoAnyError,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use zeroize::Zeroizing;

use super::{hpke, slot::random};

/// `MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519`
pub(crate) const POST_QUANTUM: CipherSuite = CipherSuite::new(0x004F);
/// `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`
pub(crate) const CLASSIC: CipherSuite = CipherSuite::CURVE25519_AES128;

type Classic = <RustCryptoProvider as CryptoProvider>::CipherSuiteProvider;
type ContextS = <Classic as CipherSuiteProvider>::HpkeContextS;
type ContextR = <Classic as CipherSuiteProvider>::HpkeContextR;
type Secret = Zeroizing<Vec<u8>>;

/// Gives one suite.
#[derive(Clone)]
pub(crate) struct Provider(pub(crate) CipherSuite);

/// Something does not fit or hold.
#[derive(Debug)]
pub(crate) struct Failed;

impl IntoAnyError for Failed {}

#[derive(Clone)]
pub(crate) struct Suite {
    classic: Classic,
    number: CipherSuite,
}

impl CryptoProvider for Provider {
    type CipherSuiteProvider = Suite;

    fn supported_cipher_suites(&self) -> Vec<CipherSuite> {
        vec![self.0]
    }

    fn cipher_suite_provider(&self, number: CipherSuite) -> Option<Suite> {
        let classic = RustCryptoProvider::new().cipher_suite_provider(CLASSIC)?;
        (number == self.0).then_some(Suite { classic, number })
    }
}

impl Suite {
    fn is_classic(&self) -> bool {
        self.number == CLASSIC
    }
}

fn or_failed<T, E>(result: Result<T, E>) -> Result<T, Failed> {
    result.map_err(|_| Failed)
}

impl CipherSuiteProvider for Suite {
    type Error = Failed;
    type HpkeContextS = ContextS;
    type HpkeContextR = ContextR;

    fn cipher_suite(&self) -> CipherSuite {
        self.number
    }

    fn hpke_seal(
        &self,
        key: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, Failed> {
        if self.is_classic() {
            return or_failed(self.classic.hpke_seal(key, info, aad, plaintext));
        }
        let aad = aad.unwrap_or_default();
        let (kem_output, ciphertext) = hpke::seal_apart(key, info, aad, plaintext).ok_or(Failed)?;
        Ok(HpkeCiphertext {
            kem_output,
            ciphertext,
        })
    }

    fn hpke_open(
        &self,
        sealed: &HpkeCiphertext,
        secret: &HpkeSecretKey,
        public: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
    ) -> Result<Secret, Failed> {
        if self.is_classic() {
            return or_failed(self.classic.hpke_open(sealed, secret, public, info, aad));
        }
        let (kem_output, ciphertext) = (&sealed.kem_output, &sealed.ciphertext);
        hpke::open_apart(
            secret,
            kem_output,
            info,
            aad.unwrap_or_default(),
            ciphertext,
        )
        .map(Zeroizing::new)
        .ok_or(Failed)
    }

    fn kem_derive(&self, ikm: &[u8]) -> Result<(HpkeSecretKey, HpkePublicKey), Failed> {
        if self.is_classic() {
            return or_failed(self.classic.kem_derive(ikm));
        }
        let secret = hpke::decapsulation_key(ikm);
        Ok((secret.to_vec().into(), hpke::public_of(&secret).into()))
    }

    fn kem_generate(&self) -> Result<(HpkeSecretKey, HpkePublicKey), Failed> {
        if self.is_classic() {
            return or_failed(self.classic.kem_generate());
        }
        self.kem_derive(&random::<32>())
    }

    fn kem_public_key_validate(&self, key: &HpkePublicKey) -> Result<(), Failed> {
        if self.is_classic() {
            return or_failed(self.classic.kem_public_key_validate(key));
        }
        hpke::is_usable(key).then_some(()).ok_or(Failed)
    }

    fn hash(&self, data: &[u8]) -> Result<Vec<u8>, Failed> {
        or_failed(self.classic.hash(data))
    }

    fn mac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Failed> {
        or_failed(self.classic.mac(key, data))
    }

    fn aead_seal(
        &self,
        key: &[u8],
        data: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Vec<u8>, Failed> {
        or_failed(self.classic.aead_seal(key, data, aad, nonce))
    }

    fn aead_open(
        &self,
        key: &[u8],
        sealed: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Secret, Failed> {
        or_failed(self.classic.aead_open(key, sealed, aad, nonce))
    }

    fn aead_key_size(&self) -> usize {
        self.classic.aead_key_size()
    }

    fn aead_nonce_size(&self) -> usize {
        self.classic.aead_nonce_size()
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Result<Secret, Failed> {
        or_failed(self.classic.kdf_extract(salt, ikm))
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], length: usize) -> Result<Secret, Failed> {
        or_failed(self.classic.kdf_expand(prk, info, length))
    }

    fn kdf_extract_size(&self) -> usize {
        self.classic.kdf_extract_size()
    }

    fn random_bytes(&self, out: &mut [u8]) -> Result<(), Failed> {
        or_failed(self.classic.random_bytes(out))
    }

    fn signature_key_generate(&self) -> Result<(SignatureSecretKey, SignaturePublicKey), Failed> {
        or_failed(self.classic.signature_key_generate())
    }

    fn signature_key_derive_public(
        &self,
        secret: &SignatureSecretKey,
    ) -> Result<SignaturePublicKey, Failed> {
        or_failed(self.classic.signature_key_derive_public(secret))
    }

    fn sign(&self, secret: &SignatureSecretKey, data: &[u8]) -> Result<Vec<u8>, Failed> {
        or_failed(self.classic.sign(secret, data))
    }

    fn verify(
        &self,
        public: &SignaturePublicKey,
        signature: &[u8],
        data: &[u8],
    ) -> Result<(), Failed> {
        or_failed(self.classic.verify(public, signature, data))
    }

    // The rest is for pre-shared keys and external commits, which Cobijo has none of.

    fn hpke_seal_psk(
        &self,
        _: &HpkePublicKey,
        _: &[u8],
        _: Option<&[u8]>,
        _: &[u8],
        _: HpkePsk<'_>,
    ) -> Result<HpkeCiphertext, Failed> {
        Err(Failed)
    }

    fn hpke_open_psk(
        &self,
        _: &HpkeCiphertext,
        _: &HpkeSecretKey,
        _: &HpkePublicKey,
        _: &[u8],
        _: Option<&[u8]>,
        _: HpkePsk<'_>,
    ) -> Result<Secret, Failed> {
        Err(Failed)
    }

    fn hpke_setup_s(&self, _: &HpkePublicKey, _: &[u8]) -> Result<(Vec<u8>, ContextS), Failed> {
        Err(Failed)
    }

    fn hpke_setup_r(
        &self,
        _: &[u8],
        _: &HpkeSecretKey,
        _: &HpkePublicKey,
        _: &[u8],
    ) -> Result<ContextR, Failed> {
        Err(Failed)
    }
}
