//! Which file each wrapped data key belongs to, by the digest of its `enc` text.
//!
//! A data key is one file's. The same `enc` at another path means that a block was copied, and opening
//! it there would release the first file's key.

use sha2::{Digest as _, Sha256};

use crate::store::Write;

/// Digest of an `enc` text.
pub(crate) fn digest(enc: &str) -> [u8; 32] {
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
    sqlx::query("INSERT INTO ledger (digest, path) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(digest.as_slice())
        .bind(path)
        .execute(&mut **writing)
        .await?;
    sqlx::query_scalar("SELECT path FROM ledger WHERE digest = $1")
        .bind(digest.as_slice())
        .fetch_one(&mut **writing)
        .await
}
