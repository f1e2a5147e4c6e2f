//! Keys and encryption outside the workspace: keyring, attachments, rescue file.

use wasm_bindgen::prelude::*;

use super::convert::{bytes, from_js, thrown};
use crate::ids::{DeviceId, unhex};
use crate::vault::Vault;
use crate::vault::keyring::{self, Keyring};
use crate::vault::rescue::RescueFile;

/// A user's keyring; JavaScript sees it only wrapped.
#[wasm_bindgen(js_name = Keyring)]
#[derive(Debug)]
pub struct JsKeyring {
    pub(super) inner: Keyring,
}

#[wasm_bindgen(js_class = Keyring)]
impl JsKeyring {
    /// A new keyring; `key` is 32 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(key: &[u8], user: String, role: String) -> Result<JsKeyring, JsValue> {
        Ok(Self { inner: Keyring::new(bytes(key)?, user, role) })
    }

    /// Begins a key rotation: a keyring with a new data key of 32 random bytes that still decrypts
    /// what this one encrypted. Undefined while a rotation is under way.
    pub fn rotated(&self, key: &[u8]) -> Result<Option<JsKeyring>, JsValue> {
        Ok(self.inner.rotated(bytes(key)?).map(|inner| Self { inner }))
    }

    /// Whether rows may still be encrypted under a previous data key.
    #[wasm_bindgen(getter)]
    pub fn rotating(&self) -> bool {
        self.inner.is_rotating()
    }

    /// The keyring without the previous data key.
    #[wasm_bindgen(js_name = withoutPrevious)]
    pub fn without_previous(&self) -> JsKeyring {
        Self { inner: self.inner.without_previous() }
    }

    /// Sign-in name.
    #[wasm_bindgen(getter)]
    pub fn user(&self) -> String {
        self.inner.user.clone()
    }

    /// Role.
    #[wasm_bindgen(getter)]
    pub fn role(&self) -> String {
        self.inner.role.clone()
    }

    /// Wraps it under a key of 32 bytes; `nonce` is 24 random bytes, `about` the purpose.
    pub fn wrap(&self, wrapping: &[u8], nonce: &[u8], about: &str) -> Result<Vec<u8>, JsValue> {
        Ok(self.inner.wrap(&bytes(wrapping)?, bytes(nonce)?, about))
    }

    /// Unwraps a keyring; undefined where the key is wrong or the bytes are damaged.
    pub fn unwrap(
        wrapping: &[u8],
        wrapped: &[u8],
        about: &str,
    ) -> Result<Option<JsKeyring>, JsValue> {
        let inner = Keyring::unwrap(&bytes(wrapping)?, wrapped, about);
        Ok(inner.map(|inner| Self { inner }))
    }
}

/// Derives 32 bytes from a PIN or passphrase, slowly; `salt` is 16 random bytes.
#[wasm_bindgen]
pub fn stretch(secret: &str, salt: &[u8]) -> Result<Vec<u8>, JsValue> {
    let stretched = keyring::stretch(secret, salt).map(|bytes| bytes.to_vec());
    stretched.ok_or_else(|| thrown("malformed_value", "", "the salt is too short"))
}

/// A rescue file of encrypted outbox rows; `proof` is the office's proof of enrolment, hex.
#[wasm_bindgen(js_name = rescueFile)]
pub fn rescue_file(
    device: &str,
    escrow: &[u8],
    #[wasm_bindgen(unchecked_param_type = "Row[]")] rows: JsValue,
    proof: Option<String>,
) -> Result<Vec<u8>, JsValue> {
    let proof = proof.and_then(|proof| unhex(&proof)).and_then(|proof| proof.try_into().ok());
    let device: DeviceId =
        device.parse().map_err(|_| thrown("malformed_id", "", "the device id is malformed"))?;
    Ok(RescueFile::new(device, escrow.to_vec(), from_js(rows)?, proof).to_bytes())
}

/// Encrypts attachments, which the driver stores outside the core's tables.
#[wasm_bindgen(js_name = Cipher)]
#[derive(Debug)]
pub struct JsCipher {
    inner: Vault,
}

#[wasm_bindgen(js_class = Cipher)]
impl JsCipher {
    /// Under a user's data key; `salt` is 16 random bytes, new for each cipher.
    #[wasm_bindgen(constructor)]
    pub fn new(keyring: &JsKeyring, salt: &[u8]) -> Result<JsCipher, JsValue> {
        Ok(Self { inner: keyring.inner.vault(bytes(salt)?) })
    }

    /// The key of a name: keys are not encrypted.
    pub fn name(&self, name: &str) -> String {
        self.inner.attachment_key(name)
    }

    /// Encrypts bytes for a place in the store.
    pub fn encrypt(&mut self, bytes: &[u8], place: &str) -> Vec<u8> {
        self.inner.encrypt_attachment(place, bytes)
    }

    /// Decrypts the value of a place; none if it is damaged or belongs to another place.
    pub fn decrypt(&self, bytes: &[u8], place: &str) -> Option<Vec<u8>> {
        self.inner.decrypt_attachment(place, bytes)
    }

    /// Re-encrypts a value of a table (`attachments` for the driver's own) that is encrypted under
    /// the previous data key; undefined where it is not.
    pub fn reencrypt(&mut self, table: &str, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        self.inner.reencrypt(table, key, value)
    }
}
