//! Encrypts a message for one browser (RFC 8291), in one record of `aes128gcm` (RFC 8188). The push
//! service sees neither the text nor its length.

use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::{PublicKey, SecretKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};

/// Length of an uncompressed point.
pub(super) const POINT: usize = 65;

/// Size of one record in the header: larger than any message.
const RECORD_SIZE: u32 = 4096;

/// Messages are padded to this length, delimiter included.
const PADDED: usize = 64;

/// Marks the end of the last record's text.
const LAST_RECORD: u8 = 2;

/// The browser's side of a subscription.
pub(super) struct Recipient<'r> {
    pub(super) public_key: &'r PublicKey,
    pub(super) auth: &'r [u8; 16],
}

/// An output length of HKDF.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The body of a message, padded to a fixed length. `sender` and `salt` are used once.
pub(super) fn encrypt(
    text: &[u8],
    to: &Recipient<'_>,
    sender: &SecretKey,
    salt: &[u8; 16],
) -> Option<Vec<u8>> {
    encrypt_padded(text, PADDED, to, sender, salt)
}

/// The body with the text padded to a length if it is shorter.
fn encrypt_padded(
    text: &[u8],
    padded: usize,
    to: &Recipient<'_>,
    sender: &SecretKey,
    salt: &[u8; 16],
) -> Option<Vec<u8>> {
    let own = point(&sender.public_key());
    let (key, nonce) = keys(sender, to.public_key, (&point(to.public_key), &own), to.auth, salt)?;
    let mut sealed = [text, &[LAST_RECORD]].concat();
    sealed.resize(padded.max(sealed.len()), 0);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .ok()?;
    let length = u8::try_from(own.len()).ok()?;
    Some([&salt[..], &RECORD_SIZE.to_be_bytes(), &[length], &own, &sealed].concat())
}

/// An uncompressed point.
pub(super) fn point(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_bytes().into_vec()
}

/// Content encryption key and nonce. `points` are the browser's and the sender's.
fn keys(
    own: &SecretKey,
    other: &PublicKey,
    points: (&[u8], &[u8]),
    auth: &[u8; 16],
    salt: &[u8; 16],
) -> Option<([u8; 16], [u8; 12])> {
    let shared = (other.to_projective() * own.to_nonzero_scalar().as_ref()).to_affine().x();
    let info = [b"WebPush: info\0", points.0, points.1].concat();
    let input: [u8; 32] = derive(auth, &shared, &info)?;
    let key = derive(salt, &input, b"Content-Encoding: aes128gcm\0")?;
    let nonce = derive(salt, &input, b"Content-Encoding: nonce\0")?;
    Some((key, nonce))
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const N: usize>(salt: &[u8], input: &[u8], info: &[u8]) -> Option<[u8; N]> {
    let mut derived = [0; N];
    let key = Salt::new(HKDF_SHA256, salt).extract(input);
    key.expand(&[info], Length(N)).ok()?.fill(&mut derived).ok()?;
    Some(derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn a_message_is_that_of_the_standard() {
        let sender = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"));
        let public_key = PublicKey::from_sec1_bytes(&bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        ));
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let to = Recipient { public_key: &public_key.unwrap(), auth: &auth };
        let text = b"When I grow up, I want to be a watermelon";
        let body = encrypt_padded(text, 0, &to, &sender.unwrap(), &salt).unwrap();
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc\
             InmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLV\
             WGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn messages_of_different_texts_have_one_length() {
        let key = SecretKey::from_slice(&[7; 32]).unwrap();
        let public_key = key.public_key();
        let to = Recipient { public_key: &public_key, auth: &[1; 16] };
        let length = |text: &[u8]| encrypt(text, &to, &key, &[2; 16]).unwrap().len();
        assert_eq!(length(b"new_work"), length(b"returned_work"));
    }
}
