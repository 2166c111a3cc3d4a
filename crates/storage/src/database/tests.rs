use super::*;
use crate::fixture::Directory;

#[test]
fn failed_and_panicking_transactions_leave_nothing() {
    let directory = Directory::new();
    let database = Database::open(&directory.path().join("db")).expect("opened");
    database
        .migrate("test", &["CREATE TABLE t (x INTEGER)"])
        .expect("migrated");
    let insert =
        |transaction: &Transaction<'_>| transaction.execute("INSERT INTO t VALUES (1)", []);
    let failed = database.write(Durability::Relaxed, |transaction| {
        insert(transaction)?;
        transaction.execute("INSERT INTO nowhere VALUES (1)", [])?;
        Ok::<_, Error>(())
    });
    assert!(matches!(failed, Err(Error::Statement(_))));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.write(Durability::Synced, |transaction| -> Result<(), Error> {
            insert(transaction)?;
            panic!("in the middle")
        })
    }));
    assert!(panicked.is_err());
    let count = || {
        database.read(|connection| {
            Ok::<i64, Error>(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
        })
    };
    assert_eq!(count().expect("readable"), 0);
    database
        .write(Durability::Synced, |transaction| {
            Ok::<_, Error>(insert(transaction)?)
        })
        .expect("still writable");
    assert_eq!(count().expect("readable"), 1);
    let refused =
        database.read(|connection| Ok::<_, Error>(connection.execute("DELETE FROM t", [])?));
    assert!(refused.is_err(), "reading cannot write");
}

#[test]
fn migrations_run_once_and_stop_at_the_unknown() {
    let directory = Directory::new();
    let path = directory.path().join("db");
    let steps = [
        "CREATE TABLE a (x)",
        "CREATE TABLE b (x)",
        "CREATE TABLE a (x)",
    ];
    {
        let database = Database::open(&path).expect("opened");
        database.migrate("test", &steps[..1]).expect("first");
        database
            .migrate("other", &["CREATE TABLE c (x)"])
            .expect("a component of its own");
    }
    let database = Database::open(&path).expect("opened again");
    let failed = database
        .migrate("test", &steps)
        .expect_err("the third repeats the first");
    assert!(
        failed
            .to_string()
            .contains("migrate tables of test to version 3"),
        "{failed}"
    );
    database
        .migrate("test", &steps[..2])
        .expect("the second stayed");
    let newer = database
        .migrate("test", &steps[..1])
        .expect_err("made by a newer program");
    assert!(
        newer
            .to_string()
            .contains("version 2, this program knows versions up to 1"),
        "{newer}"
    );
}
