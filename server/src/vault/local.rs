//! The local provider: private keys sealed under the root key file, opened in this process for the
//! milliseconds of one call.

use std::path::Path;

use stackseal_core::document::{Document, Encrypted};
use stackseal_core::{DataKey, Identity, Recipient};

use crate::crash;
use crate::random;
use crate::vault::root_key::{RootKey, RootKeyError};
use crate::vault::{Binding, Vault, VaultError, envelope};

/// A vault on this machine.
#[derive(Debug)]
pub(crate) struct LocalVault {
    root: RootKey,
}

impl LocalVault {
    /// Opens the root key file, or makes it at the first start.
    ///
    /// # Errors
    /// [`RootKeyError`], with what to do.
    pub(crate) fn open(path: &Path, first_start: bool) -> Result<Self, RootKeyError> {
        RootKey::open(path, first_start).map(|root| Self { root })
    }

    fn identity(&self, binding: &Binding, sealed: &[u8]) -> Result<Identity, VaultError> {
        let text = envelope::open(&self.root, binding, sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| VaultError::Record)?;
        Identity::parse(text).map_err(|_| VaultError::Record)
    }
}

impl Vault for LocalVault {
    fn generate(&self, binding: &Binding) -> Result<(Recipient, Vec<u8>), VaultError> {
        let identity = Identity::generate(&mut random::fill).map_err(VaultError::Random)?;
        let sealed = envelope::seal(&self.root, binding, identity.to_text().as_bytes())?;
        Ok((identity.recipient(), sealed))
    }

    fn recipient(&self, binding: &Binding, sealed: &[u8]) -> Result<Recipient, VaultError> {
        self.identity(binding, sealed)
            .map(|identity| identity.recipient())
    }

    fn rebind(&self, from: &Binding, to: &Binding, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let payload = envelope::open(&self.root, from, sealed)?;
        envelope::seal(&self.root, to, &payload)
    }

    fn rewrap(
        &self,
        binding: &Binding,
        sealed: &[u8],
        document: &Document<Encrypted>,
        to: &Recipient,
    ) -> Result<String, VaultError> {
        let identity = self.identity(binding, sealed)?;
        let data_key: DataKey = document
            .data_key(std::slice::from_ref(&identity))
            .map_err(VaultError::DataKey)?;
        document
            .check_data_key(&data_key)
            .map_err(VaultError::DataKey)?;
        crash::point("u3-unwrapped");
        data_key
            .wrap(to, &mut random::fill)
            .map_err(VaultError::Random)
    }
}
