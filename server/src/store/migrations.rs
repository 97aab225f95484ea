//! Versions of the database. Each migration is run once, in order, in one transaction with the others.

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// Brings the database to this program's version.
///
/// # Errors
/// [`StoreError::Newer`] when a later program made it.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY) STRICT")
        .execute(&mut *connection)
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM migration")
        .fetch_one(&mut *connection)
        .await?;
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > found) {
        sqlx::raw_sql(*sql).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO migration (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../../migrations/sqlite/0001-first.sql"))];
