//! Which file each wrapped data key belongs to, by the digest of the age file in its `enc` text.
//!
//! A data key is one file's. The same `enc` at another path means that a block was copied, and opening
//! it there would release the first file's key. The armor can be written in several ways, so it is taken
//! off first; rows of earlier versions have the digest of the text.

use sha2::{Digest as _, Sha256};
use stackseal_core::age::armor;

use crate::store::Write;

/// Digest of the age file in an `enc` text.
pub(crate) fn digest(enc: &str) -> [u8; 32] {
    match armor::decode(enc) {
        Ok(file) => Sha256::digest(file).into(),
        Err(_) => digest_of_text(enc),
    }
}

/// The digest that earlier versions registered.
fn digest_of_text(enc: &str) -> [u8; 32] {
    Sha256::digest(enc.trim().as_bytes()).into()
}

/// Registers a wrapped data key for a path, unless it is registered already. Answers with the path
/// that it belongs to.
///
/// # Errors
/// When the database fails.
pub(crate) async fn register(
    writing: &mut Write,
    enc: &str,
    path: &str,
) -> Result<String, sqlx::Error> {
    let digest = digest(enc);
    let as_it_is = digest_of_text(enc);
    let usual = armor::decode(enc).map(|file| armor::encode(&file));
    let as_usual = usual.map_or(as_it_is, |text| digest_of_text(&text));
    // another file's row counts before one of this path
    let owner = sqlx::query_scalar(
        "SELECT path FROM ledger WHERE digest IN ($1, $2, $3) ORDER BY path = $4 LIMIT 1",
    )
    .bind(digest.as_slice())
    .bind(as_it_is.as_slice())
    .bind(as_usual.as_slice())
    .bind(path)
    .fetch_optional(&mut **writing)
    .await?;
    if let Some(owner) = owner {
        return Ok(owner);
    }
    sqlx::query("INSERT INTO ledger (digest, path) VALUES ($1, $2)")
        .bind(digest.as_slice())
        .bind(path)
        .execute(&mut **writing)
        .await?;
    Ok(path.to_owned())
}
