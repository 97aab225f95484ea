//! The audit trail's table: records in a chain of hashes, so that an edit, a gap or a swap shows.

use sha2::{Digest as _, Sha256};

use crate::store::{Store, Write};

/// Appends a record. It counts once the transaction is committed, which waits for the disk.
///
/// # Errors
/// When the database fails.
pub(crate) async fn append(writing: &mut Write, record: &str) -> Result<i64, sqlx::Error> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut **writing)
            .await?;
    let (seq, previous) = last.unwrap_or((0, FIRST.to_vec()));
    sqlx::query("INSERT INTO audit (seq, record, hash) VALUES ($1, $2, $3)")
        .bind(seq + 1)
        .bind(record)
        .bind(chain(&previous, record).as_slice())
        .execute(&mut **writing)
        .await?;
    Ok(seq + 1)
}

impl Store {
    /// Follows the chain from the start. Answers with the first record that does not fit, if any.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn audit_break(&self) -> Result<Option<i64>, sqlx::Error> {
        let (mut seq, mut hash) = (0, FIRST.to_vec());
        loop {
            let rows: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(
                "SELECT seq, record, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1000",
            )
            .bind(seq)
            .fetch_all(self.read())
            .await?;
            if rows.is_empty() {
                return Ok(None);
            }
            for (found, record, stored) in rows {
                if found != seq + 1 || stored != chain(&hash, &record) {
                    return Ok(Some(seq + 1));
                }
                (seq, hash) = (found, stored);
            }
        }
    }
}

fn chain(previous: &[u8], record: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(previous)
        .chain_update(record.as_bytes())
        .finalize()
        .into()
}

const FIRST: [u8; 32] = [0; 32];
