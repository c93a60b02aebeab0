//! The database: SQLite in memory, one connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{extension, unidy};

/// The sandbox's data.
#[derive(Debug)]
pub(crate) struct Db(Mutex<Connection>);

impl Db {
    /// An empty database with its tables.
    pub(crate) fn open() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("PRAGMA foreign_keys = ON;")?;
        connection.execute_batch(include_str!("schema.sql"))?;
        connection.execute_batch(unidy::SCHEMA)?;
        connection.execute_batch(extension::GATES_SCHEMA)?;
        connection.execute_batch(extension::MARKET_SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs `work` on the data as it is.
    pub(crate) fn read<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        work(&self.lock())
    }

    /// Runs `work` in one transaction, which is kept when `work` succeeds.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
